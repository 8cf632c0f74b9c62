"""People, sign-in and sessions (owned by the gateway)."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chubei_shared.contracts.base import Dto, Id, Name, Utc
from chubei_shared.tokens import Role

Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]
NewPassword = Annotated[str, StringConstraints(min_length=12, max_length=200)]


class SignIn(Dto):
    username: Id
    password: Password


class Refresh(Dto):
    refresh_token: Annotated[str, StringConstraints(min_length=20, max_length=200)]


class Tokens(Dto):
    access_token: str
    token_type: str = "Bearer"
    expires_in_s: int
    refresh_token: str
    must_change_password: bool


class PasswordChange(Dto):
    old_password: Password
    new_password: NewPassword


class NewUser(Dto):
    username: Id
    display_name: Name
    roles: list[Role] = Field(min_length=1)
    places: list[Id] = Field(default_factory=list, max_length=100)
    """The stores that a clerk is bound to."""
    password: NewPassword
    """To be changed at the first sign-in."""


class UserView(Dto):
    username: str
    display_name: str
    roles: list[Role]
    places: list[str]
    disabled: bool
    must_change_password: bool
    created_at: Utc


class UserUpdate(Dto):
    """What an administrator changes; what is left out stays."""

    display_name: Name | None = None
    roles: list[Role] | None = Field(default=None, min_length=1)
    places: list[Id] | None = None
    disabled: bool | None = None


class SessionView(Dto):
    id: UUID
    username: str
    created_at: Utc
    last_used_at: Utc
    revoked: bool


class AuditRow(Dto):
    """One act, recorded with it."""

    id: int
    at: Utc
    subject: str
    act: str
    target: str
    outcome: int
    """HTTP status."""
    request_id: str
