"""PURE: who and what is there on the night: docks and vehicles by the call-out sheet, goods by what was confirmed.

Where nobody was called out, or asked, the district's standing values and inventory's figures count. Neither more docks
nor more vehicles than the network has, nor more goods than what is left of a reserve, can come of it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.call_out import CallDuty
from chubei_shared.contracts.network import CrewStep, LoadingSite
from chubei_shared.contracts.reserves import SupplyRow

Json = dict[str, Any]
_NO_DRIVER = "点名表:没有司机 / call-out sheet: no driver"


@dataclass(frozen=True)
class There:
    """Someone who is there from a minute on: minute 0 for who is present."""

    duty: CallDuty
    place_id: str
    vehicle_type_id: str | None
    from_min: int
    present: bool


@dataclass(frozen=True)
class Sheet:
    """Whose people were called out, and who of them is there or coming. Other places and types stand as they are."""

    places: frozenset[str]
    vehicle_types: frozenset[str]
    there: tuple[There, ...] = ()

    def minutes(self, duty: CallDuty, of: str) -> list[int]:
        """From when each one is there, the earliest first; `of`: the place, or of drivers what they drive."""
        is_driver = duty is CallDuty.DRIVER
        return sorted(
            one.from_min
            for one in self.there
            if one.duty is duty and of == (one.vehicle_type_id if is_driver else one.place_id)
        )


class Reply(StrEnum):
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    OVERDUE = "overdue"


_GONE = {
    Reply.DECLINED: "供应方谢绝 / the supplier declined",
    Reply.OVERDUE: "供应方逾期未确认 / the supplier did not confirm in time",
}


@dataclass(frozen=True)
class Confirmation:
    """What a place replied of the items that it was asked for, by item and mode."""

    place_id: str
    reply: Reply
    units: dict[tuple[str, Mode], int]
    """Of each item that was asked: what was confirmed (0 where it was not)."""
    ready_min: int | None = None


@dataclass(frozen=True)
class Turnout:
    sheet: Sheet | None = None
    confirmations: tuple[Confirmation, ...] = field(default=())

    def based_on(self) -> Json:
        """What a scenario counts by, for its readers."""
        replies = [one.reply for one in self.confirmations]
        return {
            "crews": "standing" if self.sheet is None else "call_out",
            "call_out": None if self.sheet is None else _told(self.sheet),
            "confirmations": {reply.value: replies.count(reply) for reply in Reply},
        }


STANDING = Turnout()
"""Nobody was called out, or asked."""


def _told(sheet: Sheet) -> Json:
    return {
        "places": sorted(sheet.places),
        "vehicle_types": sorted(sheet.vehicle_types),
        "present": sum(one.present for one in sheet.there),
        "expected": sum(not one.present for one in sheet.there),
    }


# Docks


def docks_of(site: LoadingSite) -> int:
    """The most docks that a site ever has manned by its standing values."""
    return max(step.manned for step in site.docks)


def crews(
    keepers: Sequence[int], loaders: Sequence[int], loaders_per_dock: int, docks: int
) -> list[CrewStep]:
    """The docks that are manned as crews come: by whole crews, from when somebody with the key is there."""
    steps = [CrewStep(from_min=0, manned=0)]
    for minute in sorted({0, *keepers, *loaders}):
        here = sum(since <= minute for since in loaders)
        opened = any(since <= minute for since in keepers)
        manned = min(docks, here // loaders_per_dock) if opened else 0
        if minute == 0:
            steps = [CrewStep(from_min=0, manned=manned)]
        elif manned != steps[-1].manned:
            steps.append(CrewStep(from_min=minute, manned=manned))
    return steps


def sites(of: Iterable[LoadingSite], turnout: Turnout, left_out: list[Json]) -> dict[str, LoadingSite]:
    """Loading sites by place, with the crews that are there or coming; docks that stay unmanned are named."""
    return {site.place_id: _manned(site, turnout.sheet, left_out) for site in of}


def _manned(site: LoadingSite, sheet: Sheet | None, left_out: list[Json]) -> LoadingSite:
    if sheet is None or site.place_id not in sheet.places:
        return site
    keepers = sheet.minutes(CallDuty.KEEPER, site.place_id)
    loaders = sheet.minutes(CallDuty.LOADER, site.place_id)
    docks = docks_of(site)
    steps = crews(keepers, loaders, site.loaders_per_dock, docks)
    if missing := docks - steps[-1].manned:
        left_out.append({"place": site.place_id, "docks": missing, "why": _unmanned(site, keepers, loaders)})
    return site.model_copy(update={"docks": steps})


def _unmanned(site: LoadingSite, keepers: Sequence[int], loaders: Sequence[int]) -> str:
    if not keepers:
        return "点名表:没有持钥匙的保管员 / call-out sheet: no keeper with the key"
    needed = docks_of(site) * site.loaders_per_dock
    return (
        f"点名表:装卸工 {len(loaders)} 人,需 {needed} 人 / call-out sheet: {len(loaders)} loaders of {needed}"
    )


# Vehicles


def fleet(vehicles: Iterable[Json], turnout: Turnout, left_out: list[Json]) -> list[Json]:
    """A scenario's rows of vehicles, as far as there are drivers; vehicles without one are named."""
    return [driven(vehicle, turnout, left_out) for vehicle in vehicles]


