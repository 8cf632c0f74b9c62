"""PURE: the trips of a plan that we stored, as a start for another scenario.

They are not judged by that scenario's rules: what it can not have any more, the planner leaves out.
"""

from typing import Any

from chubei_allocation.planner import Trip, Visit


def read_trips(rows: list[dict[str, Any]]) -> tuple[Trip, ...]:
    return tuple(Trip(row["vehicle"], tuple(_visit(visit) for visit in row["visits"])) for row in rows)


def _visit(row: dict[str, Any]) -> Visit:
    goods = row.get("load", row.get("deliver", {}))
    return Visit(row["node"], row["arrive"], row["start"], row["end"], "load" in row, dict(goods))
