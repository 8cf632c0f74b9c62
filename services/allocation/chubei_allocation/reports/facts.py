"""What the books say of an incident at one moment: the figures of a report, of which nobody edits one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.incidents import IncidentView
from chubei_shared.contracts.network import Shelter, SubDistrict
from chubei_shared.contracts.orders import ServedView, StepKind, StepState
from chubei_shared.contracts.reports import Facts, ItemFigures, StockFigures, StreetFigures
from chubei_shared.contracts.reserves import Snapshot
from chubei_shared.contracts.shelters import RecordKind, RecordState
from chubei_shared.db import Transactions
from chubei_shared.errors import Unavailable
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import needs, tables
from chubei_allocation.deviations import deviations
from chubei_allocation.dispatch import moves, orders, served, under_way
from chubei_allocation.exercise_books import books
from chubei_allocation.incidents import incidents
from chubei_allocation.inventory_gate import InventoryGate
from chubei_allocation.network import network
from chubei_allocation.plans import plans
from chubei_allocation.reports import rules
from chubei_allocation.reports.rules import Moved, Norms, Units
from chubei_allocation.shelters.tables import ShelterRecord

Told = Sequence[Units | None]
"""What is due, has arrived, is on the way, was handed out (None: nobody records it), by place."""
Sums = Sequence[Counter[str] | None]
"""The same of one street, or of all."""
_AWAY = "库存服务不可用,自有库存未知 / inventory was away: the district's own stock is not known"
_NO_NORMS = "没有救助标准可依,应到未知 / no kit is known, and nothing can be said of what is due"
_NOT_HANDED = "已发未登记 / what was handed out is not recorded"
_ELSEWHERE = "other"
_ELSEWHERE_NAMES = ("其他需求点", "other points")


def read_stock(tx: Transactions, inventory: InventoryGate, incident_id: UUID, person: str) -> Snapshot | None:
    """What the district has; None while inventory is away. Never inside a transaction."""
    deadline_at = tx(incidents.current, incident_id).deadline_at
    try:
        with books.of(tx, inventory, incident_id, person) as client:
            return client.snapshot(needed_by=deadline_at)
    except Unavailable:
        return None


def facts(session: Session, incident_id: UUID, stock: Snapshot | None) -> tuple[Facts, dict[str, int]]:
    """The figures as of now, and what a request to the city would ask first. Raises NotFound."""
    row = incidents.get(session, incident_id)
    incident = incidents.view(session, row)
    shelters = {one.id: one for one in network.rows(session, Shelter)}
    norms = _norms(session, incident, shelters, stock)
    given = _handed_out(session, incident_id)
    due = rules.due(incident.points, incident.demands, incident.granted, norms)
    moved = _moved(session, incident_id)
    account = served.show(session, incident_id)
    in_force = plans.approved(session, incident_id)
    stock_rows = _stock(session, stock, moved, due, norms) if stock else []
    own = {one.item_code: one.in_store + one.agreed for one in stock_rows}
    minute = deviations.now_min(session, row)
    told = Facts(
        data_at=datetime.now(UTC),
        minute=minute,
        minutes_left=max(0, row.deadline_min - minute),
        incident_kind=incident.kind,
        level=incident.level,
        name=incident.name,
        place=incident.place,
        occurred_at=incident.occurred_at,
        declared_at=incident.declared_at,
        deadline_at=incident.deadline_at,
        exercise=incident.exercise,
        people=incident.people,
        groups=dict(sum((Counter(point.groups) for point in incident.points), Counter())),
        shelters=len(incident.points),
        served=account.served,
        planned=account.planned,
        plan_id=in_force.id if in_force else None,
        plan_hash=in_force.snapshot_hash if in_force else None,
        orders=dict(Counter(one.status for one in under_way.of_incident(session, incident_id))),
        streets=_streets(session, shelters, account, [due, moved.arrived, moved.on_the_way, given], norms),
        items=_items(_totals([due, moved.arrived, moved.on_the_way, given]), norms),
        stock_at=stock.taken_at if stock else None,
        stock=stock_rows,
        notes=_notes(norms, stock, given),
    )
    return told, rules.to_ask(rules.total(due), moved, own)


def _totals(told: Told) -> Sums:
    return [None if units is None else rules.total(units) for units in told]


def _handed_out(session: Session, incident_id: UUID) -> Units | None:
    """By shelter and item, as keepers recorded it; None while nobody has recorded anything."""
    row = ShelterRecord
    found = session.scalars(
        select(row).where(
            row.incident_id == incident_id, row.kind == RecordKind.HAND_OUT, row.state == RecordState.DONE
        )
    ).all()
    given: Units = defaultdict(Counter)
    for one in found:
        given[one.shelter_id].update(one.units)
    return given if found else None


def _notes(norms: Norms, stock: Snapshot | None, given: Units | None) -> list[str]:
    told = [_NOT_HANDED] if given is None else []
    if stock is None:
        told.append(_AWAY)
    if not norms.at:
        told.append(_NO_NORMS)
    return told


def _norms(
    session: Session, incident: IncidentView, shelters: Mapping[str, Shelter], stock: Snapshot | None
) -> Norms:
    """By the catalogue as it is; while inventory is away, as the incident's newest plan had it."""
    if stock:
        kit_at = needs.kits_of(incident, shelters, {kit.id: kit for kit in stock.kits}, [])
        return rules.norms(kit_at, stock.kits, stock.items)
    newest = session.scalar(
        select(tables.Plan)
        .where(tables.Plan.incident_id == incident.id)
        .order_by(tables.Plan.created_at.desc())
        .limit(1)
    )
    return rules.norms_of(plans.scenario(session, newest)) if newest else Norms({}, {})


