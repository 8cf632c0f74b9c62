"""Break-glass: an approver gets in without the second factor, loudly, and others account for it afterwards."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chubei_shared.contracts.base import Dto, Id, Name, Utc
from chubei_shared.contracts.second_factor import Password

TELL = "chubei_allocation.tasks.tell_of_broken_glass"
"""The task by which the gateway has posts told of a sign-in, with its event for an argument."""
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=1000)]


class BreakGlass(Dto):
    username: Id
    password: Password
    reason: Words
    """Why it can not wait until the second factor is at hand."""
    witness: Name
    """Who stands beside and knows."""


class AccountBreakGlass(Dto):
    words: Words
    """What was looked into, and what came of it."""


class BreakGlassAccount(Dto):
    by: str
    at: Utc
    words: str


class BreakGlassView(Dto):
    id: UUID
    """That of its session."""
    username: str
    reason: str
    witness: str
    address: str
    device: str
    at: Utc
    expires_at: Utc
    accounts: list[BreakGlassAccount]
    accounts_wanted: int = Field(description="还须几人说明 / how many more persons must account for it")


class BreakGlassPage(Dto):
    """Newest first."""

    rows: list[BreakGlassView]
