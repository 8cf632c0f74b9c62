"""Reserves that are not on a shelf: agreements, makers' commitments, funds."""

from datetime import UTC, date, datetime
from typing import Any, assert_never
from uuid import uuid4

from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.reserves import Agreement, Commitment, Fund, Reserve, ReservePage, ReserveView
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import Conflict, Invalid, NotFound
from pydantic import TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chubei_inventory import evidence, funds, tables
from chubei_inventory.basis import Standing, standing
from chubei_inventory.fefo import day
from chubei_inventory.firmness import Evidence
from chubei_inventory.ledger import OWN_PREFIXES
from chubei_inventory.pool import lock, sql
from chubei_inventory.queries import FREED

_RESERVE: TypeAdapter[Reserve] = TypeAdapter(Reserve)
_IDENTITY = ("mode", "item_code", "place_id")
_FREED = sql(
    f"WITH freed AS ({FREED}) SELECT reserve_id, quantity FROM freed WHERE reserve_id IS NOT NULL",  # noqa: S608
    releasing="uuid",
)


def units(reserve: Reserve) -> int:
    """The units of its item that a reserve is good for."""
    match reserve:
        case Agreement() | Commitment():
            return reserve.quantity
        case Fund():
            return reserve.budget_fen // reserve.unit_price_fen
        case _:
            assert_never(reserve)


def put(session: Session, reserve: Reserve, if_match: str | None = None) -> ReserveView:
    """Register a reserve, or change what was agreed; the same again changes nothing.

    What it is (mode, item, place) stays; its quantity does not fall below what is held and used. Raises Invalid,
    Conflict; PreconditionRequired or PreconditionFailed where `if_match` does not name the present edition.
    """
    _lock_place(session, reserve)
    old = session.get(tables.Reserve, reserve.id)
    edition = None if old is None else etag_of(as_reserve(old))
    if edition == etag_of(reserve):
        return get(session, reserve.id)
    refuse_other_edition(if_match, edition)
    _refuse_overlap(session, reserve)
    if isinstance(reserve, Fund):
        funds.refuse_over_budget(session, reserve)
    values = {**reserve.model_dump(), "provenance": reserve.provenance.model_dump(mode="json")}
    values["quantity"] = units(reserve)
    if old is None:
        session.add(tables.Reserve(**values))
        session.flush()
        session.add(_lot(reserve))
    else:
        _refuse_other_identity(old, reserve)
        lot_id = session.scalars(select(tables.Lot.id).where(tables.Lot.reserve_id == reserve.id)).one()
        lock(session, lots=[lot_id])
        session.refresh(old)
        _refuse_too_few(old, values["quantity"])
        session.execute(update(tables.Reserve).where(tables.Reserve.id == reserve.id).values(values))
        session.execute(update(tables.Lot).where(tables.Lot.id == lot_id).values(maker=reserve.party))
    session.flush()
    session.expire_all()
    return get(session, reserve.id)


def _lot(reserve: Reserve) -> tables.Lot:
    """The lot that stands for what is called off from a reserve; its lock is the reserve's."""
    return tables.Lot(
        id=uuid4(),
        item_code=reserve.item_code,
        maker=reserve.party,
        lot_no=reserve.id,
        reserve_id=reserve.id,
    )


def _lock_place(session: Session, reserve: Reserve) -> None:
    """Two reserves for one place are registered one after the other, so that an overlap is seen."""
    place = select(tables.Place.id).where(tables.Place.id == reserve.place_id).with_for_update(key_share=True)
    if reserve.place_id.startswith(OWN_PREFIXES) or session.scalar(place) is None:
        raise _invalid("place_id", reserve.place_id, "PUT /v1/places/{id}")
    if session.get(tables.Item, reserve.item_code) is None:
        raise _invalid("item_code", reserve.item_code, "PUT /v1/items/{code}")


def _invalid(field: str, value: str, remedy: str) -> Invalid:
    return Invalid(
        f"{field}:{value} 未登记,请先登记:{remedy}",
        f"{field}: {value} is not registered: register it first, {remedy}",
        errors=[{"field": field, "problem": f"{value} is not registered", "remedy": remedy}],
    )


