"""Verbs on checks: asked for once a night, by hand, or after a large change; their parts; how far they are."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from chubei_shared import jobs, outbox
from chubei_shared.china import CHINA, day
from chubei_shared.contracts.readiness import Progress, RunPage, RunRequest, RunView
from chubei_shared.contracts.readiness_settings import ReadinessSettings
from chubei_shared.errors import Conflict, NotFound
from chubei_shared.tokens import Caller
from sqlalchemy import CursorResult, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, undefer

from chubei_allocation import locks, pages
from chubei_allocation import tables as house
from chubei_allocation.readiness import draws, losses, moves, settings, standing
from chubei_allocation.readiness.inputs import Inputs
from chubei_allocation.readiness.tables import Part, Run
from chubei_allocation.scenarios import Json

GO_ON = "chubei_allocation.tasks.readiness"
QUEUE = "readiness"
FROM_HOUR = 2
"""When a night's check is made, in China."""
BY_HOUR = 6
"""By when it has to be there."""
AT_ONCE = 20
"""Parts that a worker claims together."""
LEASE = timedelta(seconds=30)
_MOST_TRIES = 5  # of a part whose worker dies: it may be the part that kills it
_NIGHTS = UUID("9d9a1e0e-6f0c-5a3b-8b1e-2f8a7b1c4d22")
_PUTS = ("PUT /v1/network", "PUT /v1/district")
_OPEN = sorted(moves.OPEN)


def night_of(now: datetime) -> date:
    return day(now)


def ask(session: Session, body: RunRequest, caller: Caller, now: datetime | None = None) -> RunView:
    """A check now, beside the nightly one. Raises Conflict."""
    locks.one_at_a_time(session, body.id)
    asked = body.model_dump(mode="json")
    if known := session.get(Run, body.id):
        if known.body != asked:
            raise Conflict(
                f"编号 {body.id} 已用于另一次检查,请换新编号",
                f"Id {body.id} is another check's: mint a new one",
            )
        return view(session, known)
    if session.get(house.District, True) is None:
        raise Conflict(
            "尚未录入区情,请先录入(chubei seed)",
            "The district is not known yet: put /v1/district first (chubei seed)",
        )
    moment = now or datetime.now(UTC)
    return view(
        session, _begin(session, body.id, night_of(moment), "asked", caller.person, asked, body.draws)
    )


def ask_for_night(session: Session, now: datetime) -> Run | None:
    """The night's check, if it is time and nobody has asked for it: beat, the sweeper and a start may all say so."""
    night = night_of(now)
    if not is_due(session, now, FROM_HOUR):
        return None
    run_id = uuid5(_NIGHTS, night.isoformat())
    locks.one_at_a_time(session, run_id)
    if session.get(Run, run_id) is not None:
        return None
    return _begin(session, run_id, night, "nightly", "chubei", {}, None)


def is_due(session: Session, now: datetime, hour: int) -> bool:
    """Whether it is past an hour of the night, in a house that knew its district when the check was to begin.

    Who puts a district in by day is not told that last night's check is missing.
    """
    local = now.astimezone(CHINA)
    begin = local.replace(hour=FROM_HOUR, minute=0, second=0, microsecond=0)
    if local.hour < hour or session.get(house.District, True) is None:
        return False
    audited = house.audit_table.c
    since = session.scalar(select(func.min(audited.at)).where(audited.act.in_(_PUTS), audited.outcome < 400))
    return since is not None and since < begin


def ask_after_change(session: Session, now: datetime) -> Run | None:
    """A check between the nights, unless one is under way."""
    if session.scalar(select(Run.id).where(Run.status.in_(_OPEN)).limit(1)):
        return None
    return _begin(session, uuid4(), night_of(now), "changed", "chubei", {}, None)


def _begin(
    session: Session, run_id: UUID, night: date, reason: str, by: str, body: Json, wanted: int | None
) -> Run:
    judged_by = settings.show(session).settings
    run = Run(
        id=run_id,
        night=night,
        reason=reason,
        asked_by=by,
        status=jobs.QUEUED,
        body=body,
        draws=judged_by.effort.draws if wanted is None else wanted,
        stage=0,
        woken_at=datetime.now(UTC),
        settings=judged_by.model_dump(mode="json"),
    )
    session.add(run)
    session.flush()
    wake(session, run_id)
    return run


def wake(session: Session, run_id: UUID) -> None:
    outbox.wake(session, GO_ON, str(run_id), queue=QUEUE)


# What there is to do


def settings_of(run: Run) -> ReadinessSettings:
    return ReadinessSettings.model_validate(run.settings)


def plan_parts(run_id: UUID, inputs: Inputs, of: ReadinessSettings) -> list[Json]:
    """The base plans: for each standing scenario basic relief, and the whole kit. Raises Unplannable."""
    rows = []
    for one in of.standing:
        standing.scenario_of(
            one, shift_of(of, one.shift), inputs.network, inputs.snapshot
        )  # or it is refused
        rows += [_part(run_id, f"{kind}/{one.id}", kind, one.id, 0, {}) for kind in ("base", "whole")]
    return rows


def following_parts(run: Run, inputs: Inputs, of: ReadinessSettings) -> list[Json]:
    """All that starts from the base plans: losses, first dates, draws."""
    rows = []
    for one in of.standing:
        scenario = standing.scenario_of(one, shift_of(of, one.shift), inputs.network, inputs.snapshot)
        for loss in losses.all_losses(scenario, of):
            spec = loss.model_dump(mode="json")
            rows.append(_part(run.id, f"loss/{one.id}/{loss.id}", "loss", one.id, 1, spec))
        rows.append(_part(run.id, f"date/{one.id}", "date", one.id, 1, {}))
    for number in range(run.draws):
        one = draws.standing_of(of, number)
        rows.append(_part(run.id, f"draw/{number:06}", "draw", one.id, 1, {"number": number}))
    return rows


