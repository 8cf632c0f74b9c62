"""The verb: a person whom the identity provider vouches for gets a session, if they have an account here."""

from chubei_shared.tokens import Role
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_gateway import audit, sessions
from chubei_gateway.oidc.provider import Proved
from chubei_gateway.sessions import Opened, Refused, Visitor
from chubei_gateway.tables import User

_GUARDED = {Role.APPROVER, Role.ADMIN}


def sign_in(
    session: Session, proved: Proved, visitor: Visitor, second_factor_required: bool
) -> Opened | Refused:
    """Open a session. Nobody gets an account by this: an administrator makes it, with the provider's name for them.

    Whoever would need a second factor here needs one there.
    """
    of_name = func.lower(User.username) == proved.username.lower()
    user = session.scalar(select(User).where(of_name, ~User.disabled).with_for_update())
    if user is None:
        audit.record(session, "?", "session.oidc", f"{visitor.address} ({proved.username[:80]})", 401)
        return Refused.PASSWORD
    needed = sessions.has_second_factor(session, user.username) or (
        second_factor_required and not _GUARDED.isdisjoint(user.roles)
    )
    if needed and not proved.strong:
        audit.record(session, user.username, "session.oidc", visitor.address, 403)
        return Refused.CODE_MISSING
    opened = sessions.begin(session, user, visitor, oidc=True)
    audit.record(session, user.username, "session.oidc", str(opened.session_id))
    return opened
