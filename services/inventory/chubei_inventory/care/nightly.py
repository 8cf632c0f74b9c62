"""The nightly run: what is due gets its task, what is no longer due loses it.

It judges by the books as they are, so it may run as often as anybody likes: a second run of a night finds its tasks
open, and the run after a missed night opens what that one would have. Beat wakes it every hour; the first after
one o'clock that finds no row for today runs.
"""

from datetime import UTC, date, datetime, timedelta

from chubei_shared.china import CHINA, day
from chubei_shared.contracts.care import CareKind, CareRun
from chubei_shared.errors import NotFound
from chubei_shared.outbox import enqueue
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from chubei_inventory.care import due, tables, tasks
from chubei_inventory.care.tables import Run

FROM_HOUR = 1
_LOCK = 7_201_130  # advisory lock: runs one after the other
_HORIZON = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
# What came in since the run before, by the transactions that it could not see: late commits are not missed.
_CAME = text(
    """
    INSERT INTO care_stock AS s (account, lot_id, came_on)
    SELECT e.place_id, e.lot_id, min((m.occurred_at AT TIME ZONE INTERVAL '8 hours')::date)
    FROM movement m JOIN entry e ON e.movement_seq = m.seq JOIN place p ON p.id = e.place_id
    WHERE m.xact >= :since AND e.quantity > 0 AND p.state IN ('shelf', 'sealed', 'module')
    GROUP BY e.place_id, e.lot_id ORDER BY 1, 2
    ON CONFLICT (account, lot_id) DO UPDATE SET came_on = least(s.came_on, excluded.came_on)
    WHERE s.came_on > excluded.came_on
    """
)


def run_if_due(session: Session, now: datetime) -> CareRun | None:
    """Run once for the night that `now` is in; None where it has run, or it is too early."""
    today = day(now)
    _alone(session)
    if now.astimezone(CHINA).hour < FROM_HOUR or session.get(Run, today) is not None:
        return None
    return run(session, now)


def run(session: Session, now: datetime) -> CareRun:
    """Open and lapse tasks by the books as they are at `now`."""
    _alone(session)
    today = day(now)
    since = session.scalar(select(func.max(Run.horizon))) or 0
    horizon = session.scalar(_HORIZON)
    session.execute(_CAME, {"since": since})
    opened, lapsed = {}, {}
    for kind in CareKind:
        rule = session.get_one(tables.Rule, kind)
        rows = due.rows(session, rule, today, today + timedelta(days=rule.ahead_days), {})
        lapsed[kind.value] = tasks.lapse(session, rule, rows)
        opened[kind.value] = tasks.open_for(session, rule, rows, today)
    made = session.get(Run, today) or Run(on=today, opened={}, lapsed={})
    made.ran_at, made.horizon = now, horizon
    made.opened, made.lapsed = _sum(made.opened, opened), _sum(made.lapsed, lapsed)
    session.add(made)
    session.flush()
    news = {"on": str(today), "opened": sum(opened.values()), "lapsed": sum(lapsed.values())}
    enqueue(session, "care.run", news)
    return _view(made)


def _sum(before: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return {kind: before.get(kind, 0) + units for kind, units in more.items()}


def _alone(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def get(session: Session, on: date | None) -> CareRun:
    """A night's run, by default the last. Raises NotFound."""
    wanted = select(Run).order_by(Run.on.desc()).limit(1)
    found = session.scalar(wanted if on is None else wanted.where(Run.on == on))
    if found is None:
        raise NotFound("还没有这一晚的核查", "There has been no such run: POST /v1/care/runs")
    return _view(found)


def _view(made: Run) -> CareRun:
    return CareRun(on=made.on, ran_at=made.ran_at.astimezone(UTC), opened=made.opened, lapsed=made.lapsed)
