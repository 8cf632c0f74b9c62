"""Verbs over people: who there is, what each may do, and their passwords (as hashes, made outside)."""

from typing import Final
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.identity import (
    FirstAccount,
    NewUser,
    PersonNames,
    UserPage,
    UserUpdate,
    UserView,
)
from chubei_shared.errors import Conflict, NotFound, Unauthorized
from chubei_shared.settings import SERVICES
from chubei_shared.tokens import Caller, Role
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from chubei_gateway import audit, sessions
from chubei_gateway.second_factor import factors
from chubei_gateway.tables import User, UserSession

FIRST: Final = "admin"


def ensure_first_account(session: Session, password_hash: str) -> bool:
    """Create `admin` where there is nobody; whether it did."""
    _one_writer(session)
    if anybody(session):
        return False
    session.add(
        User(
            username=FIRST,
            display_name="管理员 / Administrator",
            roles=[Role.ADMIN],
            places=[],
            password_hash=password_hash,
            must_change_password=True,
            disabled=False,
        )
    )
    audit.record(session, "gateway", "user.create", FIRST, 201)
    return True


def anybody(session: Session) -> bool:
    return session.scalar(select(User.username).limit(1)) is not None


def first_account(session: Session) -> FirstAccount:
    """The account a new house starts with. Raises NotFound before it is made."""
    user = session.get(User, FIRST)
    if user is None:
        raise NotFound("还没有初始账户", "There is no first account")
    return FirstAccount(username=user.username, must_change_password=user.must_change_password)


def credentials(session: Session, username: str) -> tuple[str, str] | None:
    """The username as it is written, and the password's hash, of a person who may sign in."""
    row = session.execute(
        select(User.username, User.password_hash).where(
            func.lower(User.username) == username.lower(), ~User.disabled
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


def replace_hash(session: Session, username: str, old_hash: str, new_hash: str) -> None:
    """Store the same password hashed with today's parameters."""
    session.execute(
        update(User)
        .where(User.username == username, User.password_hash == old_hash)
        .values(password_hash=new_hash)
    )


def change_password(session: Session, caller: Caller, right_hash: str, new_hash: str) -> sessions.Opened:
    """Set the caller's own password; the other sessions end, this one goes on with what is returned.

    Raises Conflict when the password was changed meanwhile, Unauthorized when the session is over.
    """
    user = session.get_one(User, caller.subject, with_for_update=True)
    if user.password_hash != right_hash:
        raise Conflict("密码刚被修改,请重新登录", "The password was just changed: sign in again")
    current = session.get(UserSession, UUID(caller.session_id), with_for_update=True)
    if current is None or current.revoked_at is not None:
        raise Unauthorized("此次登录已被撤销", "This session has been revoked: sign in again")
    user.password_hash, user.must_change_password = new_hash, False
    sessions.end_all(session, user.username, but=current.id)
    audit.record(session, user.username, "password.change", user.username)
    return sessions.renewed(session, user, current)


def create_user(session: Session, new: NewUser, password_hash: str, caller: Caller) -> UserView:
    """Raises Conflict when the name is taken, in any case; services' names and those of guests are taken, too."""
    _one_writer(session)
    taken = session.scalar(select(User.username).where(func.lower(User.username) == new.username.lower()))
    if taken or new.username.lower() in SERVICES or new.username.lower().startswith("guest:"):
        raise Conflict(
            f"用户名 {new.username} 已被占用,请另选", f"The username {new.username} is taken: choose another"
        )
    user = User(
        username=new.username,
        display_name=new.display_name,
        roles=list(new.roles),
        places=sorted(set(new.places)),
        password_hash=password_hash,
        must_change_password=True,
        disabled=False,
    )
    session.add(user)
    session.flush()
    _changed(session, caller, "user.create", user.username, 201)
    return _view(user, second_factor=False)


def update_user(
    session: Session, username: str, change: UserUpdate, password_hash: str | None, caller: Caller
) -> UserView:
    """Change what is given. Anything but a new display name ends the person's sessions, whose tokens say otherwise.

    Raises NotFound, and Conflict rather than leave nobody who can administer.
    """
    admins = session.scalars(
        select(User)
        .where(User.roles.contains([Role.ADMIN]), ~User.disabled)
        .order_by(User.username)
        .with_for_update()
    ).all()
    user = session.get(User, username, with_for_update=True)
    if user is None:
        raise NotFound(f"没有用户 {username}", f"There is no user {username}")
    given = change.model_dump(exclude_none=True, exclude={"password"})
    for field, value in given.items():
        setattr(user, field, value)
    if password_hash:
        user.password_hash, user.must_change_password = password_hash, True
    if user in admins and not any(Role.ADMIN in a.roles and not a.disabled for a in admins):
        raise Conflict(
            "至少要留一位可登录的管理员,请先指定另一位",
            "One administrator must be left: appoint another one first",
        )
    if password_hash or given.keys() - {"display_name"}:
        sessions.end_all(session, username)
    what = ",".join(sorted(given) + (["password"] if password_hash else []))
    _changed(session, caller, "user.update", f"{username} ({what})", 200)
    return _view(user, sessions.has_second_factor(session, username))


def user(session: Session, username: str) -> UserView:
    """Raises NotFound."""
    found = session.get(User, username)
    if found is None:
        raise NotFound(f"没有用户 {username}", f"There is no user {username}")
    return _view(found, sessions.has_second_factor(session, username))


def names(session: Session, usernames: list[str]) -> PersonNames:
    """Of those who have an account, also one that is closed."""
    found = session.execute(select(User.username, User.display_name).where(User.username.in_(usernames)))
    return PersonNames(names=dict(row.tuple() for row in found))


def page(session: Session, after: str | None, limit: int) -> UserPage:
    """People by username."""
    query = select(User).order_by(User.username).limit(limit + 1)
    if after is not None:
        query = query.where(User.username > after)
    found = session.scalars(query).all()
    enrolled = factors.enrolled(session, (u.username for u in found))
    return UserPage(
        rows=[_view(u, u.username in enrolled) for u in found[:limit]],
        next_cursor=found[limit - 1].username if len(found) > limit else None,
    )


def _view(user: User, second_factor: bool) -> UserView:
    return UserView(
        username=user.username,
        display_name=user.display_name,
        roles=[Role(role) for role in user.roles],
        places=user.places,
        disabled=user.disabled,
        must_change_password=user.must_change_password,
        second_factor=second_factor,
        created_at=user.created_at,
    )


def _one_writer(session: Session) -> None:
    """Nobody else adds people until the commit, so that who looked for a name may take it."""
    session.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))


def _changed(session: Session, caller: Caller, act: str, target: str, outcome: int) -> None:
    username = target.partition(" ")[0]
    audit.record(session, caller.subject, act, target, outcome)
    outbox.enqueue(session, "user.changed", {"username": username})
