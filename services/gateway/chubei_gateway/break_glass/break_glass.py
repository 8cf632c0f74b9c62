"""Verbs over break-glass sessions: opened in need, listed until two others have accounted for them."""

from typing import Final
from uuid import UUID

from chubei_shared import audit, outbox
from chubei_shared.contracts.break_glass import (
    TELL,
    BreakGlass,
    BreakGlassAccount,
    BreakGlassPage,
    BreakGlassView,
)
from chubei_shared.errors import Conflict, Forbidden, NotFound
from chubei_shared.tokens import Caller, Role
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_gateway import sessions
from chubei_gateway.break_glass.tables import BreakGlassAccounted, GlassBroken
from chubei_gateway.sessions import Opened, Refused, Visitor
from chubei_gateway.tables import UserSession

ACCOUNTS: Final = 2
"""Persons, other than the one who came in."""
_ACT: Final = "session.break_glass"
_MOST: Final = 500


def break_glass(
    session: Session, body: BreakGlass, right_hash: str | None, visitor: Visitor, required: bool
) -> Opened | Refused:
    """A session of two hours for an approver whose password matched, without the second factor.

    `required`: whether approvers need one. Who needs none signs in as usual: Refused.NOT_NEEDED. Refusals are recorded.
    """
    user = sessions.person(session, body.username, right_hash)
    refused = None
    if user is None:
        refused = Refused.PASSWORD
    elif Role.APPROVER not in user.roles:
        refused = Refused.ROLE
    elif not required and not sessions.has_second_factor(session, user.username):
        refused = Refused.NOT_NEEDED
    told = f"{body.reason} ({body.witness})"
    if user is None or refused:
        audit.record(
            session, audit.Act(body.username, _ACT, visitor.address), 401 if user is None else 403, told
        )
        return refused or Refused.PASSWORD
    opened = sessions.begin(session, user, visitor, break_glass=True)
    found = session.get_one(UserSession, opened.session_id)
    session.add(
        GlassBroken(
            id=found.id,
            username=user.username,
            reason=body.reason,
            witness=body.witness,
            address=visitor.address,
            device=visitor.device,
            expires_at=found.expires_at,
        )
    )
    audit.record(session, audit.Act(user.username, _ACT, str(found.id)), 201, told)
    event = {
        "id": str(found.id),
        "username": user.username,
        "reason": body.reason,
        "witness": body.witness,
        "expires_at": found.expires_at.isoformat(),
    }
    outbox.enqueue(session, _ACT, event)
    outbox.wake(session, TELL, event, queue="allocation")
    return opened


def account(session: Session, broken_id: UUID, words: str, caller: Caller) -> BreakGlassView:
    """What another person found out about it; the same words again change nothing.

    Raises NotFound, Forbidden, Conflict.
    """
    broken = session.get(GlassBroken, broken_id, with_for_update=True)
    if broken is None:
        raise NotFound(f"没有应急登录 {broken_id}", f"There is no break-glass sign-in {broken_id}")
    current = session.get(UserSession, UUID(caller.session_id))
    if broken.username == caller.subject or current is None or current.break_glass:
        raise Forbidden(
            "须由本人以外、正常登录的人说明",
            "Another person must account for it, who has signed in as usual",
        )
    known = session.get(BreakGlassAccounted, (broken_id, caller.subject))
    if known and known.words != words:
        raise Conflict("你已就此作过说明", "You have accounted for it already, in other words")
    if not known:
        session.add(BreakGlassAccounted(break_glass_id=broken_id, by=caller.subject, words=words))
        session.flush()
        session.refresh(broken)
        audit.record(session, audit.Act(caller.subject, "break_glass.account", str(broken_id)), 200, words)
        left = view(broken).accounts_wanted
        outbox.enqueue(
            session, "break_glass.accounted", {"id": str(broken_id), "by": caller.subject, "left": left}
        )
    return view(broken)


def page(session: Session, all_of_them: bool) -> BreakGlassPage:
    """Those that still want words, or the newest of all."""
    query = select(GlassBroken).order_by(GlassBroken.at.desc(), GlassBroken.id).limit(_MOST)
    if not all_of_them:
        given = (
            select(func.count())
            .where(BreakGlassAccounted.break_glass_id == GlassBroken.id)
            .correlate(GlassBroken)
            .scalar_subquery()
        )
        query = query.where(given < ACCOUNTS)
    return BreakGlassPage(rows=[view(broken) for broken in session.scalars(query)])


def view(broken: GlassBroken) -> BreakGlassView:
    return BreakGlassView(
        id=broken.id,
        username=broken.username,
        reason=broken.reason,
        witness=broken.witness,
        address=broken.address,
        device=broken.device,
        at=broken.at,
        expires_at=broken.expires_at,
        accounts=[BreakGlassAccount(by=one.by, at=one.at, words=one.words) for one in broken.accounts],
        accounts_wanted=max(0, ACCOUNTS - len(broken.accounts)),
    )
