"""Opening stock (期初): what lies where on the day the books begin, brought in by movements like any other.

Goods are received, and what is sealed off, with a test or in a module is then moved there. It is taken once: a
place that has an item in its books already is not opened again with it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from chubei_shared.china import CHINA, day
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.errors import AppError
from chubei_shared.problems import validation_problem
from chubei_shared.tokens import Caller, Role
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.exchange import cells
from chubei_inventory.exchange.cells import BadCell, Kind, Raw, Said, choice
from chubei_inventory.exchange.columns import Column, Line
from chubei_inventory.movements import movements
from chubei_inventory.stock.pool import sql

KEY: Final = "stock"
NAME: Final = Said("期初库存", "Opening stock")
ROLES: Final = frozenset({Role.ADMIN, Role.CLERK})
_PACKS: Final = {"箱", "整箱", "pack", "packs", "box", "boxes", "case", "carton"}
_UNITS: Final = {"件", "个", "unit", "units", "pc", "pcs"}
_MOST_LINES: Final = 500


class Amount(NamedTuple):
    """A number as written, with the unit that stood beside it, if any."""

    number: int
    unit: str


def _to_amount(raw: Raw) -> Amount:
    words = cells.plain(raw)
    number = words.rstrip("".join(set(words) - set("0123456789., ")))
    return Amount(cells.to_whole(number if isinstance(raw, str) else raw), words[len(number) :].strip())


AMOUNT: Final = Kind(
    _to_amount, int, Said("整数;整箱可写 20箱", "a whole number; packs may be written as 20 packs")
)
_OWNERS = {
    "district": "区级", "superior": "上级调拨", "street": "街道", "donor": "捐赠", "social": "社会储备"
}  # fmt: skip
_STATES = {
    "shelf": "在架", "sealed": "封存", "testing": "送检", "module": "方舱", "lent": "待回收", "transit": "在途",
    "missing": "待查",
}  # fmt: skip
COLUMNS: Final = (
    Column("place_id", "地点编号", cells.ID, True, refers_to="places"),
    Column("place_name", "地点名称", cells.NOTE),
    Column("item_code", "物资编码", cells.ID, True, refers_to="items"),
    Column("item_name", "物资名称", cells.NOTE),
    Column("quantity", "数量", AMOUNT, True),
    Column("unit", "单位", cells.TEXT),
    Column("lot_no", "批号", cells.TEXT, True),
    Column("maker", "生产者", cells.TEXT, True),
    Column("made_on", "生产日期", cells.DATE),
    Column("expires_on", "到期日期", cells.DATE),
    Column("owner", "权属", choice(_OWNERS)),
    Column("state", "状态", choice(_STATES)),
    Column("module_id", "方舱编号", cells.ID),
    Column("counted_on", "盘点日期", cells.DATE),
)
_MADE_ELSEWHERE: Final = {
    "lent": Said("借出的物资不能作为期初", "what is lent is no opening stock"),
    "transit": Said("在途的物资不能作为期初", "what is under way is no opening stock"),
    "missing": Said("没有找到的物资不能作为期初", "what was not found is no opening stock"),
}


_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._#-]{0,79}")
_FIRST_DAY: Final = date(2000, 1, 1)


@dataclass(frozen=True)
class Goods:
    """One row of opening stock: the line of a receipt, and where it then goes."""

    place_id: str
    state: str
    module_id: str | None
    counted_on: date
    line: dict[str, Any]


@dataclass(frozen=True)
class Wrong:
    """A fault of a line: in which column, what is wrong and the remedy."""

    line: Line
    key: str | None
    problem: Said
    remedy: Said


def goods(line: Line, unit: str, pack: int) -> Goods:
    """What a line says, its item being counted in `unit` with `pack` of them in a pack. Raises BadCell.

    The amount is not converted here: the books do, in integers.
    """
    v = line.values
    per_pack = _units_in(v["quantity"].unit or v.get("unit", ""), unit, pack)
    if v["quantity"].unit and v.get("unit") and per_pack != _units_in(v["unit"], unit, pack):
        raise BadCell(Said("与单位一栏不符", "it has another unit than its column"), _as_unit(unit, pack))
    lot = {key: v[key] for key in ("lot_no", "maker", "made_on", "expires_on", "owner") if key in v}
    return Goods(
        v["place_id"],
        v.get("state", "shelf"),
        v.get("module_id"),
        v.get("counted_on") or day(datetime.now(UTC)),
        {
            "item_code": v["item_code"],
            "quantity": v["quantity"].number,
            "units_per_pack": per_pack,
            "lot": lot,
        },
    )


def _units_in(word: str, unit: str, pack: int) -> int:
    """How many units one of `word` is."""
    told = cells.plain(word).casefold()
    if not told or told == cells.plain(unit).casefold():
        return 1
    if told in _PACKS:
        return pack
    if told in _UNITS:
        return 1
    raise BadCell(Said(f"单位“{word}”不明", f"the unit {word} is not known"), _as_unit(unit, pack))


def _as_unit(unit: str, pack: int) -> Said:
    return Said(f"用“{unit}”,或“箱”(每箱 {pack} {unit})", f"write {unit}, or pack (of {pack})")


def refuse_state(line: Line) -> Wrong | None:
    """What can not be opened with: goods that are elsewhere, modules without a number, counts that are to come."""
    state, module = line.values.get("state", "shelf"), line.values.get("module_id")
    if state in _MADE_ELSEWHERE:
        return Wrong(
            line, "state", _MADE_ELSEWHERE[state],
            Said("删去此行,收回、到达或找到时再入库", "delete the row; receive the goods when they come in"),
        )  # fmt: skip
    if (state == "module") != bool(module):
        return Wrong(
            line, "module_id", Said("只在状态为方舱时填写,且必填", "it goes with the state module only, and must"),
            Said("填写方舱编号,或清空", "give the module's number, or clear the cell"),
        )  # fmt: skip
    if module and not _ID.fullmatch(module):
        return Wrong(line, "module_id", Said("格式不符", "it is no such number"), cells.ID.allowed)
    counted_on = line.values.get("counted_on")
    if counted_on and not _FIRST_DAY <= counted_on <= day(datetime.now(UTC)):
        return Wrong(
            line, "counted_on", Said("不在 2000 年至今天之间", "it is not between the year 2000 and today"),
            Said("填写实际盘点的日期", "give the day on which it was counted"),
        )  # fmt: skip
    return None


_OPENED = sql(
    """
    SELECT DISTINCT r.place_id, r.item_code
    FROM unnest(:places, :items) AS r (place_id, item_code)
        JOIN place p ON p.id = r.place_id OR p.parent_id = r.place_id
        JOIN entry e ON e.place_id = p.id AND e.item_code = r.item_code JOIN movement m ON m.seq = e.movement_seq
    WHERE m.reverses_id IS NULL AND NOT EXISTS (SELECT FROM movement u WHERE u.reverses_id = m.id)
    """,
    places="text", items="text",
)  # fmt: skip


def opened(session: Session, wanted: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of (place, item) that have movements already, reversed ones left out."""
    places, items = [place for place, _ in wanted], [item for _, item in wanted]
    return {(r.place_id, r.item_code) for r in session.execute(_OPENED, {"places": places, "items": items})}


