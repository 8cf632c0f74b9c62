"""The table of the bench, as cells, as Markdown and as a small SVG chart; Chinese first, then English."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

from .growth import Cost, gap, growth, micros_per_size, ratio
from .runs import Solved

NONE = "—"


@dataclass
class Row:
    """One scenario and all that was measured on it; what is None was not asked or did not end."""

    kind: str
    seed: int
    points: int
    vehicles: int
    time_limit_s: float
    lp_limit_s: float | None = None
    plan: Solved | None = None
    greedy: dict[str, Any] | None = None
    lp: dict[str, Any] | None = None
    wait_bound_min: float | None = None
    errors: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.seed}"

    def lp_s(self) -> float | None:
        """Build and solve, if HiGHS was done within its limit."""
        if self.lp is None or self.lp["value"] is None:
            return None
        return float(self.lp["build_s"] + self.lp["solve_s"])


COLUMNS = [
    ("情景", "scenario", True),
    ("点", "points", True),
    ("车", "vehicles", False),
    ("限时 s", "limit s", True),
    ("效用", "utility", True),
    ("上界", "bound", True),
    ("差距", "gap", True),
    ("贪心", "greedy", True),
    ("倍", "ratio", True),
    ("等待", "wait", True),
    ("下界", "bound", True),
    ("贪心", "greedy", True),
    ("首个 s", "first s", True),
    ("完整 s", "whole s", True),
    ("近终 s", "near s", False),
    ("LP s", "LP s", True),
    ("完整/LP", "whole/LP", True),
    ("历时 s", "wall s", False),
    ("CPU s", "CPU s", True),
    ("内存 MB", "MB", True),
    ("车次", "trips", True),
]
"""Chinese, English, and whether a terminal has room for it."""

LEGEND = [
    "效用、上界、差距:计划的效用,它自己证明的上界,二者之差占上界的比例 / utility: of the plan, its proven bound, "
    "and the share of the bound left open",
    "贪心:同一情景上每分钟送货最重的贪心;倍 = 计划效用 / 贪心效用 / greedy: most weight per minute, on the same "
    "scenario; ratio = utility of the plan / of the greedy",
    "等待:平均等待分钟;下界:任何计划都少不了的等待(逐个时刻问至多能服务多少人);再是贪心的等待 / wait: mean "
    "minutes; bound: what no plan can undercut, from the most people that can be served by each minute of a grid; "
    "and the greedy's",
    "首个、完整、近终:从读完情景算起,报告首个计划、构造完成、效用距终值 0.001 以内的秒数 / first, whole, near: "
    "seconds from the parsed scenario to the first plan reported, to the end of construction, to a utility within "
    "0.001 of the last",
    "LP:按来源、点、物资的连续流,HiGHS 默认设置,建模加求解;完整/LP 目标 ≤ 1(城市) / bare LP: continuous flow by "
    "source, point and item, HiGHS by default, building and solving; whole/LP is to be 1 or less for the city",
    "历时、CPU、内存:整个进程,含导入与读文件 / wall, CPU, peak memory: of the whole process, imports and reading "
    "included",
]


def cells(row: Row) -> list[str]:
    """The row as texts, one for each of COLUMNS."""
    plan, greedy = row.plan, row.greedy
    floor, floor_wait = (greedy["utility"], greedy["mean_wait_min"]) if greedy else (None, None)
    begin = [row.name, f"{row.points:,}", f"{row.vehicles:,}", f"{row.time_limit_s:g}"]
    waits = [_number(row.wait_bound_min, 0), _number(floor_wait, 0)]
    if plan is None:
        gone = [NONE] * 3
        return [*begin, *gone, _number(floor, 4), NONE, NONE, *waits, *gone, _lp_cell(row), NONE, *gone, NONE]
    return [
        *begin,
        _number(plan.utility, 4),
        _number(plan.bound, 4),
        f"{gap(plan.utility, plan.bound):.1%}",
        _number(floor, 4),
        _number(ratio(plan.utility, floor), 2),
        _number(plan.mean_wait_min, 0),
        *waits,
        *(_number(seconds, 1) for seconds in (plan.first_s, plan.whole_s, plan.near_s)),
        _lp_cell(row),
        _number(ratio(plan.whole_s, row.lp_s()), 2),
        *(_number(seconds, 1) for seconds in (plan.wall_s, plan.cpu_s)),
        _number(plan.peak_mb, 0),
        f"{plan.trips:,}",
    ]


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:,.{digits}f}"


def _lp_cell(row: Row) -> str:
    if row.lp is None:
        return NONE
    seconds = row.lp_s()
    return f"> {row.lp_limit_s:g}" if seconds is None else f"{seconds:.2f}"


def costs(rows: list[Row]) -> list[Cost]:
    """What a whole plan cost at each of the plain sizes, the first seed of each."""
    found: dict[str, Cost] = {}
    for row in rows:
        if row.kind in ("district", "city", "province") and row.plan and row.plan.whole_cpu_s is not None:
            cost = Cost(row.name, row.points, row.plan.trips, row.plan.whole_cpu_s)
            found.setdefault(row.kind, cost)
    return list(found.values())


def growth_lines(rows: list[Row]) -> list[str]:
    """Growth of cost in words and numbers; empty if fewer than two sizes were measured."""
    known = costs(rows)
    lines = [
        f"{cost.name}: {cost.points:,} 点 points, {cost.trips:,} 车次 trips, {cost.cpu_s:.2f} CPU s, "
        f"{micros_per_size(cost):.1f} µs / (车次 trips × ln)"
        for cost in known
    ]
    for step in growth(known):
        verdict = "达到 met" if step.exponent <= 1 else "未达到 not met"
        lines.append(
            f"{step.smaller.points:,} → {step.larger.points:,}: 成本 cost × {step.cost_ratio:.1f}, "
            f"车次 trips × ln × {step.size_ratio:.1f}, 指数 exponent {step.exponent:.2f} "
            f"(目标 aim ≤ 1: {verdict})"
        )
    return lines if len(known) > 1 else []


def faults(rows: list[Row]) -> list[str]:
    """Everything that must not be: runs that failed, plans that break a rule."""
    found = []
    for row in rows:
        found += [f"{row.name}: {error}" for error in row.errors]
        for who, broken in (
            ("plan", row.plan.broken_rules if row.plan else []),
            ("greedy", row.greedy["broken_rules"] if row.greedy else []),
        ):
            found += [f"{row.name}: {who}: {text}" for text in broken]
    return found


def markdown(rows: list[Row], machine: list[tuple[str, str]], when: str) -> str:
    """The whole report."""
    head = [f"{zh}<br>{en}" for zh, en, _ in COLUMNS]
    lines = ["# 规划基准 Planner bench", "", f"{when}", ""]
    lines += ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in machine), ""]
    lines += [_line(head), _line(["---", *["---:"] * (len(head) - 1)])]
    lines += [_line(cells(row)) for row in rows]
    lines += ["", "![utility and bound](bench.svg)", "", *(f"- {text}" for text in LEGEND), ""]
    lines += ["## 规模增长 Growth of cost", ""]
    alone = "没有两种规模在限时内构造出完整的计划 no two sizes had a whole plan within their limits"
    lines += [f"- {text}" for text in growth_lines(rows) or [alone]]
    lines += ["", "## 差错 Faults", ""]
    lines += [f"- {text}" for text in faults(rows)] or [
        "- 无:所有计划都通过检查 none: every plan passes the checker"
    ]
    return "\n".join(lines) + "\n"


def _line(texts: list[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


BAR, ROOM, LEFT, WIDTH = 12, 40, 130, 620  # pixels
PLAN, GREEDY, INK = "#1f6f8b", "#d9a441", "#222"


def chart(rows: list[Row]) -> str:
    """An SVG with a bar for the plan and one for the greedy of each scenario, and a mark at the bound."""
    height = 50 + ROOM * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 90}" height="{height}" role="img" '
        'font-family="sans-serif" font-size="12">',
        "<title>效用:计划、贪心、上界 Utility: plan, greedy, bound</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        f'<rect x="{LEFT}" y="12" width="12" height="12" fill="{PLAN}"/>{_text(LEFT + 18, 22, "计划 plan")}',
        f'<rect x="{LEFT + 110}" y="12" width="12" height="12" fill="{GREEDY}"/>'
        + _text(LEFT + 128, 22, "贪心 greedy"),
        f'<rect x="{LEFT + 229}" y="12" width="3" height="12" fill="{INK}"/>'
        + _text(LEFT + 240, 22, "证明的上界 proven bound"),
    ]
    for n, row in enumerate(rows):
        top = 40 + ROOM * n
        parts.append(_text(8, top + 17, row.name))
        if row.plan:
            parts.append(_bar(top, row.plan.utility, PLAN))
            at = LEFT + WIDTH * row.plan.bound
            parts.append(f'<rect x="{at - 1:.1f}" y="{top - 3}" width="3" height="{BAR + 6}" fill="{INK}"/>')
        if row.greedy:
            parts.append(_bar(top + BAR + 3, row.greedy["utility"], GREEDY))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(top: int, share: float, colour: str) -> str:
    long = WIDTH * share
    label = _text(LEFT + int(long) + 8, top + BAR - 2, f"{share:.3f}")
    return f'<rect x="{LEFT}" y="{top}" width="{long:.1f}" height="{BAR}" fill="{colour}"/>{label}'


def _text(x: int, y: int, words: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{INK}">{escape(words)}</text>'
