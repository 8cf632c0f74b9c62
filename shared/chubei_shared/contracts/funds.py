"""Funds and what is left of them (owned by inventory)."""

from chubei_shared.contracts.base import Dto, Id, Name, Provenance
from chubei_shared.contracts.reserves import Fen


class FundAccount(Dto):
    """A fund with one budget (资金); what it may buy are reserves of mode fund with its id as `account_id`."""

    id: Id
    name_zh: Name
    name_en: Name
    budget_fen: Fen
    provenance: Provenance


class FundAccountView(Dto):
    """A fund in fen: left = budget - held - spent."""

    account: FundAccount
    allotted_fen: int
    """Given to things that it may buy."""
    held_fen: int
    """Promised to plans and call-offs, at the agreed prices."""
    spent_fen: int
    """Bought, at what was paid."""
    left_fen: int
    """Below 0 where prices rose above what was agreed."""


class FundAccountPage(Dto):
    rows: list[FundAccountView]
    next_cursor: str | None = None
