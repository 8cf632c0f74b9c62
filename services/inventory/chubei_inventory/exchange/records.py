"""What happened, as it goes out: every table of the inventory but its queue of messages. It never comes in again."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from chubei_shared.errors import NotFound
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from chubei_inventory.exchange.cells import CONTACTS, NO_PHONES, Said
from chubei_inventory.exchange.writing import Value
from chubei_inventory.tables import Base

PREFIX: Final = "table-"
_NOT_OUT: Final = {"outbox"}
_KEPT: Final = {"body_hash", "xact"}
"""The database's own."""
_PIECE: Final = 2_000
_NAMES: Final = {
    "audit": ("审计", "Audit"),
    "balance": ("余额", "Balances"),
    "bin": ("货位", "Bins"),
    "call_off": ("调用", "Call-offs"),
    "call_off_step": ("调用步骤", "Steps of call-offs"),
    "care_rule": ("养护规则", "Rules of care"),
    "care_run": ("养护核查", "Runs of care"),
    "care_step": ("养护任务经过", "Steps of care tasks"),
    "care_stock": ("在库起始日", "Since when stock is where it is"),
    "care_task": ("养护任务", "Tasks of care"),
    "catalogue_draft": ("目录草案", "Drafts of the catalogue"),
    "catalogue_entry": ("目录历史", "History of the catalogue"),
    "catalogue_version": ("目录版本", "Versions of the catalogue"),
    "declaration": ("申报", "Declarations"),
    "entry": ("流水分录", "Entries of movements"),
    "fund_account": ("资金", "Funds"),
    "hold": ("预留", "Holds"),
    "hold_line": ("预留明细", "Lines of holds"),
    "import_run": ("导入记录", "Imports"),
    "item": ("物资登记", "Register of items"),
    "lot": ("批次", "Lots"),
    "lot_change": ("批次质量变更", "Changes of lots' quality"),
    "movement": ("库存变动流水", "Movements"),
    "paper": ("打印记录", "Papers printed"),
    "parked": ("待审流水", "Parked movements"),
    "parked_effect": ("待审流水的影响", "Effects of parked movements"),
    "place": ("账户", "Places and accounts"),
    "proof_finding": ("账实核对的差异", "Differences that proofs found"),
    "proof_run": ("账实核对", "Proofs of the books"),
    "recall": ("召回", "Recalls"),
    "reserve": ("储备及其占用", "Reserves, held and used"),
    "return_rule": ("回收期限", "Return rules"),
    "seal": ("封印", "Seals"),
    "verification": ("核验", "Verifications"),
}


def names() -> dict[str, Said]:
    """The tables that go out by themselves, by their keys."""
    found = sorted(set(Base.metadata.tables) - _NOT_OUT)
    return {f"{PREFIX}{name.replace('_', '-')}": Said(*_NAMES.get(name, (name, name))) for name in found}


def table_of(key: str) -> Table:
    """Raises NotFound."""
    if key not in names():
        raise NotFound(f"没有 {key},见 GET /v1/lists", f"There is no list {key}: see GET /v1/lists")
    return Base.metadata.tables[key.removeprefix(PREFIX).replace("-", "_")]


def columns(key: str) -> list[str]:
    return [column.name for column in table_of(key).columns if column.name not in _KEPT]


def rows(session: Session, key: str, phones: bool) -> Iterator[list[Value]]:
    """All rows of a table in the order of its key, through a cursor."""
    table = table_of(key)
    wanted = select(*(table.c[name] for name in columns(key))).order_by(*table.primary_key.columns)
    people = CONTACTS if phones else NO_PHONES
    written: list[Callable[[Any], Value]] = [
        people.write if name == "contacts" else _value for name in columns(key)
    ]
    for row in session.execute(wanted, execution_options={"yield_per": _PIECE}):
        yield [write(value) for write, value in zip(written, row, strict=True)]


def _value(value: Any) -> Value:
    match value:
        case None:
            return ""
        case bool():
            return "是" if value else "否"
        case int() | str():
            return value
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=_text)
        case _:
            return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
