"""What a paper says: the lines of a movement by lot, who had them from whom, and what is left to write by hand."""

from collections.abc import Iterator, Sequence
from datetime import date
from math import ceil
from typing import Any, Final
from uuid import UUID

from chubei_shared.china import local
from chubei_shared.contracts.papers import PaperForm, PaperView
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse

from chubei_inventory import tables
from chubei_inventory.papers.forms import FORMS, Cell, Field
from chubei_inventory.papers.pages import page, qr
from chubei_inventory.stock.pool import sql
from chubei_inventory.stock.queries import ONE_VIEW

# What stands in dispute of an account is a part of what the account had. Lines stand as a picker walks, where the
# place has a register of bins.
_LINES = sql(
    """
    WITH line AS (
    SELECT e.item_code, i.name_zh, i.name_en, i.unit_zh, i.pack, i.weight_g, i.volume_cm3, e.lot_id, l.lot_no, l.maker,
           l.made_on, l.expires_on, regexp_replace(e.place_id, '^disputed:', '') AS account,
           sum(e.quantity)::bigint AS units
    FROM entry e JOIN item i ON i.code = e.item_code JOIN lot l ON l.id = e.lot_id
    WHERE e.movement_seq = ANY(:seqs)
    GROUP BY e.item_code, i.code, e.lot_id, l.id, 13
    HAVING sum(e.quantity) <> 0)
    SELECT line.*, b.code AS bin FROM line LEFT JOIN LATERAL (
        SELECT code, walk_order FROM bin
        WHERE place_id = account AND bin.item_code = line.item_code AND NOT closed ORDER BY walk_order, code LIMIT 1) b
        ON true
    ORDER BY b.walk_order, b.code, line.item_code, expires_on, lot_no, lot_id, account
    """,
    seqs="int",
)
_STATES: Final = {
    "sealed": "封存 sealed",
    "testing": "送检 testing",
    "module": "方舱 module",
    "lent": "待回收 lent",
}
_ROOM: Final = 11
"""Rows of one line of text that a page has room for."""


def show(session: Session, paper: PaperView) -> HTMLResponse:
    """The page of a print: the same at every time, but for a reversal, and for bins, since."""
    session.execute(ONE_VIEW)
    movement = session.scalars(select(tables.Movement).where(tables.Movement.id == paper.movement_id)).one()
    undone = select(tables.Movement.id).where(tables.Movement.reverses_id == movement.id)
    form = FORMS[paper.form]
    found = session.execute(_LINES, {"seqs": _seqs(session, movement, paper.form)}).all()
    counted = paper.form is PaperForm.ACCEPTANCE
    goods = _of_sign(found, 1 if paper.form is PaperForm.RECEIPT else -1)
    rows = list(_counted(found) if counted else _moved(goods))
    return page(
        "paper.html",
        "paper.css",
        form=form,
        paper=paper,
        movement=movement,
        columns=form.columns,
        fields=_fields(session, movement, paper.form),
        pages=list(_pages(rows)),
        total=_total([] if counted else goods, len(rows)),
        reversed_by=session.scalar(undone),
        code=qr(f"chubei:paper:{paper.number}"),
        recorded=local(movement.recorded_at),
        printed=local(paper.printed_at),
    )


def _seqs(session: Session, movement: tables.Movement, form: PaperForm) -> list[int]:
    """A load list has all that its order had aboard when this movement was loaded."""
    if form is not PaperForm.LOAD or movement.order_id is None:
        return [movement.seq]
    m = tables.Movement
    loaded = select(m.seq).where(m.order_id == movement.order_id, m.kind == "issue", m.seq <= movement.seq)
    return list(session.scalars(loaded.order_by(m.seq)))


def _moved(goods: Sequence[Any]) -> Iterator[list[Cell]]:
    """What came onto or left an account, by lot."""
    for number, line in enumerate(goods, start=1):
        units = abs(line.units)
        packs, odd = divmod(units, line.pack)
        state = f"货位 {line.bin}" if line.bin else _STATES.get(line.account.partition(":")[0], "")
        yield [
            *_what(number, line, state),
            Cell(_day(line.made_on)),
            Cell(_day(line.expires_on)),
            Cell(line.unit_zh),
            Cell(f"{units:,}", number=True),
            Cell(f"{packs:,}" + (f" + {odd}" if odd else ""), number=True),
            Cell(f"{units * line.weight_g / 1000:,.1f}", number=True),
            Cell(f"{units * line.volume_cm3 / 1e6:,.2f}", number=True),
        ]


def _of_sign(found: Sequence[Any], sign: int) -> list[Any]:
    """What came in from outside, or went out from where it was; the other halves are not goods of this paper."""
    return [
        line
        for line in found
        if line.units * sign > 0 and (sign < 0 or not line.account.startswith("outside:"))
    ]


