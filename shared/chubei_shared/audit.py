"""Who decided what, when, with which outcome: a row is written with its act, refused ones too, and sealed later.

A service notes what its routes do (`Recorded`): the row of what was done stands in the transaction that did it, that
of a refusal in one of its own. The gateway names its own acts (`record`).
"""

from collections.abc import Callable
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Session

from chubei_shared.db import Transactions
from chubei_shared.seals import Source
from chubei_shared.telemetry import request_id

P = ParamSpec("P")
T = TypeVar("T")

SOURCE = Source(
    "audit",
    "SELECT id, xact, at, json_build_array(id, at, subject, act, target, outcome, request_id, reason)::text AS told "
    "FROM audit",
)


class Act(NamedTuple):
    """What someone does by a request."""

    subject: str
    act: str
    """The method and the route's path, such as POST /v1/holds."""
    target: str
    """The path that was asked for."""


def table(metadata: MetaData) -> Table:
    """Define the audit's table in a service's metadata."""
    return Table(
        "audit",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("subject", Text, nullable=False),
        Column("act", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("outcome", SmallInteger, nullable=False),
        Column("request_id", Text, nullable=False),
        Column("reason", Text, nullable=False, server_default=text("''")),
        Column("xact", BigInteger, nullable=False, server_default=text("pg_current_xact_id()::text::bigint")),
        Index("audit_subject", "subject", "id"),
        Index("audit_act", "act", "id"),
        Index("audit_xact", "xact", "id"),
    )


_ADD = text(
    "INSERT INTO audit (subject, act, target, outcome, request_id, reason) "
    "SELECT :subject, :act, :target, :outcome, :request_id, :reason "
)
_ADD_IF_WRITTEN = text(f"{_ADD.text} WHERE pg_current_xact_id_if_assigned() IS NOT NULL")


def record(session: Session, act: Act, outcome: int = 200, reason: str = "") -> None:
    """Add one act of this request; `outcome` is an HTTP status, `reason` why it was refused."""
    session.execute(_ADD, _values(act, outcome, reason))


def _values(act: Act, outcome: int, reason: str) -> dict[str, object]:
    told = act._replace(target=act.target.replace("\0", "%00"))
    return {
        **told._asdict(),
        "outcome": outcome,
        "request_id": request_id.get() or "-",
        "reason": reason.replace("\0", ""),
    }


class Recorded(Transactions):
    """Transactions that note the request's act, each with what it wrote; one that only reads notes nothing."""

    def __init__(self, plain: Transactions, act: Callable[[], Act | None]) -> None:
        self._sessions, self._act = plain._sessions, act

    def __call__(self, verb: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        act = self._act()

        def noted(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
            answer = verb(session, *args, **kwargs)
            if act is not None:
                session.flush()
                session.execute(_ADD_IF_WRITTEN, _values(act, 200, ""))
            return answer

        return super().__call__(noted, *args, **kwargs)
