"""Labels for lots, stacks and relief modules: a QR code of a short text, and the same for people in two languages.

The text stays true as long as the thing does: chubei:lot:<id>, chubei:bin:<place>/<item>, chubei:module:<id>.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from chubei_shared.contracts.papers import BinLabel, Label, LabelSheet, LotLabel, ModuleLabel
from chubei_shared.errors import Invalid
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse

from chubei_inventory import tables
from chubei_inventory.bins import bins
from chubei_inventory.ledger import laws
from chubei_inventory.papers.pages import page, qr

_A4_MM = (210, 297)
_OWNERS = {
    "district": "区级",
    "superior": "上级调拨",
    "street": "街道",
    "donor": "捐赠",
    "social": "社会储备",
}


@dataclass(frozen=True)
class Sticker:
    """What stands on one label; `date` is what the eye must find."""

    kind: str
    name: str
    name_en: str
    told: list[str]
    date_said: str
    date: str
    code: Markup


def labels(session: Session, asked: LabelSheet) -> list[Sticker]:
    """Raises Invalid for a lot, place, item or module that is not there."""
    return [_sticker(session, label, f"labels.{number}") for number, label in enumerate(asked.labels)]


def sheet(asked: LabelSheet, stickers: Iterable[Sticker]) -> HTMLResponse:
    """The page: each label `copies` times, filling sheet after sheet."""
    all_of = [sticker for sticker in stickers for _ in range(asked.copies)]
    single = asked.sheet == "single"
    columns, rows = (1, 1) if single else (_fit(asked, 0, asked.width_mm), _fit(asked, 1, asked.height_mm))
    here = columns * rows
    code_mm = min(asked.height_mm * 0.55, asked.width_mm * 0.4, 40)
    return page(
        "label.html", "label.css", sheets=[all_of[first : first + here] for first in range(0, len(all_of), here)],
        single=single, columns=columns, width_mm=f"{asked.width_mm:g}", height_mm=f"{asked.height_mm:g}",
        margin_mm=f"{asked.margin_mm:g}", gap_mm=f"{asked.gap_mm:g}", code_mm=f"{code_mm:.1f}",
        name_pt=f"{min(16, asked.height_mm / 4):.1f}", date_pt=f"{min(26, asked.width_mm / 4.6):.1f}",
    )  # fmt: skip


def _fit(asked: LabelSheet, side: int, size_mm: float) -> int:
    """How many labels stand beside or below one another on A4."""
    room = _A4_MM[side] - 2 * asked.margin_mm + asked.gap_mm
    return max(1, int(room // (size_mm + asked.gap_mm)))


def _sticker(session: Session, label: Label, field: str) -> Sticker:
    match label:
        case LotLabel():
            return _lot(session, label, field)
        case BinLabel():
            return _bin(session, label, field)
        case ModuleLabel():
            return _module(session, label, field)
        case _:
            assert_never(label)


def _lot(session: Session, label: LotLabel, field: str) -> Sticker:
    lot = _there(session, tables.Lot, label.lot_id, f"{field}.lot_id")
    item = session.get_one(tables.Item, lot.item_code)
    made = f"生产 Made {lot.made_on}" if lot.made_on else ""
    told = [
        f"{item.code}  {item.pack} {item.unit_zh}/箱 per pack", f"批号 Lot {lot.lot_no}", f"生产者 Maker {lot.maker}",
        made, f"权属 Owner {_OWNERS.get(lot.owner, lot.owner)} {lot.owner}",
    ]  # fmt: skip
    return Sticker(
        "批次 LOT", item.name_zh, item.name_en, [line for line in told if line],
        "到期 EXP" if lot.expires_on else "无到期日 No expiry", str(lot.expires_on or ""), qr(f"chubei:lot:{lot.id}"),
    )  # fmt: skip


def _bin(session: Session, label: BinLabel, field: str) -> Sticker:
    place = _there(session, tables.Place, label.place_id, f"{field}.place_id")
    item = _there(session, tables.Item, label.item_code, f"{field}.item_code")
    told = [
        f"{item.code}  {item.pack} {item.unit_zh}/箱 per pack", f"{place.name_zh} {place.name_en}", place.id,
        f"每箱约 {item.pack * item.weight_g / 1000:.1f} kg per pack",
    ]  # fmt: skip
    code = qr(f"chubei:bin:{place.id}/{item.code}")
    where = bins.label(session, place.id, item.code, label.bin, f"{field}.bin")
    said = "货位 Bin" if where else "货垛 Stack"
    return Sticker("货位 BIN", item.name_zh, item.name_en, told, said, where, code)


def _module(session: Session, label: ModuleLabel, field: str) -> Sticker:
    place = _there(session, tables.Place, label.place_id, f"{field}.place_id")
    account = laws.module(label.module_id, label.place_id)
    inside = (
        select(tables.Item.name_zh, tables.Item.unit_zh, tables.Balance.on_hand, tables.Lot.expires_on)
        .join(tables.Item, tables.Item.code == tables.Balance.item_code)
        .join(tables.Lot, tables.Lot.id == tables.Balance.lot_id)
        .where(tables.Balance.place_id == account, tables.Balance.on_hand > 0)
        .order_by(tables.Item.code)
    )
    found = session.execute(inside).all()
    if not found:
        raise _missing(f"{field}.module_id", account)
    units: dict[tuple[str, str], int] = {}
    for name, unit, on_hand, _ in found:
        units[name, unit] = units.get((name, unit), 0) + on_hand
    told = [
        f"{place.name_zh} {place.name_en}",
        *(f"{name} {count} {unit}" for (name, unit), count in units.items()),
    ]
    soonest = min((row.expires_on for row in found if row.expires_on), default=None)
    return Sticker(
        "方舱 MODULE", f"应急物资方舱 {label.module_id}", "Relief module", told,
        "最早到期 First EXP" if soonest else "无到期日 No expiry", str(soonest or ""),
        qr(f"chubei:module:{label.module_id}"),
    )  # fmt: skip


def _there(session: Session, table: Any, key: Any, field: str) -> Any:
    if (found := session.get(table, key)) is None:
        raise _missing(field, key)
    return found


def _missing(field: str, key: object) -> Invalid:
    return Invalid(
        f"{field}:没有 {key},请核对",
        f"{field}: there is no {key}: check it",
        errors=[{"field": field, "problem": f"{key} 不存在 / is not there", "remedy": "核对编号 / check it"}],
    )
