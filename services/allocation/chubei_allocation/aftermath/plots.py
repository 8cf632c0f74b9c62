"""PURE: plots as the coordinates that a template draws in SVG; no scripts, no library."""

from collections.abc import Sequence
from typing import NamedTuple

from chubei_shared.contracts.aftermath import PhaseMinutes, TripAccount

WIDTH, HEIGHT, ROW = 640, 180, 16


class Bar(NamedTuple):
    """A bar from x on, with the planned one under it; `label` says what it is."""

    label: str
    y: int
    x: float
    width: float
    planned_x: float
    planned_width: float
    value: str


class Tick(NamedTuple):
    x: float
    label: str


def steps(minutes: Sequence[int], values: Sequence[int], last_min: int, most: int) -> str:
    """The points of a polyline that keeps each value until the next minute."""
    points: list[str] = []
    before: float | None = None
    for minute, value in zip(minutes, values, strict=False):
        x, y = _x(minute, last_min), HEIGHT * (1 - value / max(1, most))
        if before is not None:
            points.append(f"{x:.1f},{before:.1f}")
        points.append(f"{x:.1f},{y:.1f}")
        before = y
    return " ".join(points)


def hours(last_min: int) -> list[Tick]:
    return [
        Tick(_x(minute, last_min), f"{minute // 60} h") for minute in range(0, last_min + 1, _every(last_min))
    ]


def _every(last_min: int) -> int:
    """Whole hours between ticks, twelve of them at most."""
    return 60 * max(1, -(-last_min // (60 * 12)))


def phases(rows: Sequence[PhaseMinutes]) -> list[Bar]:
    most = max((max(row.minutes, row.planned or 0) for row in rows), default=0)
    return [
        Bar(
            f"{row.zh} {row.en}",
            n * ROW,
            200,
            _wide(row.minutes, most, 380),
            200,
            _wide(row.planned or 0, most, 380),
            str(row.minutes),
        )
        for n, row in enumerate(rows)
    ]


def trips(rows: Sequence[TripAccount], last_min: int) -> list[Bar]:
    """Each trip from its start to its end, as planned and as reported."""
    return [
        Bar(
            f"{row.number} {row.vehicle}",
            n * ROW,
            150 + _x(row.start_min or 0, last_min, 480),
            _x(max(0, (row.end_min or row.start_min or 0) - (row.start_min or 0)), last_min, 480),
            150 + _x(row.planned_start_min, last_min, 480),
            _x(row.planned_end_min - row.planned_start_min, last_min, 480),
            "" if row.late_min is None else f"{row.late_min:+d}",
        )
        for n, row in enumerate(rows)
    ]


def last_minute(rows: Sequence[TripAccount], deadline_min: int) -> int:
    """Where the plots end: the deadline, or the last thing that happened to a trip."""
    return max([deadline_min, *(max(row.planned_end_min, row.end_min or 0) for row in rows)])


def _x(minute: int, last_min: int, width: int = WIDTH) -> float:
    return width * minute / max(1, last_min)


def _wide(value: int, most: int, width: int) -> float:
    return width * value / max(1, most)
