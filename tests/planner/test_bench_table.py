"""The arithmetic of `make bench`, its measured processes, and the file that it writes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from planner_cases import plain

from tests.bench.growth import Cost, gap, growth, micros_per_size, ratio, size
from tests.bench.report import COLUMNS, Row, cells, chart, faults, growth_lines, markdown
from tests.bench.runs import Run, Solved, run, solved


def test_cost_in_proportion_to_trips_times_log_has_exponent_one() -> None:
    costs = [Cost(f"{n}", n, trips, 3e-3 * trips * math.log(trips)) for n, trips in ((34, 200), (350, 3000))]
    (step,) = growth(list(reversed(costs)))
    assert (step.smaller.points, step.larger.points) == (34, 350)
    assert step.exponent == pytest.approx(1.0)
    assert step.size_ratio == pytest.approx(step.cost_ratio)
    assert micros_per_size(costs[0]) == pytest.approx(3000)


def test_cost_that_grows_with_the_square_of_size_has_exponent_two() -> None:
    costs = [Cost("", n, trips, size(trips) ** 2) for n, trips in ((34, 200), (350, 3000), (3000, 20000))]
    assert [step.exponent for step in growth(costs)] == [pytest.approx(2.0)] * 2


def test_what_cost_nothing_or_came_to_nothing_says_nothing_of_growth() -> None:
    assert growth([Cost("", 34, 0, 1.0), Cost("", 350, 100, 2.0), Cost("", 3000, 900, 0.0)]) == []
    assert micros_per_size(Cost("", 34, 0, 1.0)) == 0.0


def test_gap_and_ratio() -> None:
    assert gap(0.9, 1.0) == pytest.approx(0.1)
    assert gap(0.0, 0.0) == 0.0
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(None, 2.0) is None
    assert ratio(3.0, 0.0) is None


def _told(*rows: dict[str, Any]) -> Run:
    return Run(told=list(rows), cpu_s=7.0)


def _report(phase: str, elapsed_s: float, utility: float, new: bool) -> dict[str, Any]:
    return {"event": "progress", "phase": phase, "elapsed_s": elapsed_s, "cpu_s": 2 * elapsed_s} | {
        "utility": utility,
        "bound": 1.0,
        "new": new,
    }


PLAN = {"event": "plan", "utility": 0.9, "utility_bound": 1.0, "mean_wait_min": 300.0, "trips": 40} | {
    "broken_rules": [],
    "at_s": 11.0,
}
END = {"event": "end", "peak_mb": 70.0}


def test_a_run_is_read_off_its_reports() -> None:
    ended = _told(
        _report("construct", 0.1, 0.3, new=False),  # what has begun before reaches that much
        _report("construct", 0.2, 0.4, new=True),
        _report("improve", 1.5, 0.8, new=True),
        _report("improve", 6.0, 0.8995, new=True),
        _report("done", 10.0, 0.9, new=True),
        PLAN,
        END,
    )
    found = solved(ended, time_limit_s=10)
    assert found is not None
    assert (found.first_s, found.whole_s, found.whole_cpu_s, found.near_s) == (0.2, 1.5, 3.0, 6.0)
    assert (found.cpu_s, found.wall_s, found.peak_mb) == (7.0, 11.0, 70.0)


def test_a_construction_that_the_limit_cut_short_made_no_whole_plan() -> None:
    cut = solved(_told(_report("construct", 5, 0.4, True), _report("done", 10.0, 0.9, True), PLAN, END), 10)
    early = solved(_told(_report("done", 0.4, 0.9, True), PLAN, END), 10)
    assert cut is not None
    assert cut.whole_s is None
    assert early is not None
    assert early.whole_s == 0.4


def test_a_run_without_a_plan_has_no_figures() -> None:
    assert solved(_told(_report("construct", 0.1, 0.0, False)), 10) is None


def _row(kind: str, points: int, trips: int, cpu_s: float) -> Row:
    plan = Solved(0.9, 0.95, 300.0, trips, [], 0.2, 2.0, cpu_s, 5.0, 9.0, 11.0, 80.0)
    greedy = {"utility": 0.45, "mean_wait_min": 600.0, "broken_rules": []}
    lp = {"build_s": 1.0, "solve_s": 3.0, "value": 1.0}
    return Row(kind, 0, points, 30, 10, 300, plan, greedy, lp, 250.0)


def test_the_table_sets_the_figures_side_by_side() -> None:
    english = [name for _, name, _ in COLUMNS]
    found = dict(zip(english, cells(_row("district", 34, 200, 1.0)), strict=True))
    assert (found["utility"], found["gap"], found["ratio"]) == ("0.9000", "5.3%", "2.00")
    assert (found["LP s"], found["whole/LP"], found["trips"]) == ("4.00", "0.50", "200")


def test_an_lp_that_was_not_done_is_told_by_its_limit() -> None:
    row = _row("city", 350, 3000, 9.0)
    row.lp = {"build_s": 2.0, "solve_s": 300.1, "value": None}
    assert "> 300" in cells(row)
    assert row.lp_s() is None


def test_a_row_without_a_plan_has_as_many_cells() -> None:
    assert len(cells(Row("city", 0, 350, 720, 60))) == len(COLUMNS)


def test_the_file_tells_growth_machine_and_faults() -> None:
    rows = [_row("district", 34, 200, 1.0), _row("city", 350, 3000, 100.0)]
    rows[1].errors.append("wait: exit 1")
    text = markdown(rows, [("CPU", "one of 2 cores")], "2026-01-01 00:00 UTC")
    assert "| CPU | one of 2 cores |" in text
    assert "city-0: wait: exit 1" in text
    assert faults(rows) == ["city-0: wait: exit 1"]
    assert [line for line in growth_lines(rows) if "not met" in line]
    table = [line for line in text.splitlines() if line.startswith(("| district-0 |", "| city-0 |"))]
    assert [line.count(" | ") for line in table] == [len(COLUMNS) - 1] * 2


def test_the_chart_is_svg_with_a_bar_for_each() -> None:
    root = ElementTree.fromstring(chart([_row("district", 34, 200, 1.0)]))  # noqa: S314
    tops = {"40", "55"}
    bars = [bar for bar in root.iter() if bar.tag.endswith("rect") and bar.get("y") in tops]
    widths = [float(bar.get("width", "0")) for bar in bars]
    assert widths == [620 * 0.9, 620 * 0.45]


def test_a_measured_process_tells_its_figures_or_why_it_failed(tmp_path: Path) -> None:
    path = tmp_path / "plain.json"
    path.write_text(json.dumps(plain()))
    seen: list[str] = []
    ended = run("plan", path, ["--time-limit", "1"], 60, lambda row: seen.append(row["event"]))
    found = solved(ended, 1)
    assert ended.error is None
    assert found is not None
    assert found.broken_rules == []
    assert found.utility > 0
    assert found.peak_mb > 10
    assert seen[-2:] == ["plan", "end"]
    path.write_text("{}")
    failed = run("greedy", path, [], 60, watch=print)
    assert "format" in (failed.error or "")
