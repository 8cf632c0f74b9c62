"""From JSON to Trip: the shape of a trip is judged here, its sense by the checker."""

from __future__ import annotations

from .fields import Field
from .scenario import Scenario, Trip, Visit


class Known:
    """The ids that a trip may speak of; one `of_before` may also speak of what the scenario has lost since."""

    def __init__(self, scenario: Scenario, of_before: bool = False) -> None:
        self.of_before = of_before
        self.types = {kind.type for kind in scenario.vehicles}
        self.sources = {source.id for source in scenario.sources}
        self.nodes = self.sources | {point.id for point in scenario.points}
        self.items = {item.id for item in scenario.items}


def trip_of(row: Field, known: Known) -> Trip:
    """A trip as it stands in a file."""
    vehicle = row["vehicle"].text()
    name, _, number = vehicle.partition("#")
    well_formed = number.isascii() and number.isdigit() and len(number) < 10 and number == str(int(number))
    there = name in known.types or (known.of_before and name)
    if not there or not well_formed or number == "0":
        raise row["vehicle"].wrong(
            "没有此车 / no such vehicle",
            "写作 车型#序号，序号从 1 起 / write type#n, n from 1 without leading zeros",
        )
    visits = row["visits"].rows()
    if not visits:
        raise row["visits"].wrong("为空 / is empty", "至少一站 / give at least one visit")
    return Trip(vehicle, tuple(_visit(visit, known) for visit in visits))


def _visit(row: Field, known: Known) -> Visit:
    node = row["node"].text()
    if node in known.nodes or not known.of_before:
        loads = row["node"].known(known.nodes, "sources/points") in known.sources
    else:
        loads = row.maybe("load") is not None
    key, other = ("load", "deliver") if loads else ("deliver", "load")
    if row.maybe(other) is not None:
        raise row[other].wrong(
            f"{node} 处不可 {other} / cannot be done at {node}", f"改为 {key} / use {key} there"
        )
    goods = goods_of(row[key], None if known.of_before else known.items)
    if not goods:
        raise row[key].wrong("为空 / is empty", "至少一种物资 / name at least one item")
    start = row["start"].minute()
    return Visit(
        node=node,
        arrive=row["arrive"].minute(),
        start=start,
        end=row["end"].minute(low=start),
        loads=loads,
        goods=goods,
    )


def goods_of(field: Field, items: set[str] | None, least: int = 1) -> dict[str, int]:
    """Units by item, of `items` if these are given."""
    goods = {}
    for item, units in field.pairs():
        if items is not None:
            Field(item, units.place).known(items, "items")
        goods[item] = units.whole(low=least)
    return goods
