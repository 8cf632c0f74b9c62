"""PURE: what may become of an exercise and of an inject; the score. The tables are the rule."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from chubei_shared.contracts.exercises import ExerciseStatus, HourScore, InjectStatus, Mark, Score

MOVES: dict[ExerciseStatus, frozenset[ExerciseStatus]] = {
    ExerciseStatus.RUNNING: frozenset({ExerciseStatus.CONCLUDED, ExerciseStatus.CANCELLED}),
    ExerciseStatus.CONCLUDED: frozenset(),
    ExerciseStatus.CANCELLED: frozenset(),
}
INJECTS: dict[InjectStatus, frozenset[InjectStatus]] = {
    InjectStatus.WAITING: frozenset({InjectStatus.PLAYED, InjectStatus.FAILED, InjectStatus.SKIPPED}),
    InjectStatus.PLAYED: frozenset(),
    InjectStatus.FAILED: frozenset(),
    InjectStatus.SKIPPED: frozenset(),
}
"""What they may become."""
HOURS: Final = (2, 4, 6, 10, 12)
YEARLY: Final = 1
YEARLY_SOURCE: Final = (
    "DB11/T 2010-2022《救灾物资储备管理规范》第 6 章:每年演练 / DB11/T 2010-2022, Management specification of relief "
    "reserve supplies, chapter 6: drills yearly"
)

_OF: Final = {"served": 60, "deciding": 15, "tasks": 15, "papers": 10}
_DECIDED_WITHIN_MIN, _DECIDED_TOO_LATE_MIN = 30, 120
_PER_PAPER = 2


class Played(NamedTuple):
    """What an exercise is scored by."""

    people: int
    planned_by_hour: Sequence[int]
    served_by_hour: Sequence[int]
    decide_min: int | None
    tasks: int
    tasks_in_time: int
    papers_wrong: int
    papers_late: int


def score(played: Played) -> Score:
    """Out of 100. Without tasks their part counts in full: nothing was asked of anybody."""
    hours = [
        HourScore(hour=hour, planned=played.planned_by_hour[hour], served=played.served_by_hour[hour])
        for hour in HOURS
        if hour < len(played.planned_by_hour)
    ]
    marks = [_served(hours), _deciding(played.decide_min), _tasks(played), _papers(played)]
    return Score(
        people=played.people,
        hours=hours,
        decide_min=played.decide_min,
        tasks=played.tasks,
        tasks_in_time=played.tasks_in_time,
        papers_wrong=played.papers_wrong,
        papers_late=played.papers_late,
        marks=marks,
        points=round(sum(mark.points for mark in marks), 1),
        of=sum(_OF.values()),
    )


def counts(status: ExerciseStatus, decide_min: int | None) -> bool:
    """Whether an exercise counts for the duty of the year: it was led to its end, and something was decided in it."""
    return status is ExerciseStatus.CONCLUDED and decide_min is not None


def _served(hours: Sequence[HourScore]) -> Mark:
    """The mean over the hours for which the plan had somebody served; no more than planned counts."""
    shares = [min(1.0, hour.served / hour.planned) for hour in hours if hour.planned]
    share = sum(shares) / len(shares) if shares else 0.0
    return _mark("served", share, "按时救助人数与方案之比", "people served by the hours, against the plan")


def _deciding(minutes: int | None) -> Mark:
    span = _DECIDED_TOO_LATE_MIN - _DECIDED_WITHIN_MIN
    late = 1.0 if minutes is None else min(1.0, max(0, minutes - _DECIDED_WITHIN_MIN) / span)
    return _mark(
        "deciding",
        1 - late,
        f"{_DECIDED_WITHIN_MIN} 分钟内批准得满分,{_DECIDED_TOO_LATE_MIN} 分钟后不得分",
        f"approved within {_DECIDED_WITHIN_MIN} minutes, nothing after {_DECIDED_TOO_LATE_MIN}",
    )


def _tasks(played: Played) -> Mark:
    share = played.tasks_in_time / played.tasks if played.tasks else 1.0
    return _mark("tasks", share, "按时签收的任务", "tasks acknowledged in time")


def _papers(played: Played) -> Mark:
    lost = _PER_PAPER * (played.papers_wrong + played.papers_late) / _OF["papers"]
    return _mark(
        "papers",
        max(0.0, 1 - lost),
        f"每份错、迟单据扣 {_PER_PAPER} 分",
        f"{_PER_PAPER} off for each that is wrong or late",
    )


def _mark(part: str, share: float, zh: str, en: str) -> Mark:
    return Mark.model_validate(
        {"part": part, "zh": zh, "en": en, "points": round(_OF[part] * share, 1), "of": _OF[part]}
    )
