"""All papers of one truck in one print: route with times, contacts, and of each trip the order, what to pick by bin,
the load list, a receipt and a list of handing out for each delivery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from chubei_shared.china import local
from chubei_shared.contracts.call_out import CallDuty
from chubei_shared.contracts.orders import OrderView, StepKind, Stop
from chubei_shared.contracts.picks import PickList, PickStop
from chubei_shared.contracts.progress import TripProgress
from chubei_shared.db import Transactions
from chubei_shared.errors import NotFound, Unavailable
from chubei_shared.tokens import Caller, Role
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse

from chubei_allocation import tables
from chubei_allocation.authority.rules import MODES
from chubei_allocation.call_out import register
from chubei_allocation.call_out.tables import Person
from chubei_allocation.deviations.now import look
from chubei_allocation.dispatch import orders, pick_lists, picking, proofs
from chubei_allocation.dispatch.pick_lists import Items, Shelves
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.papers import trip as papers
from chubei_allocation.papers.pages import page
from chubei_allocation.papers.trip import Sheet
from chubei_allocation.progress import trips as live

DUTIES = {
    CallDuty.KEEPER: "保管员 keeper",
    CallDuty.LOADER: "装卸工 loader",
    CallDuty.DRIVER: "司机 driver",
    CallDuty.SHELTER: "安置点负责人 shelter keeper",
}
_TO_COME = ("planned", "under_way")


class Contact(NamedTuple):
    duty: str
    name: str
    phone: str
    place: str
    vehicle_type: str | None


class Leg(NamedTuple):
    """A stop on the way, with its times as people read them; `code`: for the driver, where it loads."""

    number: int
    place: str
    name_en: str
    goods: str
    planned: str
    expected: str
    leaves: str
    code: str


class Trip(NamedTuple):
    sheet: Sheet
    order: OrderView
    legs: list[Leg]
    picks: PickList


class Truck(NamedTuple):
    vehicle: str
    trips: list[Trip]
    contacts: list[Contact]


@dataclass(frozen=True)
class Told:
    """What is printed of an incident, without what inventory says."""

    incident: tables.Incident
    sheets: list[tuple[OrderView, Sheet, list[Leg]]]
    """Of orders that are not done, by number."""
    items: Mapping[UUID, Items]
    """By plan."""
    contacts: list[Contact]


def show(
    tx: Transactions, inventory: InventoryGate, incident_id: UUID, vehicle: str | None, caller: Caller
) -> HTMLResponse:
    """The pack of a truck, or of all. Raises NotFound. While inventory is away pick lists have no lots and bins.

    Codes for taking over are printed for command only: a store's clerk has to be told them by the driver.
    """
    told = tx(gather, incident_id, caller)
    shelves = shelves_of(tx, inventory, told)
    trucks = [one for one in trucks_of(told, shelves) if vehicle in (None, one.vehicle)]
    if not trucks:
        raise NotFound(
            f"没有 {vehicle or '任何车辆'} 待执行的调拨单,请核对车辆编号",
            f"There is no order to be carried out by {vehicle or 'any truck'}: check the vehicle",
        )
    return pack(told, trucks, whole=shelves is not None)


def pack(told: Told, trucks: Sequence[Truck], whole: bool) -> HTMLResponse:
    return page("pack.html", "form.css", trucks=trucks, whole=whole, **heading(told))


def picks_at(told: Told, trucks: Sequence[Truck], place_id: str, whole: bool) -> HTMLResponse:
    """The pick lists of a store, by the order in which they are wanted."""
    found: list[tuple[Trip, PickStop]] = [
        (one, stop)
        for truck in trucks
        for one in truck.trips
        for stop in one.picks.stops
        if stop.place_id == place_id and not stop.loaded
    ]
    found.sort(key=lambda row: row[0].order.stops[row[1].stop].start_min)
    return page("picks.html", "form.css", place=place_id, stops=found, whole=whole, **heading(told))


def heading(told: Told) -> dict[str, Any]:
    """What all of these pages say."""
    return {
        "incident": told.incident.name,
        "exercise": told.incident.exercise,
        "deadline": local(incidents.deadline(told.incident)),
        "printed": local(datetime.now(UTC)),
        "modes": {mode.value: words for mode, words in MODES.items()},
    }


def shelves_of(tx: Transactions, inventory: InventoryGate, told: Told) -> Shelves | None:
    """None while inventory is away."""
    try:
        return pick_lists.read(tx, inventory, [order for order, _, _ in told.sheets])
    except Unavailable:
        return None


def trucks_of(told: Told, shelves: Shelves | None) -> list[Truck]:
    views = [order for order, _, _ in told.sheets]
    takes = picking.takes(views, shelves.held if shelves else None)
    rows = [
        Trip(
            sheet,
            order,
            legs,
            pick_lists.pick_list(order, takes, shelves or Shelves(), told.items[order.plan_id]),
        )
        for order, sheet, legs in told.sheets
    ]
    rows.sort(key=lambda one: (one.order.vehicle, one.order.stops[0].start_min))
    return [
        Truck(vehicle, list(mine), _contacts(told.contacts, vehicle, mine))
        for vehicle, mine in ((v, list(g)) for v, g in groupby(rows, key=lambda one: one.order.vehicle))
    ]


def _contacts(people: Sequence[Contact], vehicle: str, mine: Sequence[Trip]) -> list[Contact]:
    """Drivers of this type, and who loads where it goes."""
    places = {stop.place_id for one in mine for stop in one.order.stops}
    kind = vehicle.partition("#")[0]
    return [
        one
        for one in people
        if (one.vehicle_type == kind if one.vehicle_type is not None else one.place in places)
    ]


def gather(session: Session, incident_id: UUID, caller: Caller) -> Told:
    """Raises NotFound."""
    incident = incidents.get(session, incident_id)
    coming = {one.order_id: one for one in live.shown(session, look(session, incident), incident)}
    found = session.scalars(
        select(tables.DispatchOrder)
        .where(
            tables.DispatchOrder.incident_id == incident_id,
            tables.DispatchOrder.status.in_(_TO_COME),
        )
        .order_by(tables.DispatchOrder.number)
    ).all()
    items = {plan_id: pick_lists.items_of(session, plan_id) for plan_id in {one.plan_id for one in found}}
    coded = Role.COMMANDER in caller.roles
    return Told(
        incident=incident,
        sheets=[
            (
                orders.show(session, one.id),
                papers.sheet(session, one, items[one.plan_id]),
                _legs(incident, one, coming.get(one.id), items[one.plan_id], coded),
            )
            for one in found
        ],
        items=items,
        contacts=_people(session, caller),
    )


def _legs(
    incident: tables.Incident,
    order: tables.DispatchOrder,
    live_one: TripProgress | None,
    items: Items,
    coded: bool,
) -> list[Leg]:
    expected = {stop.stop: stop.arrive_min for stop in live_one.stops} if live_one else {}
    return [
        Leg(
            number=stop.stop + 1,
            place=f"{stop.name_zh}({stop.place_id})",
            name_en=stop.name_en,
            goods=_goods(stop, items),
            planned=_minute(incident, stop.arrive_min),
            expected=_minute(incident, expected.get(stop.stop)),
            leaves=_minute(incident, stop.end_min),
            code=proofs.code(order.secret, StepKind.TAKEN_OVER, stop) if coded and stop.load else "",
        )
        for stop in orders.stops_of(order)
    ]


def _goods(stop: Stop, items: Items) -> str:
    what, goods = ("装", stop.load) if stop.load else ("卸", stop.deliver)
    return f"{what} " + "、".join(
        f"{items.get(item, {}).get('name_zh', item)} {units}" for item, units in sorted(goods.items())
    )


def _minute(incident: tables.Incident, minute: int | None) -> str:
    return local(incident.occurred_at + timedelta(minutes=minute))[5:] if minute is not None else "—"


def _people(session: Session, caller: Caller) -> list[Contact]:
    """Who is on the register, with telephones for those who call."""
    found = session.scalars(
        select(Person).where(Person.active).order_by(Person.place_id, Person.duty, Person.id)
    )
    return [
        Contact(
            DUTIES[CallDuty(one.duty)],
            one.name,
            register.phone(one.phone, caller),
            one.place_id,
            one.vehicle_type_id,
        )
        for one in found
    ]