def _moved(session: Session, incident_id: UUID) -> Moved:
    """What the orders' steps say: sound at its point, still on a truck, and loaded in all."""
    arrived: Units = defaultdict(Counter)
    coming: Units = defaultdict(Counter)
    out: Counter[str] = Counter()
    found = under_way.of_incident(session, incident_id)
    steps = orders.steps_by_order(session, [order.id for order in found])
    for order in found:
        done = [step for step in steps[order.id] if step.state == StepState.DONE]
        loaded, stops, received = orders.loaded(done), orders.stops_of(order), set()
        for units in loaded.values():
            out.update(units)
        for step in done:
            if step.step == StepKind.RECEIVED:
                received.add(step.stop)
                for line in step.lines:
                    arrived[stops[step.stop].place_id][line["item_code"]] += line["received"]
        if not loaded:
            continue
        aboard = {stop.stop: loaded.get(stop.stop, {}) for stop in stops if stop.load}
        for stop, units in zip(stops, moves.due(stops, aboard), strict=True):
            if stop.deliver and stop.stop not in received:
                coming[stop.place_id].update(units)
    return Moved(arrived, coming, out)


def _streets(
    session: Session,
    shelters: Mapping[str, Shelter],
    account: ServedView,
    told: Told,
    norms: Norms,
) -> list[StreetFigures]:
    """By sub-district; sites of the incident's own stand together at the end."""
    names = {one.id: (one.name_zh, one.name_en) for one in network.rows(session, SubDistrict)}

    def street(place: str) -> str:
        return shelters[place].subdistrict_id if place in shelters else _ELSEWHERE

    sums = [None if units is None else _by_street(units, street) for units in told]
    people: Counter[str] = Counter()
    supported: Counter[str] = Counter()
    for row in account.rows:
        people[street(row.shelter_id)] += row.people
        supported[street(row.shelter_id)] += row.served
    streets = sorted(
        {*people, *(one for units in sums if units for one in units)},
        key=lambda one: (one == _ELSEWHERE, one),
    )
    return [
        StreetFigures(
            subdistrict_id=one,
            name_zh=names.get(one, _ELSEWHERE_NAMES)[0],
            name_en=names.get(one, _ELSEWHERE_NAMES)[1],
            people=people[one],
            served=supported[one],
            items=_items([None if units is None else units[one] for units in sums], norms),
        )
        for one in streets
    ]


def _by_street(units: Units, street: Callable[[str], str]) -> Units:
    summed: Units = defaultdict(Counter)
    for place, at_one in units.items():
        summed[street(place)].update(at_one)
    return summed


def _items(sums: Sums, norms: Norms) -> list[ItemFigures]:
    due, arrived, coming = (one or Counter() for one in sums[:3])
    given = sums[3]
    return [
        ItemFigures(
            item_code=code,
            name_zh=norms.names.get(code, (code, code))[0],
            name_en=norms.names.get(code, (code, code))[1],
            due=due[code],
            arrived=arrived[code],
            on_the_way=coming[code],
            handed_out=None if given is None else given[code],
            gap=max(0, due[code] - arrived[code]),
        )
        for code in sorted({*due, *arrived, *coming, *(given or ())})
    ]


def _stock(session: Session, stock: Snapshot, moved: Moved, due: Units, norms: Norms) -> list[StockFigures]:
    """Of the items that somebody needs or that were used, where the district can load them."""
    sites = set(session.scalars(select(tables.LoadingSite.place_id)))
    in_store: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    for row in (row for row in stock.supply if row.place_id in sites):
        (in_store if row.mode is Mode.PHYSICAL else agreed)[row.item_code] += row.quantity
    return [
        StockFigures(
            item_code=code,
            name_zh=norms.names.get(code, (code, code))[0],
            name_en=norms.names.get(code, (code, code))[1],
            in_store=in_store[code],
            agreed=agreed[code],
            used=moved.loaded[code],
        )
        for code in sorted({*rules.total(due), *moved.loaded})
    ]