def _refuse_overlap(session: Session, reserve: Reserve) -> None:
    """A supply row is named by place, item and mode, so at any time one reserve stands behind it."""
    r = tables.Reserve
    other = session.scalar(
        select(r.id)
        .where(r.place_id == reserve.place_id, r.item_code == reserve.item_code, r.mode == reserve.mode)
        .where(r.id != reserve.id, r.valid_from <= reserve.valid_until, r.valid_until >= reserve.valid_from)
        .limit(1)
    )
    if other is not None:
        raise Conflict(
            f"{other} 在同一时期已覆盖 {reserve.place_id} 的 {reserve.item_code};请先终止它,或改其数量",
            f"{other} covers {reserve.item_code} at {reserve.place_id} in that time: end it first, or change it",
            reserve_id=other,
        )


def _refuse_other_identity(old: tables.Reserve, reserve: Reserve) -> None:
    for field in _IDENTITY:
        if (was := getattr(old, field)) != getattr(reserve, field):
            raise Conflict(
                f"{reserve.id} 的 {field} 是 {was},不能更改;请终止它,另登记一条",
                f"{field} of {reserve.id} is {was} and stays so: end it and register another",
                field=field,
            )


def _refuse_too_few(old: tables.Reserve, quantity: int) -> None:
    if quantity < old.held + old.used:
        raise Conflict(
            f"{old.id} 已预留 {old.held}、已用 {old.used},数量不能降到 {quantity};请先释放预留",
            f"{old.id} has {old.held} held and {old.used} used, so {quantity} is too few: release holds first",
            held=old.held,
            used=old.used,
        )


def get(session: Session, reserve_id: str) -> ReserveView:
    """Raises NotFound."""
    row = session.get(tables.Reserve, reserve_id)
    if row is None:
        raise NotFound(f"没有储备记录 {reserve_id}", f"There is no reserve {reserve_id}")
    return _views(session, [row])[0]


def page(
    session: Session,
    item_code: str | None,
    place_id: str | None,
    mode: Mode | None,
    cursor: str | None,
    limit: int,
) -> ReservePage:
    r = tables.Reserve
    wanted = select(r).order_by(r.id).limit(limit + 1)
    for column, value in ((r.item_code, item_code), (r.place_id, place_id), (r.mode, mode)):
        if value is not None:
            wanted = wanted.where(column == value)
    if after := key_of(cursor, name):
        wanted = wanted.where(r.id > after[0])
    found = list(session.scalars(wanted))
    rows = _views(session, found[:limit])
    return ReservePage(rows=rows, next_cursor=cursor_of(rows[-1].reserve.id) if len(found) > limit else None)


def _views(session: Session, rows: list[tables.Reserve]) -> list[ReserveView]:
    freed = {row.reserve_id: int(row.quantity) for row in session.execute(_FREED, {"releasing": []})}
    known = evidence.read(session, [row.id for row in rows])
    today = day(datetime.now(UTC))
    return [_view(row, row.held - freed.get(row.id, 0), known[row.id], today) for row in rows]


def _view(row: tables.Reserve, held: int, known: Evidence, today: date) -> ReserveView:
    stands = standing_of(row, held, known, today)
    return ReserveView(
        reserve=as_reserve(row),
        quantity=row.quantity,
        held=held,
        used=row.used,
        available=max(0, row.quantity - held - row.used - known.lost),
        firm=stands.firm,
        likely=stands.likely,
        basis=stands.basis,
        usable=row.valid_from <= today <= row.valid_until,
    )


def standing_of(row: Any, held: int, known: Evidence, today: date) -> Standing:
    """Where a row of the table reserve stands, `held` of it being held."""
    return standing(row.quantity, agreed_min(row), row.rate_per_hour, held, row.used, known, today)


def agreed_min(row: Any) -> int:
    """Minutes from an order to the first unit, as agreed, of a row of the table reserve."""
    parts = (row.lead_min, row.conversion_min, row.ramp_min, row.approval_min, row.delivery_min)
    return sum(part for part in parts if part is not None)


def as_reserve(row: Any) -> Reserve:
    """A row of the table reserve as the contract's record."""
    return _RESERVE.validate_python(row, from_attributes=True)
