"""Oral orders (口头命令): dispatch starts on a named person's word, the papers follow (owned by allocation)."""

from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

from pydantic import model_validator

from chubei_shared.contracts.base import Dto, Id, Name, Reason, Text, Utc


class OralState(StrEnum):
    OPEN = "open"
    """The papers are due."""
    UNACCOUNTED = "unaccounted"
    """Break-glass: the papers are there, and two persons have yet to account for it."""
    CLOSED = "closed"


class OralOrder(Dto):
    """`given_by` said that the plan is to be carried out; whoever enters this heard it."""

    id: UUID
    given_by: Id
    """The user name of who has the authority."""
    how: Literal["phone", "in_person", "radio"]
    given_at: Utc
    witness: Name
    """Who else heard it."""
    note: Text = ""
    break_glass: bool = False
    """Entered by somebody without a post, because the usual way is dead. Loud, and to be accounted for by two."""
    reason: Reason | None = None
    """Why the usual way could not be taken: with break_glass."""

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.break_glass and self.reason is None:
            raise ValueError("reason:应急登记须写明原因 / reason: say why with break_glass")
        return self


class Papers(Dto):
    """The written order that follows an oral one."""

    document_no: Name
    note: Text = ""


class Account(Dto):
    """What somebody found when accounting for a break-glass entry."""

    finding: Reason


class AccountView(Dto):
    person: str
    finding: str
    accounted_at: Utc


class OralOrderView(Dto):
    id: UUID
    plan_id: UUID
    plan_status: str
    incident_id: UUID
    exercise: bool
    given_by: str
    post_id: str | None
    tier: str | None
    how: str
    given_at: Utc
    witness: str
    note: str
    break_glass: bool
    reason: str | None
    recorded_by: str
    recorded_at: Utc
    state: OralState
    papers_due_at: Utc
    minutes_left: int
    """Until the papers are due; 0 when they are overdue, or there."""
    overdue: bool
    document_no: str | None
    papers_by: str | None
    papers_at: Utc | None
    papers_note: str
    accounts: list[AccountView]
    accounts_needed: int
    closed_at: Utc | None


class OralOrderPage(Dto):
    rows: list[OralOrderView]
    next_cursor: str | None = None