def book(
    session: Session, import_id: UUID, rows: Sequence[tuple[Line, Goods]], caller: Caller
) -> tuple[list[UUID], list[Wrong]]:
    """Record the movements that bring opening stock in; their ids, and what the books refused of which line."""
    made: list[UUID] = []
    wrong: list[Wrong] = []
    number = 0
    for kind, chunk in _chunks(rows):
        body = _movement(kind, chunk, uuid5(import_id, str(number := number + 1)))
        refused = _record(session, body, caller)
        if refused is None:
            made.append(UUID(body["id"]))
        elif wrong:
            break  # what follows may fail only because of what came before
        elif len(chunk) == 1:
            wrong.append(_said(chunk[0][0], refused))
        else:
            wrong += _one_by_one(session, kind, chunk, import_id, caller, refused)
    return made, wrong


def _one_by_one(
    session: Session, kind: str, chunk: Sequence[tuple[Line, Goods]], import_id: UUID, caller: Caller, refused: AppError
) -> Iterator[Wrong]:  # fmt: skip
    """The lines for which a movement of many was refused."""
    found = False
    for row in chunk:
        body = _movement(kind, [row], uuid5(import_id, f"row {row[0].number}"))
        if alone := _record(session, body, caller):
            found = True
            yield _said(row[0], alone)
    if not found:
        yield _said(chunk[0][0], refused)