def shift_of(of: ReadinessSettings, name: str) -> Any:
    return next(shift for shift in of.shifts if shift.id == name)


def _part(run_id: UUID, key: str, kind: str, standing_id: str, stage: int, spec: Json) -> Json:
    return {
        "run_id": run_id, "key": key, "kind": kind, "standing_id": standing_id, "stage": stage, "spec": spec,
        "status": jobs.QUEUED, "attempts": 0,
    }  # fmt: skip


def put_parts(session: Session, rows: Iterable[Json]) -> None:
    """Putting the same parts again changes nothing."""
    if found := list(rows):
        session.execute(insert(Part).on_conflict_do_nothing(), found)


def claim_parts(session: Session, run_id: UUID) -> list[Part]:
    """Up to AT_ONCE parts that nobody works on, now ours; the same claim is on all of them."""
    now = datetime.now(UTC)
    free = or_(
        Part.status == jobs.QUEUED, and_(Part.status == jobs.RUNNING, jobs.run_out(Part.lease_until, now))
    )
    wanted = (
        select(Part.key)
        .where(Part.run_id == run_id, free)
        .order_by(Part.kind, Part.key)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    keys = list(session.scalars(wanted))
    if not keys:
        return []
    taken = session.scalars(
        update(Part)
        .where(Part.run_id == run_id, Part.key.in_(keys))
        .values(status=jobs.RUNNING, claim=uuid4(), lease_until=now + LEASE, attempts=Part.attempts + 1)
        .returning(Part)
    )
    return sorted(taken, key=lambda part: part.key)


def renew_parts(session: Session, run_id: UUID, claim: UUID | None) -> bool:
    """Whether any of them is still ours."""
    return _written(
        session.execute(
            update(Part)
            .where(Part.run_id == run_id, Part.claim == claim, Part.status == jobs.RUNNING)
            .values(lease_until=datetime.now(UTC) + LEASE)
        )
    )


def finish_part(session: Session, part: Part, outcome: Json | None, error: str | None) -> bool:
    """Store an answer, if the part is still ours."""
    return _written(
        session.execute(
            update(Part)
            .where(
                Part.run_id == part.run_id,
                Part.key == part.key,
                Part.claim == part.claim,
                Part.status == jobs.RUNNING,
            )
            .values(
                status=jobs.FAILED if outcome is None else jobs.DONE,
                outcome=outcome,
                error=error,
                lease_until=None,
            )
        )
    )


def tried_too_often(part: Part) -> bool:
    return part.attempts > _MOST_TRIES


def _written(result: Any) -> bool:
    done: CursorResult[Any] = result
    return bool(done.rowcount)


def open_parts(session: Session, run_id: UUID, stage: int) -> tuple[int, int]:
    """Parts of a stage that are not over, and those of them that a worker can take now."""
    now = datetime.now(UTC)
    free = or_(Part.status == jobs.QUEUED, jobs.run_out(Part.lease_until, now))
    left, waiting = session.execute(
        select(func.count(), func.count().filter(free)).where(
            Part.run_id == run_id, Part.stage == stage, Part.status.in_(_OPEN)
        )
    ).one()
    return left, waiting


def stranded(session: Session, after: timedelta) -> list[UUID]:
    """Checks that nobody goes on with: to be woken. The same one is told again only after `after`."""
    now = datetime.now(UTC)
    at_work = (
        select(Part.key)
        .where(Part.run_id == Run.id, Part.status == jobs.RUNNING, ~jobs.run_out(Part.lease_until, now))
        .exists()
    )
    found = session.scalars(
        select(Run)
        .where(
            Run.status.in_(_OPEN),
            jobs.long_ago(Run.woken_at, after, now),
            or_(Run.lease_until.is_(None), jobs.run_out(Run.lease_until, now)),
            ~at_work,
        )
        .order_by(Run.created_at)
        .limit(10)
        .with_for_update(skip_locked=True)
    ).all()
    for run in found:
        run.woken_at = now
    return [run.id for run in found]


# What is shown


def get(session: Session, run_id: UUID, *columns: Any) -> Run:
    run = session.get(Run, run_id, options=[undefer(column) for column in columns], populate_existing=True)
    if run is None:
        raise NotFound(f"没有检查 {run_id}", f"There is no check {run_id}")
    return run


def show(session: Session, run_id: UUID) -> RunView:
    return view(session, get(session, run_id))


def listed(session: Session, cursor: str | None, limit: int) -> RunPage:
    """The latest first."""
    found, following = pages.latest(session, select(Run), Run.created_at, Run.id, cursor, limit)
    return RunPage(rows=_views(session, found), next_cursor=following)


def view(session: Session, run: Run) -> RunView:
    return _views(session, [run])[0]


def _views(session: Session, found: list[Run]) -> list[RunView]:
    counted = session.execute(
        select(Part.run_id, func.count(), func.count().filter(Part.status.not_in(_OPEN)))
        .where(Part.run_id.in_([run.id for run in found]))
        .group_by(Part.run_id)
    )
    progress = {run_id: Progress(done=done, total=total) for run_id, total, done in counted}
    return [
        RunView.model_validate(
            {
                "id": run.id,
                "night": run.night,
                "reason": run.reason,
                "asked_by": run.asked_by,
                "status": run.status,
                "created_at": run.created_at,
                "finished_at": run.finished_at,
                "error": run.error,
                "progress": progress.get(run.id, Progress(done=0, total=0)),
                **_BLANK,
                **(run.summary or {}),
            },
            strict=False,
        )
        for run in found
    ]


_BLANK: Json = dict.fromkeys(("verdict", "people", "served", "chance", "first_date"))
