"""Planned against actual, by item, store and trip; where the minutes went."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from chubei_shared.contracts.aftermath import (
    ItemAccount,
    Phase,
    PhaseMinutes,
    Replenish,
    StoreAccount,
    TripAccount,
)
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.orders import OrderStatus, StepKind, StepState, Stop
from chubei_shared.contracts.stock import DeliverLine
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation import tables
from chubei_allocation.aftermath import rules
from chubei_allocation.aftermath.rules import Stretch, Told
from chubei_allocation.call_out.tables import Call, Change
from chubei_allocation.dispatch import moves, orders
from chubei_allocation.plans import outcomes, plans

Names = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Trip:
    """An order that was to be carried out, what was reported of it, and the minutes of its reports."""

    order: tables.DispatchOrder
    stops: list[Stop]
    steps: list[tables.OrderStep]
    told: list[Told]
    begin_min: int

    def loaded(self, stop: Stop) -> dict[str, int] | None:
        """{item: units} put aboard at a stop; None: not reported."""
        done = any(told.stop == stop.stop and told.kind is StepKind.LOADED for told in self.told)
        return orders.loaded(self.steps).get(stop.stop, stop.load) if done else None

    def minute(self, stop: int, kind: StepKind) -> int | None:
        return next((t.minute for t in self.told if (t.stop, t.kind) == (stop, kind)), None)


def trips(session: Session, incident: tables.Incident) -> list[Trip]:
    """Of every plan that was in force, by number; without what a replan withdrew."""
    found = list(
        session.scalars(
            select(tables.DispatchOrder)
            .where(
                tables.DispatchOrder.incident_id == incident.id,
                tables.DispatchOrder.status != OrderStatus.WITHDRAWN,
            )
            .order_by(tables.DispatchOrder.number)
        )
    )
    steps = orders.steps_by_order(session, [order.id for order in found])
    decided = {plan.id: plan.decided_at for plan in _plans(session, incident)}
    return [_trip(incident, order, steps[order.id], decided[order.plan_id]) for order in found]


def _trip(
    incident: tables.Incident,
    order: tables.DispatchOrder,
    steps: Sequence[tables.OrderStep],
    decided_at: datetime | None,
) -> Trip:
    done = [step for step in steps if step.state == StepState.DONE]
    told = [Told(s.stop, StepKind(s.step), _minute(incident, s.occurred_at)) for s in done]
    decided = _minute(incident, decided_at) if decided_at else 0
    stops = orders.stops_of(order)
    begin = min([decided if not incident.exercise else stops[0].start_min, *(t.minute for t in told[:1])])
    return Trip(order, stops, done, told, begin)


def _minute(incident: tables.Incident, at: datetime) -> int:
    return ceil((at - incident.occurred_at).total_seconds() / 60)


def _plans(session: Session, incident: tables.Incident) -> list[tables.Plan]:
    """Those that were or are in force."""
    return list(
        session.scalars(
            select(tables.Plan)
            .where(tables.Plan.incident_id == incident.id, tables.Plan.status.in_(["approved", "superseded"]))
            .order_by(tables.Plan.decided_at)
        )
    )


def names(session: Session, incident: tables.Incident) -> dict[str, tuple[str, str]]:
    """What the plans called places and items."""
    told: dict[str, tuple[str, str]] = {}
    for plan in _plans(session, incident):
        told |= outcomes.names(plans.scenario(session, plan))
    return told


def items(found: Sequence[Trip], named: Names) -> list[ItemAccount]:
    planned: Counter[str] = Counter()
    loaded: Counter[str] = Counter()
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for trip in found:
        for stop in trip.stops:
            planned.update(stop.load)
            loaded.update(trip.loaded(stop) or {})
        for line in _received(trip):
            counted[line.item_code].update(received=line.received, damaged=line.damaged, short=line.short)
    return [
        ItemAccount(
            item_code=code,
            name_zh=named.get(code, (code, code))[0],
            name_en=named.get(code, (code, code))[1],
            planned=planned[code],
            loaded=loaded[code],
            received=counted[code]["received"],
            damaged=counted[code]["damaged"],
            short=counted[code]["short"],
        )
        for code in sorted({*planned, *counted})
    ]


def _received(trip: Trip) -> Iterator[DeliverLine]:
    for step in trip.steps:
        if step.step == StepKind.RECEIVED:
            yield from map(DeliverLine.model_validate, step.lines)


def stores(found: Sequence[Trip]) -> list[StoreAccount]:
    at: dict[str, list[tuple[Trip, Stop]]] = defaultdict(list)
    for trip in found:
        for stop in trip.stops:
            if stop.load:
                at[stop.place_id].append((trip, stop))
    return [_store(place_id, calls) for place_id, calls in sorted(at.items())]


def _store(place_id: str, calls: Sequence[tuple[Trip, Stop]]) -> StoreAccount:
    planned_end = max(stop.end_min for _, stop in calls)
    ends = [end for trip, stop in calls if (end := trip.minute(stop.stop, StepKind.LOADED)) is not None]
    loaded = [units for trip, stop in calls if (units := trip.loaded(stop)) is not None]
    return StoreAccount(
        place_id=place_id,
        name_zh=calls[0][1].name_zh,
        name_en=calls[0][1].name_en,
        trips=len({trip.order.id for trip, _ in calls}),
        planned=sum(sum(stop.load.values()) for _, stop in calls),
        loaded=sum(sum(units.values()) for units in loaded),
        planned_end_min=planned_end,
        end_min=max(ends, default=None),
        late_min=max(ends) - planned_end if len(ends) == len(calls) else None,
    )


def trip_accounts(found: Sequence[Trip]) -> list[TripAccount]:
    return [_account(trip) for trip in found]


def _account(trip: Trip) -> TripAccount:
    last = trip.stops[-1]
    end = trip.minute(last.stop, StepKind.RECEIVED)
    spent: Counter[Phase] = Counter()
    for stretch in rules.stretches(trip.stops, trip.told, trip.begin_min):
        spent[stretch.phase] += stretch.minutes
    return TripAccount(
        order_id=trip.order.id,
        number=trip.order.number,
        vehicle=trip.order.vehicle,
        status=trip.order.status,
        planned_start_min=trip.stops[0].start_min,
        start_min=trip.told[0].minute if trip.told else None,
        planned_end_min=last.end_min,
        end_min=end,
        late_min=end - last.end_min if end is not None else None,
        minutes=dict(spent),
        planned_units=sum(sum(stop.deliver.values()) for stop in trip.stops),
        received_units=sum(line.received for line in _received(trip)),
    )


def phases(session: Session, incident: tables.Incident, found: Sequence[Trip]) -> list[PhaseMinutes]:
    """Of trips by what was reported; of the command by when it was recorded."""
    spent = [Stretch(Phase.DECIDING, _between(incident.occurred_at, incident.declared_at))]
    spent += _calling(session, incident)
    for plan in _plans(session, incident):
        asked = session.get_one(tables.PlanRequest, plan.request_id).created_at
        spent.append(Stretch(Phase.PLANNING, _between(asked, plan.created_at)))
        spent.append(Stretch(Phase.APPROVING, _between(plan.created_at, plan.decided_at or plan.created_at)))
    for trip in found:
        spent += rules.stretches(trip.stops, trip.told, trip.begin_min)
    return rules.phases(spent)


def _calling(session: Session, incident: tables.Incident) -> list[Stretch]:
    called = select(Change.at).join(Call, Call.id == Change.call_id).where(Call.incident_id == incident.id)
    first = session.scalar(called.where(Change.move == "call").order_by(Change.at).limit(1))
    last = session.scalar(called.where(Change.move == "present").order_by(Change.at.desc()).limit(1))
    return [Stretch(Phase.CALLING, _between(first, last))] if first and last else []


def _between(start: datetime, end: datetime) -> int:
    return max(0, ceil((end - start).total_seconds() / 60))


def replenish(found: Sequence[Trip], named: Names) -> list[Replenish]:
    """What left the district's shelves."""
    out: Counter[tuple[str, str]] = Counter()
    for trip in found:
        for stop in trip.stops:
            for item, units in (trip.loaded(stop) or {}).items():
                if units and stop.modes.get(item) is Mode.PHYSICAL:
                    out[stop.place_id, item] += units
    return [
        Replenish(
            place_id=place,
            item_code=item,
            name_zh=named.get(item, (item, item))[0],
            name_en=named.get(item, (item, item))[1],
            units=units,
        )
        for (place, item), units in sorted(out.items())
    ]


def brought(found: Sequence[Trip]) -> Counter[str]:
    """Units received sound, by item."""
    told: Counter[str] = Counter()
    for trip in found:
        for line in _received(trip):
            told[line.item_code] += line.received
    return told


def due_back(found: Sequence[Trip]) -> set[str]:
    """The places at which goods of the incident were received."""
    return {stop.place_id for trip in found for stop in trip.stops if stop.deliver}


def unfinished(found: Sequence[Trip]) -> int:
    return sum(bool(moves.following(trip.stops, [(t.stop, t.kind) for t in trip.told])[1]) for trip in found)