def driven(vehicle: Json, turnout: Turnout, left_out: list[Json]) -> Json:
    """A scenario's row of vehicles, as far as there are drivers: the n-th to come drives the n-th vehicle that runs.

    Those without a driver are `lost`; `later` says from when those run that do not with the first.
    """
    sheet, kind = turnout.sheet, vehicle["type"]
    if sheet is None or kind not in sheet.vehicle_types:
        return vehicle
    drivers = sheet.minutes(CallDuty.DRIVER, kind)
    running = [n for n in range(1, vehicle["count"] + 1) if n not in vehicle.get("lost", ())]
    if (missing := len(running) - len(drivers)) > 0:
        left_out.append({"vehicle": kind, "count": missing, "why": _NO_DRIVER})
    paired = zip(running, drivers, strict=False)  # more of either than of the other stay behind
    from_min = {n: max(vehicle["available_min"], minute) for n, minute in paired}
    first = min(from_min.values(), default=vehicle["available_min"])
    undriven = [n for n in running if n not in from_min]
    return vehicle | {
        "available_min": first,
        "later": [[n, minute] for n, minute in from_min.items() if minute > first],
        "lost": sorted({*vehicle.get("lost", ()), *undriven}),
    }


# Goods


def supply(
    rows: Iterable[SupplyRow],
    turnout: Turnout,
    needed: Collection[str],
    now_min: int,
    taken: Mapping[tuple[str, str, Mode], int],
    left_out: list[Json],
) -> Iterator[SupplyRow]:
    """What can be had, as confirmed, less what trips of a plan in force have `taken` of it.

    What leaves the plan is named, of the items that are `needed`.
    """
    asked = {
        (one.place_id, *key): (one, units)
        for one in turnout.confirmations
        for key, units in one.units.items()
        if one.reply is not Reply.WAITING
    }
    given = Counter(taken)
    for row in rows:
        key = (row.place_id, row.item_code, row.mode)
        if key not in asked:
            yield row
            continue
        reply, units = asked[key]
        counted = max(0, min(units - given[key], left_of(row))) if reply.reply is Reply.CONFIRMED else 0
        given[key] += counted
        if counted < row.quantity and row.item_code in needed:
            left_out.append(
                {
                    "place": row.place_id,
                    "item": row.item_code,
                    "mode": row.mode.value,
                    "quantity": row.quantity - counted,
                    "why": _GONE.get(reply.reply, "供应方确认得较少 / the supplier confirmed fewer"),
                }
            )
        if counted:
            ready_min = row.ready_min if reply.ready_min is None else max(0, reply.ready_min - now_min)
            yield row.model_copy(update={"quantity": counted, "likely": counted, "ready_min": ready_min})


def left_of(row: SupplyRow) -> int:
    """Units left of what was agreed, firm or not: what a hold can draw on."""
    if row.basis is None:
        return max(row.quantity, row.likely)
    return max(row.quantity, row.basis.agreed - row.basis.held - row.basis.used - row.basis.lost)
