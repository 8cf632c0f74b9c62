"""Reserves that are not on a shelf: agreements, makers' commitments, funds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, assert_never
from uuid import UUID, uuid4

from chubei_shared.china import day
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.reserves import Agreement, Commitment, Fund, Reserve, ReservePage, ReserveView
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.editions import etag_of, refuse_other_edition
from chubei_shared.errors import AppError, Conflict, Invalid, NotFound
from pydantic import TypeAdapter
from sqlalchemy import insert, select, tuple_, update
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.firmness import evidence
from chubei_inventory.firmness.basis import Standing, standing
from chubei_inventory.firmness.rules import Evidence
from chubei_inventory.ledger.laws import OWN_PREFIXES
from chubei_inventory.reserves import funds
from chubei_inventory.stock.pool import lock, sql
from chubei_inventory.stock.queries import FREED

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


Put = tuple[Reserve, str | None]
"""A reserve to register or change, and the edition (If-Match) that it is to replace."""


def put(session: Session, reserve: Reserve, if_match: str | None = None) -> ReserveView:
    """Register a reserve, or change what was agreed; the same again changes nothing. Raises as `put_all` answers."""
    for refused in put_all(session, [(reserve, if_match)]):
        if refused is not None:
            raise refused
    return get(session, reserve.id)


def put_all(session: Session, asked: Sequence[Put]) -> list[AppError | None]:
    """Register or change reserves, each id once, and one after the other; of each, why it was refused.

    The number of statements does not grow with them. What a reserve is (mode, item, place) stays; its quantity does not
    fall below what is held and used. Refusals: Invalid, Conflict; PreconditionRequired or PreconditionFailed where
    `if_match` does not name the present edition.
    """
    books = _Books(session, [reserve for reserve, _ in asked])
    answers: list[AppError | None] = []
    for reserve, if_match in asked:
        try:
            books.take(reserve, if_match)
        except AppError as refused:
            answers.append(refused)
        else:
            answers.append(None)
    books.write()
    return answers


class _Books:
    """What the books have beside some reserves, read and locked at once; then what is to be written of them."""

    def __init__(self, session: Session, asked: Sequence[Reserve]) -> None:
        self._session = session
        # Two reserves for one place are registered one after the other, so that an overlap is seen.
        places = select(tables.Place.id).where(tables.Place.id.in_({r.place_id for r in asked}))
        self._places = set(session.scalars(places.order_by(tables.Place.id).with_for_update(key_share=True)))
        items = select(tables.Item.code).where(tables.Item.code.in_({r.item_code for r in asked}))
        self._items = set(session.scalars(items))
        self._left = funds.left(
            session, {r.account_id for r in asked if isinstance(r, Fund) and r.account_id}
        )
        of = select(tables.Lot.reserve_id, tables.Lot.id).where(
            tables.Lot.reserve_id.in_({r.id for r in asked})
        )
        self._lots: dict[str, UUID] = {str(row.reserve_id): row.id for row in session.execute(of)}
        if self._lots:
            lock(session, lots=self._lots.values())
        t = tables.Reserve
        old = select(t).where(t.id.in_({r.id for r in asked})).execution_options(populate_existing=True)
        self._old = {row.id: row for row in session.scalars(old)}
        self._terms: dict[tuple[str, str, str], dict[str, tuple[date, date]]] = defaultdict(dict)
        beside = select(t.id, t.place_id, t.item_code, t.mode, t.valid_from, t.valid_until)
        named = tuple_(t.place_id, t.item_code).in_({(r.place_id, r.item_code) for r in asked})
        for row in session.execute(beside.where(named).order_by(t.id)):
            self._terms[row.place_id, row.item_code, row.mode][row.id] = (row.valid_from, row.valid_until)
        self._new: list[Reserve] = []
        self._changed: list[Reserve] = []

    def take(self, reserve: Reserve, if_match: str | None) -> None:
        """Have it written with the others. Raises what `put_all` answers."""
        if reserve.place_id not in self._places or reserve.place_id.startswith(OWN_PREFIXES):
            raise _invalid("place_id", reserve.place_id, "PUT /v1/places/{id}")
        if reserve.item_code not in self._items:
            raise _invalid("item_code", reserve.item_code, "PUT /v1/items/{code}")
        old = self._old.get(reserve.id)
        edition = None if old is None else etag_of(as_reserve(old))
        if edition == etag_of(reserve):
            return
        refuse_other_edition(if_match, edition)
        _refuse_to_come(reserve)
        terms = self._terms[reserve.place_id, reserve.item_code, reserve.mode]
        _refuse_overlap(reserve, terms)
        if old is not None:
            _refuse_other_identity(old, reserve)
            _refuse_too_few(old, units(reserve))
        if isinstance(reserve, Fund):
            self._allot(reserve, old)
        terms[reserve.id] = (reserve.valid_from, reserve.valid_until)
        (self._new if old is None else self._changed).append(reserve)

    def _allot(self, part: Fund, old: tables.Reserve | None) -> None:
        """Take a part of a fund from what is left of it; what it had before is free again."""
        left = dict(self._left)
        if old is not None and old.account_id in left:
            left[old.account_id] += old.budget_fen or 0
        funds.refuse_over_budget(part, left)
        if part.account_id is not None:
            left[part.account_id] -= part.budget_fen
        self._left = left

    def write(self) -> None:
        """Write what was taken."""
        if self._new:
            self._session.execute(insert(tables.Reserve), [_values(reserve) for reserve in self._new])
            self._session.execute(insert(tables.Lot), [_lot(reserve) for reserve in self._new])
        if self._changed:
            self._session.execute(update(tables.Reserve), [_values(reserve) for reserve in self._changed])
            makers = [{"id": self._lots[reserve.id], "maker": reserve.party} for reserve in self._changed]
            self._session.execute(update(tables.Lot), makers)
        self._session.expire_all()


def _values(reserve: Reserve) -> dict[str, Any]:
    told = {"provenance": reserve.provenance.model_dump(mode="json"), "quantity": units(reserve)}
    return reserve.model_dump() | told


def _refuse_to_come(reserve: Reserve) -> None:
    """Nothing has been verified on a day to come: its quantity would count as firm for longer than a year."""
    if reserve.last_verified_on is not None and reserve.last_verified_on > day(datetime.now(UTC)):
        raise Invalid(
            f"last_verified_on:{reserve.last_verified_on} 在将来,请填实际核实的日期",
            f"last_verified_on: {reserve.last_verified_on} is to come: give the day on which it was verified",
            errors=[
                {"field": "last_verified_on", "problem": "在将来 / is to come",
                 "remedy": "填实际核实的日期 / give the day on which it was verified"}
            ],
        )  # fmt: skip


def _lot(reserve: Reserve) -> dict[str, Any]:
    """The lot that stands for what is called off from a reserve; its lock is the reserve's."""
    return {
        "id": uuid4(), "item_code": reserve.item_code, "maker": reserve.party, "lot_no": reserve.id,
        "reserve_id": reserve.id,
    }  # fmt: skip


def _invalid(field: str, value: str, remedy: str) -> Invalid:
    return Invalid(
        f"{field}:{value} 未登记,请先登记:{remedy}",
        f"{field}: {value} is not registered: register it first, {remedy}",
        errors=[{"field": field, "problem": f"{value} is not registered", "remedy": remedy}],
    )


def _refuse_overlap(reserve: Reserve, terms: Mapping[str, tuple[date, date]]) -> None:
    """A supply row is named by place, item and mode, so at any time one reserve stands behind it."""
    for other, (first, last) in terms.items():
        if other != reserve.id and first <= reserve.valid_until and last >= reserve.valid_from:
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
