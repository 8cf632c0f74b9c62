"""What `chubei plan` shows: a live bar while it solves, and the plan in a few lines when it is done."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from chubei_allocation.planner import Plan, Progress, Scenario, served_by_hour, tightest
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from .bars import PHASES, hour_bars
from .explain_screen import item_names, lacking

MOST_LINES = 6


class SolveBar:
    """A bar of the time used and the best plan so far, on a terminal only."""

    def __init__(self, console: Console, name: str, time_limit_s: float | None) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[said]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=time_limit_s, said="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, progress: Progress) -> None:
        said = (
            f"{PHASES[progress.phase]}  {progress.elapsed_s:.0f} s  "
            f"{progress.supported:,}/{progress.people:,} 人 / people\n"  # in one line 80 columns do not hold it
            f"效用 / utility {progress.utility:.4f} ≤ 上界 / bound {progress.bound:.4f}"
        )
        self._bar.update(self._task, completed=progress.elapsed_s, said=said)


def _solved_in(elapsed_s: float | None) -> str:
    return "" if elapsed_s is None else f"，求解 / solved in {elapsed_s:.1f} s"


def show_summary(console: Console, scenario: Scenario, plan: Plan, out_path: Path) -> None:
    """The plan as people want to see it: who is served when, what is tight, who goes without."""
    people = sum(point.people for point in scenario.points)
    claims = plan.claims
    _say(
        console,
        f"{scenario.name}：{len(plan.trips)} 车次 / trips" + _solved_in(plan.solver.elapsed_s),
        f"  基本救助 / basic relief  {claims.supported:,} / {people:,}",
        f"  安置 / settled           {claims.settled:,} / {people:,}",
        f"  平均等待 / mean wait     {claims.mean_wait_min:.0f} 分钟 / min",
        f"  效用 / utility           {claims.utility:.4f}，上界 / proven bound {claims.utility_bound:.4f}",
        "",
        "每小时末得到基本救助的人数 / people with basic relief by the end of hour",
    )
    _say(console, *hour_bars(people, served_by_hour(scenario, plan)[1:]))
    if tight := tightest(scenario, plan)[:MOST_LINES]:
        _say(console, "", "最紧的资源 / tightest resources")
    for row in tight:
        _say(console, f"  {row.utilisation:>4.0%}  {row.label_zh} / {row.label_en}")
    _unmet(console, scenario, plan)
    if plan.changes is not None:
        kept, changed, dropped, new = vars(plan.changes).values()
        _say(
            console,
            "",
            f"与上一计划相比：保留 {kept}、改动 {changed}、取消 {dropped}、新增 {new} / "
            f"against the previous plan: kept {kept}, changed {changed}, dropped {dropped}, new {new}",
        )
    _say(console, "", f"计划已写入 / the plan is in {out_path}")


def _unmet(console: Console, scenario: Scenario, plan: Plan) -> None:
    if not plan.unmet:
        _say(console, "", "无未满足需求 / no unmet demand")
        return
    _say(console, "", f"未满足需求 / unmet demand: {len(plan.unmet)} 处 / places")
    names = item_names(scenario)
    worst = sorted(plan.unmet, key=lambda row: (-row.not_supported, -row.not_settled, row.point))
    for row in worst[:MOST_LINES]:
        _say(console, f"  {row.point}: {lacking(row, names, list(row.short.items())[:4])}")
    if len(worst) > MOST_LINES:
        _say(console, "  …… 其余见计划文件 unmet / the rest is in the plan file under `unmet`")
    _say(console, "  为什么不能更多 / why not more: chubei explain SCENARIO.json PLAN.json")


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(Text(line), soft_wrap=True)
