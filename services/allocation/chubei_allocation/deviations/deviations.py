"""Verbs on deviations: reported by whoever sees them, lifted by the command; what stands goes into every plan."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import ceil
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.deviations import (
    DeviationPage,
    DeviationReport,
    DeviationView,
    OrderDelayed,
    PlaceLost,
    SupplyLate,
    SupplyWithdrawn,
    VehicleBroken,
    WayClosed,
    What,
)
from chubei_shared.contracts.orders import OrderStatus
from chubei_shared.errors import Conflict, Invalid, NotFound
from chubei_shared.state_words import zh
from chubei_shared.tokens import Caller
from pydantic import TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chubei_allocation import locks, tables
from chubei_allocation.deviations import rules
from chubei_allocation.deviations.tables import Deviation
from chubei_allocation.dispatch import orders
from chubei_allocation.given import Conditions
from chubei_allocation.incidents import incidents
from chubei_allocation.plans import plan_requests

_MOST = 1000
_WHAT: TypeAdapter[What] = TypeAdapter(What)


def report(session: Session, incident_id: UUID, body: DeviationReport, caller: Caller) -> DeviationView:
    """Write a deviation down. The same again is the same report. Raises Invalid, Conflict, NotFound."""
    locks.one_at_a_time(session, body.id)
    incident = incidents.get(session, incident_id)
    what = body.what.model_dump(mode="json")
    if known := session.get(Deviation, body.id):
        told = (known.incident_id, known.occurred_at, known.what, known.note)
        if told != (incident_id, body.occurred_at, what, body.note):
            raise Conflict(
                f"编号 {body.id} 已用于另一情况,请换新编号",
                f"Id {body.id} is another deviation's: mint a new one",
            )
        return _view(session, incident, [known])[0]
    incidents.check_time(incident, body.occurred_at)
    _check_known(session, incident_id, body.what)
    if session.scalar(select(func.count()).where(Deviation.incident_id == incident_id)) == _MOST:
        raise Conflict(
            f"一次事件最多登记 {_MOST} 条情况,请先解除过时的,再重排",
            f"An incident has at most {_MOST} deviations",
        )
    deviation = Deviation(
        id=body.id,
        incident_id=incident_id,
        occurred_at=body.occurred_at,
        what=what,
        note=body.note,
        reported_by=caller.person,
        reported_at=datetime.now(UTC),
        lift_reason="",
    )
    session.add(deviation)
    session.flush()
    shown = _view(session, incident, [deviation])[0]
    _tell(session, "deviation.reported", shown)
    return shown


def lift(session: Session, deviation_id: UUID, reason: str, caller: Caller) -> DeviationView:
    """Say that a deviation does not hold any more. Lifting again changes nothing. Raises NotFound."""
    deviation = session.get(Deviation, deviation_id, with_for_update=True)
    if deviation is None:
        raise NotFound(f"没有情况 {deviation_id}", f"There is no deviation {deviation_id}")
    incident = incidents.get(session, deviation.incident_id)
    if deviation.lifted_at is None:
        deviation.lifted_by, deviation.lifted_at = caller.person, datetime.now(UTC)
        deviation.lift_reason = reason
        _tell(session, "deviation.lifted", _view(session, incident, [deviation])[0])
    return _view(session, incident, [deviation])[0]


def listed(session: Session, incident_id: UUID) -> DeviationPage:
    """All of an incident, lifted ones too, as they were recorded. Raises NotFound."""
    incident = incidents.get(session, incident_id)
    return DeviationPage(rows=_view(session, incident, _of(session, incident_id)))


def standing(session: Session, incident_id: UUID) -> list[DeviationView]:
    """Those that have not been lifted."""
    return [row for row in listed(session, incident_id).rows if row.lifted_at is None]


def conditions(session: Session, incident_id: UUID, closures: Iterable[tuple[str, str]] = ()) -> Conditions:
    """What those that stand do to the district together, with the ways that are `closures` anyway."""
    standing = [row for row in _of(session, incident_id) if not row.lifted_at]
    return rules.fold((_WHAT.validate_python(row.what) for row in standing), closures)


def now_min(session: Session, incident: tables.Incident) -> int:
    """The minute it is. An exercise is as far as the last thing that was reported in it: it has its own clock."""
    if not incident.exercise:
        return plan_requests.minutes_since(incident.occurred_at)
    steps = (
        select(func.max(tables.OrderStep.occurred_at))
        .join(tables.DispatchOrder, tables.DispatchOrder.id == tables.OrderStep.order_id)
        .where(tables.DispatchOrder.incident_id == incident.id)
    )
    told = select(func.max(Deviation.occurred_at)).where(Deviation.incident_id == incident.id)
    last = [at for at in (session.scalar(steps), session.scalar(told)) if at]
    return max((ceil((at - incident.occurred_at).total_seconds() / 60) + 1 for at in last), default=0)


def _of(session: Session, incident_id: UUID) -> list[Deviation]:
    found = select(Deviation).where(Deviation.incident_id == incident_id)
    return list(session.scalars(found.order_by(Deviation.serial)))


def _check_known(session: Session, incident_id: UUID, what: What) -> None:
    """Whoever reports names what exists; a name that nobody knows would silently change nothing."""
    match what:
        case OrderDelayed():
            order = session.get(tables.DispatchOrder, what.order_id)
            if order is None or order.incident_id != incident_id:
                raise _unknown("order_id", f"此事件没有调拨单 {what.order_id}", f"order {what.order_id}")
            if order.status in (OrderStatus.DONE, OrderStatus.WITHDRAWN):
                raise Conflict(
                    f"调拨单 {order.number} {zh(OrderStatus, order.status)},不会再晚",
                    f"Order {order.number} is {order.status}: it can not be late any more",
                )
        case VehicleBroken():
            kind, _, number = what.vehicle.partition("#")
            fleet = session.get(tables.VehicleType, kind)
            if fleet is None or int(number) > fleet.count:
                raise _unknown("vehicle", f"车队中没有 {what.vehicle}", f"vehicle {what.vehicle}")
        case PlaceLost() | SupplyLate() | SupplyWithdrawn():
            if session.get(tables.LoadingSite, what.place_id) is None:
                raise _unknown("place_id", f"没有装货地 {what.place_id}", f"loading site {what.place_id}")
        case WayClosed():
            for field, place in (("from_id", what.from_id), ("to_id", what.to_id)):
                known = (session.get(of, place) for of in (tables.Shelter, tables.LoadingSite))
                if not any(known):
                    raise _unknown(field, f"没有地点 {place}", f"shelter or loading site {place}")


def _unknown(field: str, zh: str, en: str) -> Invalid:
    return Invalid(f"what.{field}:{zh},请核对编号", f"what.{field}: there is no {en}: correct the id")


def _tell(session: Session, topic: str, shown: DeviationView) -> None:
    body = {
        "deviation_id": str(shown.id),
        "incident_id": str(shown.incident_id),
        "zh": shown.zh,
        "en": shown.en,
    }
    outbox.enqueue(session, topic, {**body, "exercise": shown.exercise})


def _view(session: Session, incident: tables.Incident, rows: Sequence[Deviation]) -> list[DeviationView]:
    names = _names(session, incident.id) if rows else {}
    views = []
    for row in rows:
        what = _WHAT.validate_python(row.what)
        zh, en = rules.words(what, names)
        views.append(
            DeviationView(
                id=row.id,
                incident_id=row.incident_id,
                exercise=incident.exercise,
                occurred_at=row.occurred_at,
                what=what,
                zh=zh,
                en=en,
                note=row.note,
                reported_by=row.reported_by,
                reported_at=row.reported_at,
                lifted_by=row.lifted_by,
                lifted_at=row.lifted_at,
                lift_reason=row.lift_reason,
            )
        )
    return views


def _names(session: Session, incident_id: UUID) -> dict[str, tuple[str, str]]:
    """What people call places, shelters and orders; places by the names that the orders have of them."""
    shelters = select(tables.Shelter.id, tables.Shelter.name_zh, tables.Shelter.name_en)
    names = {row.id: (row.name_zh, row.name_en) for row in session.execute(shelters)}
    for order in session.scalars(
        select(tables.DispatchOrder).where(tables.DispatchOrder.incident_id == incident_id)
    ):
        names[str(order.id)] = (f"调拨单 {order.number}", f"order {order.number}")
        names |= {stop.place_id: (stop.name_zh, stop.name_en) for stop in orders.stops_of(order)}
    return names
