"""Short signed tokens (Ed25519): who calls, in which roles, bound to which stores.

The gateway issues them to people, allocation to itself for its background work; every service verifies
with public keys only, so a leaked service can not mint a commander.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jwt
import redis
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chubei_shared import telemetry
from chubei_shared.errors import Forbidden, Unauthorized

ACCESS_LIFE = timedelta(minutes=10)
_LEEWAY_S = 5
ISSUERS = ("gateway", "allocation")


class Role(StrEnum):
    CLERK = "clerk"
    COMMANDER = "commander"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMIN = "admin"
    SERVICE = "service"
    """A service acting by itself; never given to a person."""
    GUEST = "guest"
    """Someone without an account who opened a link: may do what its grant is for. Never given to an account."""


PEOPLE: Final = tuple(role for role in Role if role not in (Role.SERVICE, Role.GUEST))
"""The roles that accounts have."""
_ZH: Final = dict(
    zip(Role, ("保管员", "指挥人员", "审批人", "审计员", "管理员", "系统", "来宾"), strict=True)
)


def roles_zh(roles: Iterable[str]) -> str:
    """In a Chinese sentence: one of these."""
    return "、".join(_ZH[Role(role)] for role in sorted(roles))


def grant_of(purpose: str, *ids: object) -> str:
    """What a link is for, in one word: order:8f0c…, headcount:<incident>:<shelter>. Ids are told apart in any case."""
    return ":".join((purpose, *(quote(str(one), safe="") for one in ids)))


@dataclass(frozen=True)
class Caller:
    """Who is calling. `places` are the stores a clerk is bound to; `acting_for` is the person a service acts for;
    `grant` is the one thing that a guest's link is for (grant_of).
    """

    subject: str
    roles: frozenset[Role]
    places: frozenset[str] = field(default_factory=frozenset)
    session_id: str | None = None
    must_change_password: bool = False
    second_factor_due: bool = False
    """Let in only to enrol one."""
    acting_for: str | None = None
    grant: str | None = None
    break_glass: bool = False
    """Came in without the second factor (应急登录): what is decided so says so."""

    @property
    def person(self) -> str:
        """The name that goes on the record."""
        return self.acting_for or self.subject

    def may(self, purpose: str, *ids: object) -> bool:
        """Whether a guest's link is for just this. Of others their roles decide: they may."""
        return Role.GUEST not in self.roles or self.grant == grant_of(purpose, *ids)

    def works_at(self, place_id: str) -> bool:
        """Whether the caller may move stock at a place: clerks only at their own stores."""
        return bool(self.roles & {Role.SERVICE, Role.ADMIN}) or (
            Role.CLERK in self.roles and place_id in self.places
        )


def ensure_keys(folder: Path, issuers: Iterable[str] = ISSUERS) -> None:
    """Create the missing key pairs in `folder`; private keys are readable by their owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    for issuer in issuers:
        private = folder / f"{issuer}.key"
        if private.exists():
            continue
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / f"{issuer}.pub").write_bytes(public)
        with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(pem)


class Signer:
    """Issues tokens in the name of one issuer."""

    def __init__(self, keys_dir: Path, issuer: str) -> None:
        self._issuer, self._key = issuer, (keys_dir / f"{issuer}.key").read_text()

    def issue(self, caller: Caller, life: timedelta = ACCESS_LIFE) -> str:
        now = datetime.now(UTC)
        claims = {
            "iss": self._issuer,
            "sub": caller.subject,
            "roles": sorted(caller.roles),
            "places": sorted(caller.places),
            "sid": caller.session_id,
            "mcp": caller.must_change_password,
            "sfd": caller.second_factor_due,
            "act": caller.acting_for,
            "grant": caller.grant,
            "brk": caller.break_glass,
            "iat": now,
            "exp": now + life,
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._issuer})


class Verifier:
    """Verifies tokens of all known issuers, and that their session has not been revoked."""

    def __init__(self, keys_dir: Path, revocations: "redis.Redis") -> None:
        self._keys = {i: (keys_dir / f"{i}.pub").read_text() for i in ISSUERS}
        self._revocations = revocations
        # A signature that was right stays right, and to check it costs as much as some statements
        self._once = lru_cache(4096)(self._read)

    def verify(self, token: str) -> Caller:
        """The caller that `token` names. Raises Unauthorized."""
        caller, expires_at_s = self._once(token)
        if time.time() > expires_at_s + _LEEWAY_S:
            raise _not_valid()
        if caller.session_id and self._revoked(caller.session_id):
            raise Unauthorized("此次登录已被撤销", "This session has been revoked: sign in again")
        return caller

    def _read(self, token: str) -> tuple[Caller, float]:
        """Whom a token names, and until when. Raises Unauthorized."""
        try:
            issuer = jwt.get_unverified_header(token)["kid"]
            claims = jwt.decode(
                token,
                self._keys[issuer],
                algorithms=["EdDSA"],
                issuer=issuer,
                options={"require": ["exp", "sub", "iss"]},
                leeway=_LEEWAY_S,
            )
            caller = _caller(claims)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise _not_valid() from None
        if (Role.SERVICE in caller.roles) == (issuer == "gateway"):
            raise Unauthorized("凭证的签发者与角色不符", "The token's issuer may not give this role")
        if (caller.grant is not None) != (caller.roles == {Role.GUEST}) or (
            Role.GUEST in caller.roles and not caller.session_id
        ):
            raise Unauthorized(
                "访客凭证须对应一个链接", "A guest's token is for one link, and for nothing else"
            )
        return caller, float(claims["exp"])

    def _revoked(self, session_id: str) -> bool:
        try:
            return bool(self._revocations.exists(revocation_key(session_id)))
        except redis.RedisError:
            # On the night, relief goes before a revocation: a token lives ten minutes at most.
            telemetry.log.warning("revocation list unreachable, token accepted", extra={"sid": session_id})
            return False


def _not_valid() -> Unauthorized:
    return Unauthorized(
        "登录凭证无效或已过期,请重新登录", "The token is not valid or has expired: sign in again"
    )


def revocation_key(session_id: str) -> str:
    return f"chubei:revoked:{session_id}"


def _caller(claims: dict[str, Any]) -> Caller:
    return Caller(
        subject=claims["sub"],
        roles=frozenset(Role(r) for r in claims["roles"]),
        places=frozenset(claims["places"]),
        session_id=claims["sid"],
        must_change_password=claims["mcp"],
        second_factor_due=claims.get("sfd", False),
        acting_for=claims["act"],
        grant=claims.get("grant"),  # a token of before the update has none
        break_glass=claims.get("brk", False),
    )


def check_roles(caller: Caller, roles: Iterable[str]) -> None:
    """Raises Forbidden unless the caller has one of `roles`."""
    if caller.roles.isdisjoint(roles):
        need = "/".join(sorted(roles))
        raise Forbidden(f"需要角色:{roles_zh(roles)}", f"This needs the role {need}", roles=sorted(roles))
