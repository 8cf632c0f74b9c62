"""People, sign-in, sessions, audit and the state of the house (owned by the gateway)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, field_validator

from chubei_shared.contracts.base import Dto, Id, Name, Utc
from chubei_shared.contracts.proof import Difference
from chubei_shared.contracts.second_factor import Code, Password
from chubei_shared.tokens import PEOPLE, Role

NewPassword = Annotated[str, StringConstraints(min_length=12, max_length=200)]


def _for_people(roles: list[Role] | None) -> list[Role] | None:
    if others := ", ".join(sorted(set(roles or ()) - set(PEOPLE))):
        raise ValueError(
            f"角色 {others} 不授予个人账户,请去掉 / the role {others} is never given to an account: take it out"
        )
    return sorted(set(roles)) if roles else roles


class SignIn(Dto):
    username: Id
    password: Password
    code: Code | None = None
    """Of who has a second factor."""


class Refresh(Dto):
    refresh_token: Annotated[str, StringConstraints(min_length=20, max_length=200)]


class Tokens(Dto):
    access_token: str
    token_type: str = "Bearer"
    expires_in_s: int
    refresh_token: str
    """Good for one use: each refresh answers a new pair."""
    must_change_password: bool
    second_factor_due: bool = False
    """An authenticator is to be enrolled before anything else."""


class SignedIn(Dto):
    """A browser's session: its tokens are in cookies."""

    expires_in_s: int
    must_change_password: bool
    second_factor_due: bool


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
    second_factor: bool
    created_at: Utc


class Me(UserView):
    second_factor_due: bool
    """An authenticator is to be enrolled before anything else."""


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


class PersonNames(Dto):
    names: dict[str, str]
    """What people are called, by username; whoever has no account is left out."""


class FirstAccount(Dto):
    """The account that a new house starts with, and whether its first password still stands."""

    username: str
    must_change_password: bool


class SignInWays(Dto):
    oidc: str | None
    """The name of the identity provider, for the button; none: there is the password alone."""


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
    device: str
    """What signed in, such as "Chrome 131 · Android"."""
    break_glass: bool
    """Opened without the second factor."""


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
    reason: str = ""
    """Why it was refused, where the service that refused it keeps this row."""


class AuditPage(Dto):
    """Newest first."""

    rows: list[AuditRow]
    next_cursor: str | None = None


class AuditVerification(Dto):
    """The audit's chain of seals, recomputed now over all records."""

    verified_at: Utc
    sealed: int
    """Records that seals cover; newer ones are sealed within a minute or two."""
    last_seal: int
    """Number of the newest seal; 0: none yet."""
    last_hash: str | None
    """Its hash, in hex: whoever keeps number and hash elsewhere can show later that nothing was cut off."""
    differences: list[Difference]
    """None: the chain is whole."""


class PartHealth(Dto):
    name: str
    status: Literal["ok", "away"]


class Health(Dto):
    """The parts behind the gateway; degraded when one of them is away."""

    status: Literal["ok", "degraded"]
    parts: list[PartHealth]
