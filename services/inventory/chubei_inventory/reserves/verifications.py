"""Checks of what reserves promise: recorded once, never edited."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chubei_shared.contracts.reserves import Verification, VerificationPage, VerificationView
from chubei_shared.cursors import cursor_of, key_of
from chubei_shared.errors import Invalid, NotFound
from chubei_shared.outbox import enqueue
from chubei_shared.tokens import Caller
from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.fingerprint import fingerprint, other_content
from chubei_inventory.reserves import tables as rows

CLOCK_TOLERANCE = timedelta(minutes=10)
"""How far a clock may be ahead of the server's."""


def refuse_future(happened_at: datetime, field: str = "happened_at") -> None:
    """Raises Invalid for what has not happened yet."""
    if happened_at > datetime.now(UTC) + CLOCK_TOLERANCE:
        raise Invalid(
            f"{field} 在将来,请填实际发生的时间并校准时钟",
            f"{field} is in the future: say when it happened, and set the clock",
            errors=[{"field": field, "problem": "in the future", "remedy": "when it happened"}],
        )


def record(
    session: Session, reserve_id: str, body: Verification, caller: Caller
) -> tuple[VerificationView, bool]:
    """Record a check; the flag says whether it is new. Raises NotFound, Invalid, Conflict."""
    _must_exist(session, reserve_id)
    refuse_future(body.happened_at)
    values = {**body.model_dump(), "reserve_id": reserve_id}
    made = session.scalar(
        insert(rows.Verification)
        .values(**values, body_hash=fingerprint(body), recorded_by=caller.person)
        .on_conflict_do_nothing()
        .returning(rows.Verification.id)
    )
    known = session.get_one(rows.Verification, body.id)
    if (known.body_hash, known.reserve_id) != (fingerprint(body), reserve_id):
        raise other_content(body.id)
    if made is not None:
        news = {"reserve_id": reserve_id, "verification_id": str(body.id), "kind": body.kind}
        enqueue(session, "reserve.verified", news)
    return _view(known), made is not None


def page(session: Session, reserve_id: str, cursor: str | None, limit: int) -> VerificationPage:
    """The checks of a reserve, the latest first. Raises NotFound."""
    _must_exist(session, reserve_id)
    v = rows.Verification
    wanted = select(v).where(v.reserve_id == reserve_id).order_by(v.happened_at.desc(), v.id.desc())
    if after := key_of(cursor, datetime.fromisoformat, UUID):
        wanted = wanted.where(tuple_(v.happened_at, v.id) < tuple_(*after))
    found = list(session.scalars(wanted.limit(limit + 1)))
    last = found[limit - 1] if len(found) > limit else None
    return VerificationPage(
        rows=[_view(row) for row in found[:limit]],
        next_cursor=last and cursor_of(last.happened_at.isoformat(), last.id),
    )


def _must_exist(session: Session, reserve_id: str) -> None:
    if session.get(tables.Reserve, reserve_id) is None:
        raise NotFound(f"没有储备记录 {reserve_id}", f"There is no reserve {reserve_id}")


def _view(row: rows.Verification) -> VerificationView:
    return VerificationView.model_validate(
        {name: getattr(row, name) for name in VerificationView.model_fields}
    )
