"""Whether the records agree with each other: what was checked, and each row that differs."""

from typing import Any
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.base import Dto, Utc


class Difference(Dto):
    """Two things that must be the same and are not. Nothing is repaired: a person finds out which one is wrong."""

    check: str
    """balance, held, negative, movement, transit, outbox, chain, …"""
    rows: dict[str, Any]
    """The table, and the key of the row (or the rows) in it."""
    expected: str
    found: str
    problem: str
    problem_en: str
    remedy: str
    remedy_en: str


class ProofAsked(Dto):
    """Asks for a proof now. The same id again is the same proof."""

    id: UUID


class ProofRun(Dto):
    """One proof of the books. `clean` is null while it has not run."""

    id: UUID
    night: str | None
    """The night (in China) that it stands for; null where somebody asked for it."""
    asked_by: str
    asked_at: Utc
    finished_at: Utc | None
    entries: int | None
    """Ledger entries that were added up."""
    counts: dict[str, int] | None
    """Differences by check; every check that ran is there."""
    clean: bool | None
    differences: list[Difference] = Field(default_factory=list)
    """At most 1,000; `counts` has them all."""


class ProofPage(Dto):
    """Newest first, without their differences."""

    rows: list[ProofRun]
    next_cursor: str | None = None
