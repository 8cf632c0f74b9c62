"""What `chubei explain` shows: who goes without, what binds, and what one more of each would give."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean
from types import TracebackType
from typing import Self

from chubei_allocation.planner import AdviceProgress, Advised, Binding, Explanation, Scenario, Unmet
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

KINDS = {
    "items": "物资 / items",
    "lead": "响应时间 / lead times",
    "docks": "装车位 / docks",
    "crews": "装车班组 / crews",
    "vehicles": "车辆 / vehicles",
    "bays": "卸车位 / bays",
    "desks": "发放台 / desks",
    "lanes": "窄路 / lanes",
    "ways": "断路 / closed ways",
}
MOST_PLACES = 6
MOST_OF_A_KIND = 3
MOST_POINTS = 4


class AdviceBar:
    """A bar of the solves done, and which change is being tried; on a terminal only."""

    def __init__(self, console: Console) -> None:
        self._bar = Bar(
            TextColumn("复算 / solving again"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, progress: AdviceProgress) -> None:
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            description=f"{progress.zh} / {progress.en}",
        )


def show_explanation(console: Console, scenario: Scenario, found: Explanation) -> None:
    """Who goes without, and what binds."""
    _say(
        console,
        f"{scenario.name}：基本救助 / basic relief {found.supported:,} / {found.people:,}，"
        f"安置 / settled {found.settled:,} / {found.people:,}，效用 / utility {found.utility:.4f}",
        f"{found.zh} / {found.en}",
    )
    if not found.unmet:
        return
    names = item_names(scenario)
    _say(console, "", f"谁没有得到 / who goes without: {len(found.unmet)} 处 / places")
    worst = sorted(found.unmet, key=lambda row: (-row.not_settled, -row.not_supported, row.point))
    for row in worst[:MOST_PLACES]:
        most = sorted(row.short.items(), key=lambda short: -short[1])[:3]
        _say(console, f"  {row.point}: {lacking(row, names, most)}")
    _say(console, *_more(len(worst) - MOST_PLACES, "  "))
    if found.binding:
        _say(console, "", "什么成了约束 / what binds")
    by_kind: dict[str, list[Binding]] = defaultdict(list)
    for binding in found.binding:
        by_kind[binding.kind].append(binding)
    for kind, rows in by_kind.items():
        _say(console, f"  {KINDS[kind]}")
        for binding in rows[:MOST_OF_A_KIND]:
            whom = "、".join(f"{p} {people:,}" for p, people in list(binding.points.items())[:MOST_POINTS])
            rest = " …" if len(binding.points) > MOST_POINTS else ""
            _say(
                console,
                f"    {binding.zh} / {binding.en}",
                f"      影响 / concerns {binding.people:,} 人 / people: {whom}{rest}",
            )
        _say(console, *_more(len(rows) - MOST_OF_A_KIND, "    "))


def item_names(scenario: Scenario) -> dict[str, str]:
    """The names of items by id, Chinese and English."""
    return {item.id: f"{item.name_zh} {item.name_en}" for item in scenario.items}


def lacking(row: Unmet, names: Mapping[str, str], short: Iterable[tuple[str, int]]) -> str:
    """Who goes without at a place, and which items are short; nothing of what is not."""
    parts = [
        f"{words} {people:,}"
        for words, people in (
            ("未救助 / not supported", row.not_supported),
            ("未安置 / not settled", row.not_settled),
        )
        if people
    ]
    if items := "；".join(f"{names[item]} {units:,}" for item, units in short):
        parts.append(f"缺 / short of {items}")
    return "，".join(parts)


def show_advice(console: Console, told: Advised, found: Explanation) -> None:
    """What one more of each would give, what is proved first."""
    least = max(told.tolerance["supported"], told.tolerance["settled"])
    _say(console, "", "再多一点会怎样 / what one more would give")
    if told.base:
        reached = [f"{row['supported']:,.0f} + {row['settled']:,.0f}" for row in told.base]
        _say(
            console,
            f"  现状复算 / solved again as it is: {', '.join(reached)} 人 / people (救助 + 安置 / supported + settled)",
            f"  求解误差 ±{least:,.0f} 人：更小的差别不说明什么 / "
            f"tolerance ±{least:,.0f} people: a smaller difference says nothing",
        )
        if fmean(row["utility"] for row in told.base) < found.utility - 1e-6:
            _say(
                console,
                "  下面的“多”是比现状复算多，不是比这份计划多：复算不及它 / "
                "“more” below is more than the scenario solved again as it is, which fell short of the plan shown",
            )
    for row in told.advice:
        _say(console, f"  {'●' if row.proved else '○'} {row.zh} / {row.en}")
    if not told.advice and not told.cut_short:
        _say(console, "  没有可试的改变 / no change to try")
    if told.cut_short:
        _say(console, "  中途停止，以上是已知的 / stopped early: this is what is known")


def _more(count: int, indent: str) -> list[str]:
    return [f"{indent}…… 另有 {count} 项 / {count} more"] if count > 0 else []


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(Text(line), soft_wrap=True)
