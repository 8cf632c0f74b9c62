"""People, sign-in, sessions, audit and the state of the house (owned by the gateway)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, field_validator

from chubei_shared.contracts.base import Dto, Id, Name, Utc
from chubei_shared.tokens import Role

Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]
NewPassword = Annotated[str, StringConstraints(min_length=12, max_length=200)]


def _for_people(roles: list[Role] | None) -> list[Role] | None:
    if roles and Role.SERVICE in roles:
        raise ValueError(
            "角色 service 不授予个人,请去掉 / the role service is never given to a person: take it out"
        )
    return sorted(set(roles)) if roles else roles


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
    """Good for one use: each refresh answers a new pair."""
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

    _roles = field_validator("roles")(_for_people)


class UserView(Dto):
    username: str
    display_name: str
    roles: list[Role]
    places: list[str]
    disabled: bool
    must_change_password: bool
    created_at: Utc


class UserUpdate(Dto):
    """What an administrator changes; what is left out stays. Ends the user's sessions, but for a new name."""

    display_name: Name | None = None
    roles: list[Role] | None = Field(default=None, min_length=1)
    places: list[Id] | None = Field(default=None, max_length=100)
    disabled: bool | None = None
    password: NewPassword | None = None
    """For someone who forgot theirs; to be changed at the next sign-in."""

    _roles = field_validator("roles")(_for_people)


class UserPage(Dto):
    rows: list[UserView]
    next_cursor: str | None = None


class FirstAccount(Dto):
    """The account that a new house starts with, and whether its first password still stands."""

    username: str
    must_change_password: bool


class SessionView(Dto):
    id: UUID
    username: str
    created_at: Utc
    last_used_at: Utc
    expires_at: Utc
    address: str
    """Where the sign-in came from."""
    revoked: bool
    current: bool
    """The session of this very request."""


class SessionPage(Dto):
    rows: list[SessionView]
    next_cursor: str | None = None


class AuditRow(Dto):
    """One act, recorded with it."""

    id: int
    at: Utc
    subject: str
    act: str
    """What was done: session.open, user.create, …, or the method and path of what was forwarded."""
    target: str
    outcome: int
    """HTTP status."""
    request_id: str


class AuditPage(Dto):
    """Newest first."""

    rows: list[AuditRow]
    next_cursor: str | None = None


class PartHealth(Dto):
    name: str
    status: Literal["ok", "away"]


class Health(Dto):
    """The parts behind the gateway; degraded when one of them is away."""

    status: Literal["ok", "degraded"]
    parts: list[PartHealth]
