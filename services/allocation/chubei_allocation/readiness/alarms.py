"""Verbs on alarms: readiness below target, a date that comes near, a night without a result. Each is raised once.

An alarm stands until its reason is gone: the same state is not told again every night, and what was mended and breaks
again is. Its key says what the state is.
"""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

from chubei_shared import outbox
from chubei_shared.contracts.readiness import Alarm as AlarmView
from chubei_shared.contracts.readiness import AlarmPage
from chubei_shared.contracts.readiness_settings import ReadinessSettings, Targets
from chubei_shared.errors import NotFound
from chubei_shared.telemetry import log
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_allocation import pages
from chubei_allocation.notices import notices
from chubei_allocation.readiness import runs, settings
from chubei_allocation.readiness.tables import Alarm, Run
from chubei_allocation.scenarios import Json

_ALARMS = UUID("2f8b1c0a-94a7-5f0e-8f53-77b1ad30c5e9")


def judge(session: Session, night: date, summary: Json, before: Json | None, of: ReadinessSettings) -> None:
    """Raise what a finished check gives reason for and the one before it did not."""
    if _below(summary, of) and not (before and _below(before, of)):
        served, people = summary["served"], summary["people"]
        _raise(
            session,
            f"below_target/{night}",
            "below_target",
            night,
            of,
            f"12 小时救助保障率低于目标:{served}/{people} 人(目标 {of.targets.alarm_below_share:.0%})",
            f"readiness is below target: {served} of {people} people (target {of.targets.alarm_below_share:.0%})",
        )
    first = _near(summary, night, of)
    if first and first != (before and _near(before, night, of)):
        days = (first - night).days
        _raise(
            session,
            f"date_near/{first}",
            "date_near",
            night,
            of,
            f"{first} 起保障任务不能完成(还有 {days} 天),原因与补救见日报",
            f"from {first} on ({days} days) the duty is not kept: the daily page says why, and what mends it",
        )


def raise_if_missing(session: Session, now: datetime) -> bool:
    """Whether the night's result is not there by 06:00 in China; then the alarm is raised, once a night."""
    night = runs.night_of(now)
    if not runs.is_due(session, now, runs.BY_HOUR):
        return False
    if session.scalar(select(Run.id).where(Run.night == night, Run.status == "done").limit(1)):
        return False
    _raise(
        session,
        f"no_result/{night}",
        "no_result",
        night,
        settings.show(session).settings,
        f"{night} 夜间保障检查到 6 时仍无结果:查看后台任务(chubei status)",
        f"the readiness check of the night of {night} has no result by 06:00: look at the workers (chubei status)",
    )
    return True


def _below(summary: Json, of: ReadinessSettings) -> bool:
    return bool(summary["served"] < of.targets.alarm_below_share * summary["people"])


def _near(summary: Json, night: date, of: ReadinessSettings) -> date | None:
    """The first date, where it is near; a duty that is not kept today is below its target, and told as such."""
    if summary["first_date"] is None:
        return None
    first = date.fromisoformat(summary["first_date"])
    return first if night < first <= night + timedelta(days=of.targets.alarm_within_days) else None


def _raise(
    session: Session, key: str, kind: str, night: date, of: ReadinessSettings, zh: str, en: str
) -> None:
    post = of.targets.post
    alarm_id = uuid5(_ALARMS, key)
    new = session.execute(
        insert(Alarm)
        .values(
            id=alarm_id, dedup_key=key, kind=kind, night=night, post=post, zh=zh, en=en,
            raised_at=datetime.now(UTC),
        )
        .on_conflict_do_nothing()
        .returning(Alarm.id)
    ).one_or_none()  # fmt: skip
    if new is not None:
        body = {
            "alarm_id": str(alarm_id),
            "kind": kind,
            "night": str(night),
            "post": post,
            "zh": zh,
            "en": en,
        }
        outbox.enqueue(session, "readiness.alarm", body)
        _tell(session, key, of.targets, zh, en)


def _tell(session: Session, key: str, targets: Targets, zh: str, en: str) -> None:
    """To the post that the settings name. Where nobody keeps that post yet, the alarm stands in its list alone."""
    try:
        notices.tell(
            session,
            targets.post,
            "保障告警 / readiness alarm",
            zh,
            en,
            f"readiness/{key}",
            ack_within_min=targets.ack_within_min,
        )
    except NotFound:
        log.warning("nobody is told of a readiness alarm", extra={"post": targets.post, "alarm": key})


def listed(session: Session, cursor: str | None, limit: int) -> AlarmPage:
    """The latest first."""
    found, following = pages.latest(session, select(Alarm), Alarm.raised_at, Alarm.id, cursor, limit)
    rows = [
        AlarmView.model_validate(
            {"id": r.id, "kind": r.kind, "night": r.night, "zh": r.zh, "en": r.en, "raised_at": r.raised_at}
        )
        for r in found
    ]
    return AlarmPage(rows=rows, next_cursor=following)
