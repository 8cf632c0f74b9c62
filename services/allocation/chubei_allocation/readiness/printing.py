"""The pages that go upward, to print: 日报 of a night, 月报 of a month. Chinese first, English whole."""

from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from chubei_shared.china import local
from chubei_shared.contracts.readiness import Readiness, RunView
from starlette.responses import HTMLResponse

from chubei_allocation.papers.pages import page
from chubei_allocation.readiness.figures import HOURS
from chubei_allocation.readiness.words import ENDS, VERDICTS

_WIDTH, _HEIGHT = 600, 140


class Spot(NamedTuple):
    """A point of a plot, and what it says."""

    x: float
    y: float
    label: str


def daily(found: Readiness) -> HTMLResponse:
    return page(
        "daily.html",
        "readiness.css",
        subject="readiness",
        verdict=VERDICTS[found.page.verdict],
        printed=local(datetime.now(UTC)),
        **_sections(found),
    )


def _sections(found: Readiness) -> dict[str, Any]:
    """What the sections say that both pages have."""
    return {
        "found": found,
        "told": found.page,
        "standing": {row.id: row for row in found.standing},
        "items": {row.item_code: row for row in found.page.items},
        "ends": ENDS,
        "bars": _bars(found.page.by_hour, found.page.people),
        "height": _HEIGHT,
        "hours": HOURS,
        "data_at": local(found.page.data_at),
        "finished": local(found.run.finished_at),
        "yuan": _yuan,
    }


def monthly(first: date, nights: list[RunView], last: Readiness | None) -> HTMLResponse:
    """The nights of a month, and all that the last of them found."""
    verdicts = {verdict: sum(run.verdict is verdict for run in nights) for verdict in VERDICTS}
    return page(
        "monthly.html",
        "readiness.css",
        subject="readiness",
        month=f"{first:%Y-%m}",
        nights=nights,
        verdicts=[(VERDICTS[verdict], count) for verdict, count in verdicts.items()],
        words=VERDICTS,
        curve=_curve(nights),
        width=_WIDTH,
        printed=local(datetime.now(UTC)),
        **(_sections(last) if last else {"found": None, "height": _HEIGHT}),
    )


def _bars(by_hour: list[int], people: int) -> list[Spot]:
    """People served by each hour, as the tops of bars."""
    return [
        Spot(hour * _WIDTH / max(1, len(by_hour)), _HEIGHT * (1 - served / max(1, people)), str(served))
        for hour, served in enumerate(by_hour)
    ]


def _curve(nights: list[RunView]) -> list[Spot]:
    """The share served in the worst standing scenario, night by night."""
    told = [
        (run.night.day, run.served / run.people) for run in nights if run.served is not None and run.people
    ]
    return [Spot(_WIDTH * (day - 0.5) / 31, _HEIGHT * (1 - share), f"{day}") for day, share in told]


def _yuan(fen: int | None) -> str:
    return "无价 no price" if fen is None else f"{fen / 100:,.0f} 元"