def _said(line: Line, refused: AppError) -> Wrong:
    return Wrong(
        line, "lot_no" if "lot_no" in refused.more else None, Said(refused.detail, refused.detail_en),
        Said("按所述改正", "correct it as said"),
    )  # fmt: skip


def _record(session: Session, body: Mapping[str, Any], caller: Caller) -> AppError | None:
    """Record a movement, or say why not, and leave the books as they were."""
    try:
        with session.begin_nested():
            movements.record(session, MOVEMENT.validate_python(body), caller)
    except AppError as error:
        return error
    except ValidationError as error:  # by what no cell's own check has seen
        told = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        return validation_problem(told, body)
    return None


_AFTER: Final = {"sealed": "seal", "testing": "test", "module": "pack"}


def _chunks(rows: Sequence[tuple[Line, Goods]]) -> Iterator[tuple[str, list[tuple[Line, Goods]]]]:
    """First what is received, then what goes on from the shelf: by place and day, a movement's worth each."""
    receipts: dict[Any, list[tuple[Line, Goods]]] = defaultdict(list)
    onward: dict[Any, list[tuple[Line, Goods]]] = defaultdict(list)
    for row in rows:
        _, g = row
        receipts["receive", g.place_id, g.counted_on].append(row)
        if g.state in _AFTER:
            onward[_AFTER[g.state], g.place_id, g.counted_on, g.module_id].append(row)
    for (kind, *_), all_of in [*receipts.items(), *onward.items()]:
        for first in range(0, len(all_of), _MOST_LINES):
            yield kind, all_of[first : first + _MOST_LINES]


def _movement(kind: str, rows: Sequence[tuple[Line, Goods]], movement_id: UUID) -> dict[str, Any]:
    first = rows[0][1]
    noon = datetime.combine(first.counted_on, time(12), CHINA)
    body = {
        "kind": kind,
        "id": str(movement_id),
        "occurred_at": min(noon, datetime.now(UTC)),
        "place_id": first.place_id,
        "voucher": f"期初 {first.counted_on}",
        "reason": "期初库存 / opening stock",
        "lines": [g.line for _, g in rows],
    }
    return body | ({"module_id": first.module_id} if kind == "pack" else {})


_ROWS = text(
    """
    SELECT coalesce(p.parent_id, p.id) AS place_id, home.name_zh AS place_name, b.item_code, i.name_zh AS item_name,
           b.on_hand AS quantity, i.unit_zh AS unit, l.lot_no, l.maker, l.made_on, l.expires_on, l.owner, p.state,
           CASE p.state WHEN 'module' THEN split_part(substr(p.id, 8), '@', 1) END AS module_id
    FROM balance b JOIN place p ON p.id = b.place_id JOIN place home ON home.id = coalesce(p.parent_id, p.id)
        JOIN lot l ON l.id = b.lot_id JOIN item i ON i.code = b.item_code
    WHERE NOT b.outside AND b.on_hand > 0
    ORDER BY 1, b.item_code, l.lot_no, l.maker, l.expires_on, l.made_on, l.owner, p.id
    """
)


def rows(session: Session) -> Iterator[dict[str, Any]]:
    """Stock as it is now, row by row as it is written."""
    for row in session.execute(_ROWS, execution_options={"yield_per": 1000}):
        yield dict(row._mapping)


def items(session: Session, codes: set[str]) -> dict[str, tuple[str, int]]:
    """Unit and pack of the registered ones of some items."""
    wanted = select(tables.Item.code, tables.Item.unit_zh, tables.Item.pack).where(
        tables.Item.code.in_(codes)
    )
    return {code: (unit, pack) for code, unit, pack in session.execute(wanted)}
