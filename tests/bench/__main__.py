"""`make bench`: plan scenarios of every kind, beside a greedy and the bare LP, and write down what it cost."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chubei_allocation.planner import parse_scenario
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from .generate import KINDS, make
from .machine import machine
from .report import COLUMNS, Row, cells, chart, faults, growth_lines, markdown
from .runs import Run, Told, run, solved

LONG = ("province",)
TIME_LIMIT_S = {"city": 60.0, "province": 600.0}  # of the planner; 10 for the others
LP_LIMIT_S = 300.0
WAIT_STEP_MIN = {"city": 40}  # grid of the wait bound; 10 for the others
TABLE_WIDTH = 150  # narrower than this the table can not be read


def main() -> int:
    given = _arguments()
    described = machine()  # before anything is measured: the load told is that of others
    console = Console(stderr=True)
    given.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    cases = [(kind, seed) for kind in given.kinds for seed in given.seeds]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=console) as bars:
        whole = bars.add_task("基准 bench", total=len(cases) * len(TASKS), now="")
        for kind, seed in cases:
            rows.append(_measure(kind, seed, given.time_limit, Path(folder), _Screen(bars, whole)))
            _write(given.out, rows, described)
    _show(rows)
    print(f"写到 written to {given.out / 'bench.md'}", file=sys.stderr)
    return 1 if faults(rows) else 0


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), help="default: all but province")
    parser.add_argument("--long", action="store_true", help="the province as well")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], metavar="N")
    parser.add_argument(
        "--time-limit", type=float, metavar="S", help="of the planner (10; city 60; province 600)"
    )
    parser.add_argument("--out", type=Path, default=Path("bench-out"), metavar="FOLDER")
    given: Any = parser.parse_args()
    given.kinds = given.kinds or [kind for kind in KINDS if given.long or kind not in LONG]
    return given


class _Screen:
    """A bar for all processes and one for that which runs."""

    def __init__(self, bars: Progress, whole: TaskID) -> None:
        self._bars = bars
        self._whole = whole
        self._one: TaskID | None = None

    def begin(self, name: str, task: str, limit_s: float) -> None:
        self._one = self._bars.add_task(f"{name} {TASKS[task]}", total=limit_s, now="")

    def watch(self, row: Told) -> None:
        if row["event"] == "progress" and self._one is not None:
            now = f"{row['utility']:.4f} ≤ {row['bound']:.4f}"
            self._bars.update(self._one, completed=row["elapsed_s"], now=now)

    def end(self) -> None:
        if self._one is not None:
            self._bars.remove_task(self._one)
        self._bars.advance(self._whole)


TASKS = {"plan": "计划 plan", "greedy": "贪心 greedy", "lp": "线性规划 LP", "wait": "等待下界 wait bound"}


def _measure(kind: str, seed: int, limit_s: float | None, folder: Path, screen: _Screen) -> Row:
    """All processes of one scenario, one after the other."""
    data = make(kind, seed)
    path = folder / f"{kind}-{seed}.json"
    path.write_text(json.dumps(data), "utf-8")
    scenario = parse_scenario(data)
    time_limit_s = limit_s or TIME_LIMIT_S.get(kind, 10.0)
    row = Row(kind, seed, len(scenario.points), sum(v.count for v in scenario.vehicles), time_limit_s)
    options = {
        "plan": ["--time-limit", str(time_limit_s), "--seed", str(seed)],
        "greedy": [],
        "lp": ["--time-limit", str(LP_LIMIT_S)],
        "wait": ["--step", str(WAIT_STEP_MIN.get(kind, 10))],
    }
    for task, words in options.items():
        if kind in LONG and task in ("lp", "wait"):  # as large as these, they are none of a minute's work
            continue
        screen.begin(row.name, task, time_limit_s if task == "plan" else LP_LIMIT_S)
        _keep(row, task, run(task, path, words, 2 * max(time_limit_s, LP_LIMIT_S), screen.watch))
        screen.end()
    return row


def _keep(row: Row, task: str, ended: Run) -> None:
    """Enter what a process told."""
    told = ended.last(task)
    if told is None:
        row.errors.append(f"{task}: {ended.error or 'nothing told'}")
    elif task == "plan":
        row.plan = solved(ended, row.time_limit_s)
    elif task == "greedy":
        row.greedy = told
    elif task == "lp":
        row.lp, row.lp_limit_s = told, LP_LIMIT_S
    else:
        row.wait_bound_min = told["bound_min"]


def _write(out: Path, rows: list[Row], described: list[tuple[str, str]]) -> None:
    """After every scenario, so that a run that is broken off leaves what it has."""
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    (out / "bench.md").write_text(markdown(rows, described, when), "utf-8")
    (out / "bench.svg").write_text(chart(rows), "utf-8")


def _show(rows: list[Row]) -> None:
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    shown = [n for n, (_, _, on_screen) in enumerate(COLUMNS) if on_screen]
    for n in shown:
        zh, en, _ = COLUMNS[n]
        table.add_column(f"{zh}\n{en}", justify="right" if n else "left", no_wrap=True)
    for row in rows:
        texts = cells(row)
        table.add_row(*(texts[n] for n in shown))
    console.print(table)
    for line in growth_lines(rows) + faults(rows):
        console.print(line, highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
