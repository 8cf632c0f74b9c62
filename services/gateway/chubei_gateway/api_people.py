"""Routes for administrators and auditors: people, and what was done; what people are called, for everyone.

The places that a clerk is bound to are inventory's: it is asked before the gateway writes, with the administrator's
own token. While it is away nobody is bound to a place; whoever needs none can be added all the same.
"""

from typing import Annotated

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id, Name
from chubei_shared.contracts.identity import (
    AuditPage,
    AuditVerification,
    NewUser,
    PersonNames,
    UserPage,
    UserUpdate,
    UserView,
)
from chubei_shared.tokens import PEOPLE, Role
from fastapi import APIRouter, Path, Query, Request

from chubei_gateway import asking, audit, identity, looks, passwords, proof, sessions
from chubei_gateway.api_parameters import Limit

people = APIRouter(tags=["people"])
done = APIRouter(tags=["audit"])
_LONG_S = 600
Username = Annotated[Id, Path(description="用户名 / username")]


@people.post("/v1/users", status_code=201, summary="新建用户 / Add a person", **allow(Role.ADMIN))
def create_user(body: NewUser, request: Request, caller: CurrentCaller, tx: Tx) -> UserView:
    """The password is to be changed at the first sign-in. `places` are places that inventory knows."""
    passwords.check_new(body.username, body.password)
    asking.check_places(request, body.places)
    return tx(identity.create_user, body, passwords.hashed(body.password), caller)


@people.get("/v1/users", summary="用户列表 / People", **looks.allow(Role.ADMIN))
def read_users(tx: Tx, cursor: Annotated[Id | None, Query()] = None, limit: Limit = 100) -> UserPage:
    return tx(identity.page, cursor, limit)


@people.get("/v1/person-names", summary="人员姓名 / What people are called", **allow(*PEOPLE))
def read_person_names(
    tx: Tx,
    username: Annotated[list[Id], Query(min_length=1, max_length=100, description="用户名 / usernames")],
) -> PersonNames:
    """For pages that say who did something: the name alone, of those who were asked for."""
    return tx(identity.names, username)


@people.get("/v1/users/{username}", summary="用户 / One person", **looks.allow(Role.ADMIN))
def read_user(username: Username, tx: Tx) -> UserView:
    return tx(identity.user, username)


@people.patch("/v1/users/{username}", summary="修改用户 / Change a person", **allow(Role.ADMIN))
def update_user(
    username: Username, body: UserUpdate, request: Request, caller: CurrentCaller, tx: Tx
) -> UserView:
    """What is left out stays. `places` are places that inventory knows.

    Anything but a new display name ends the person's sessions at once.
    """
    password_hash = None
    if body.password:
        passwords.check_new(username, body.password)
        password_hash = passwords.hashed(body.password)
    asking.check_places(request, body.places or [])
    changed = tx(identity.update_user, username, body, password_hash, caller)
    sessions.announce_revocations(tx(sessions.recently_revoked), request.app.state.redis)
    return changed


@done.get("/v1/audit", summary="审计记录 / What was done", **allow(Role.AUDITOR, Role.ADMIN))
def read_audit(
    tx: Tx,
    subject: Annotated[Name | None, Query(description="谁 / who")] = None,
    act: Annotated[Name | None, Query(description="何事 / what")] = None,
    cursor: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Limit = 100,
) -> AuditPage:
    """Newest first."""
    return tx(audit.page, subject, act, cursor, limit)


@done.get(
    "/v1/audit/verification",
    summary="核验审计链 / Verify the audit's chain",
    **allow(Role.AUDITOR, Role.ADMIN, timeout_s=_LONG_S),
)
def verify_audit(tx: Tx) -> AuditVerification:
    """Recomputes every seal over every record: seconds for a year of a district. Nothing is repaired."""
    return tx(proof.verification)