def _counted(found: Sequence[Any]) -> Iterator[list[Cell]]:
    """By lot: what was sent, and what of it was received, damaged and short."""
    lots: dict[UUID, dict[str, int]] = {}
    first: dict[UUID, Any] = {}
    for line in found:
        if line.units > 0:
            kind = line.account if line.account in ("outside:damaged", "outside:lost") else "received"
            lots.setdefault(line.lot_id, {})[kind] = line.units
            first.setdefault(line.lot_id, line)
    for number, (lot_id, units) in enumerate(lots.items(), start=1):
        line = first[lot_id]
        counts = (
            sum(units.values()),
            *(units.get(kind, 0) for kind in ("received", "outside:damaged", "outside:lost")),
        )
        yield [
            *_what(number, line, ""),
            Cell(_day(line.expires_on)),
            Cell(line.unit_zh),
            *(Cell(f"{count:,}", number=True) for count in counts),
        ]


def _what(number: int, line: Any, state: str) -> list[Cell]:
    name_en = f"{line.name_en} · {state}" if state else line.name_en
    return [
        Cell(str(number), number=True),
        Cell(line.item_code),
        Cell(line.name_zh, name_en),
        Cell(line.lot_no, line.maker),
    ]


def _total(goods: Sequence[Any], rows: int) -> list[Cell]:
    """The last row. Units of different things are not summed; lines are, and the weight and volume of what they say."""
    blank = Cell("")
    head = [blank, Cell("合计 Total"), Cell(f"共 {rows} 行 lines"), blank]
    if not goods:
        return [*head, *[blank] * 6]
    kg = sum(abs(line.units) * line.weight_g for line in goods) / 1000
    m3 = sum(abs(line.units) * line.volume_cm3 for line in goods) / 1e6
    return [*head, *[blank] * 5, Cell(f"{kg:,.1f}", number=True), Cell(f"{m3:,.2f}", number=True)]


def _pages(rows: Sequence[list[Cell]]) -> Iterator[list[list[Cell]]]:
    """As many rows a page as have room there; long names take more."""
    here: list[list[Cell]] = []
    used = 0
    for row in rows:
        lines = max(ceil(len(cell.text) / 15) + ceil(len(cell.small) / 40) - bool(cell.small) for cell in row)
        if here and used + lines > _ROOM:
            yield here
            here, used = [], 0
        here.append(row)
        used += max(1, lines)
    yield here


def _fields(session: Session, movement: tables.Movement, form: PaperForm) -> list[Field]:
    names = _names(session, movement)
    here = names(movement.place_id)
    when = local(movement.occurred_at)
    details = movement.details
    other = names(details.get("to_place_id") or details.get("issued_from"))
    voucher = Field("凭证号", "Voucher", movement.voucher)
    reason = Field("事由", "Reason", movement.reason)
    match form:
        case PaperForm.RECEIPT:
            return [
                Field("入库地点", "Store", here),
                Field("入库时间", "Received at", when),
                voucher,
                Field("来源", "From", other),
                Field("车牌号", "Truck", ""),
                Field("封签号", "Seal", ""),
                reason,
            ]
        case PaperForm.ISSUE:
            return [
                Field("出库地点", "Store", here),
                Field("出库时间", "Issued at", when),
                voucher,
                Field("领用单位", "To", details.get("recipient", "") or other),
                Field("批准", "Approved", movement.approved_by or ""),
                Field("动用指令", "Order to use", ""),
                reason,
            ]
        case PaperForm.LOAD:
            return [
                Field("装车地点", "Loaded at", here),
                Field("装车时间", "Loaded", when),
                Field("调拨单号", "Order", movement.voucher),
                Field("目的地", "To", other),
                Field("接收人、电话", "Receiver, phone", ""),
                Field("封签号", "Seal", ""),
                Field("车牌号", "Truck", ""),
                Field("驾驶员、电话", "Driver, phone", ""),
                Field("发车时间", "Departs", ""),
            ]
        case PaperForm.ACCEPTANCE:
            return [
                Field("接收地点", "Received at", here),
                Field("接收时间", "Time", when),
                Field("调拨单号", "Order", movement.voucher),
                Field("车牌号", "Truck", ""),
                Field("驾驶员、电话", "Driver, phone", ""),
                Field("封签号", "Seal", ""),
                reason,
            ]


def _names(session: Session, movement: tables.Movement) -> Any:
    """Places by name and id."""
    ids = {movement.place_id, movement.details.get("to_place_id"), movement.details.get("issued_from")} - {
        None
    }
    found = {
        place.id: place.name_zh
        for place in session.scalars(select(tables.Place).where(tables.Place.id.in_(ids)))
    }
    return lambda place_id: f"{found.get(place_id, '')}({place_id})" if place_id else ""


def _day(on: date | None) -> str:
    return on.isoformat() if on else "-"
