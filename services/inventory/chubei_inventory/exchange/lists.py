"""The lists that inventory owns, as they go in and out: their columns, what a row means, and which verb takes it.

A record goes in by the same verb as over HTTP, so an import can do nothing that a person could not do by hand.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from chubei_shared.contracts.base import Dto
from chubei_shared.contracts.bins import Bin
from chubei_shared.contracts.cards import ReturnRule
from chubei_shared.contracts.catalogue import Item, Kit, Norm, Place
from chubei_shared.contracts.catalogue_versions import EntryKind
from chubei_shared.contracts.declarations import Declaration
from chubei_shared.contracts.funds import FundAccount
from chubei_shared.contracts.reserves import Agreement, Commitment, Fund
from chubei_shared.errors import AppError
from chubei_shared.tokens import Caller
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.bins import bins
from chubei_inventory.bins import tables as binned
from chubei_inventory.catalogue import catalogue
from chubei_inventory.catalogue.tables import Entry
from chubei_inventory.exchange import cells
from chubei_inventory.exchange.cells import Said, choice, choices
from chubei_inventory.exchange.columns import Column
from chubei_inventory.exchange.list_types import Bins, Kits, List
from chubei_inventory.reserves import declarations, funds, reserves
from chubei_inventory.reserves import tables_declarations as declared
from chubei_inventory.stock import history

_MODES = {"physical": "实物", "contract": "协议", "capacity": "产能", "fund": "资金"}
_ITEM = Column("item_code", "物资编码", cells.ID, True, refers_to="items")
_ID = Column("id", "编号", cells.ID, True)
_NAMES = (Column("name_zh", "中文名称", cells.TEXT, True), Column("name_en", "英文名称", cells.TEXT, True))
_CERTAINTY = choice({"verified": "已核实", "estimated": "估计", "invented": "虚构"})
_TOLD = (
    Column("certainty", "数据可靠性", _CERTAINTY, True),
    Column("source", "数据来源", cells.TEXT),
)
_PRICED = (
    Column("price_rule", "价格规则", choice({"fixed": "固定价", "capped": "最高限价", "market": "市场价"})),
    Column("unit_price_yuan", "单价(元)", cells.YUAN, True, of="unit_price_fen"),
)
_RESERVE = (
    _ID,
    Column("place_id", "地点编号", cells.ID, True, refers_to="places"),
    _ITEM,
    Column("party", "单位名称", cells.TEXT, True),
    Column("contacts", "联系人", cells.CONTACTS),
)
_VALID = (
    Column("valid_from", "有效期起", cells.DATE, True),
    Column("valid_until", "有效期止", cells.DATE, True),
    Column("last_verified_on", "最近核验日期", cells.DATE),
    *_TOLD,
)


def _in_force(kind: EntryKind) -> Callable[[Session, Collection[str]], Mapping[str, Dto]]:
    def present(session: Session, keys: Collection[str]) -> Mapping[str, Dto]:
        found = catalogue.in_force(session, [(kind, key) for key in keys])
        return {key: content for (_, key), content in found.items()}

    return present


def _of_catalogue(kind: EntryKind, model: type[Dto]) -> Callable[[Session], Iterator[Dto]]:
    def everything(session: Session) -> Iterator[Dto]:
        entries = select(Entry.body).where(Entry.kind == kind, Entry.until.is_(None)).order_by(Entry.key)
        for body in session.scalars(entries.execution_options(yield_per=500)):
            yield model.model_validate(body)

    return everything


def attempt(session: Session, put: Callable[[], object]) -> AppError | None:
    """Do something, or leave the database as it was and say why."""
    try:
        with session.begin_nested():
            put()
            session.flush()
    except AppError as error:
        return error
    return None


def _each(verb: Callable[[Session, Any, str | None], object]) -> Any:
    """Many records by a verb that takes one: all at once, and only where that is refused one by one."""

    def put(
        session: Session, records: Sequence[tuple[Any, str | None]], _: Caller
    ) -> Sequence[AppError | None]:
        if attempt(session, lambda: [verb(session, *record) for record in records]) is None:
            return [None] * len(records)
        return [attempt(session, partial(verb, session, *record)) for record in records]

    return put


def _publish(session: Session, records: Sequence[Any], caller: Caller) -> Sequence[AppError | None]:
    """Never called: what is in the catalogue is published as one version (importing.py)."""
    raise AssertionError(session, records, caller)


def _stored(
    model: type[Dto], table: Any, key: Any, *conditions: Any
) -> tuple[
    Callable[[Session, Collection[str]], Mapping[str, Dto]],
    Callable[[Session], Iterator[Dto]],
]:
    """How the records of a table are found by key, and read all."""

    def present(session: Session, keys: Collection[str]) -> Mapping[str, Dto]:
        wanted = select(table).where(key.in_(keys), *conditions)
        return {getattr(row, key.key): _content(model, row) for row in session.scalars(wanted)}

    def everything(session: Session) -> Iterator[Dto]:
        wanted = select(table).where(*conditions).order_by(key).execution_options(yield_per=500)
        for row in session.scalars(wanted):
            yield _content(model, row)

    return present, everything


def _content(model: type[Dto], row: Any) -> Dto:
    if isinstance(row, tables.Reserve):
        return reserves.as_reserve(row)
    return model.model_validate(row, from_attributes=True)


def _put_reserves(
    session: Session, records: Sequence[tuple[Any, str | None]], _: Caller
) -> Sequence[AppError | None]:
    return reserves.put_all(session, records)


_BY_PEOPLE = tables.Place.kind.not_in(("transit", "outside", "state"))
_PLACES = _stored(Place, tables.Place, tables.Place.id, _BY_PEOPLE)
_RULES = _stored(ReturnRule, tables.ReturnRule, tables.ReturnRule.item_code)
_ACCOUNTS = _stored(FundAccount, tables.FundAccount, tables.FundAccount.id)
_DECLARED = _stored(Declaration, declared.Declaration, declared.Declaration.id)


def _bins_of(session: Session, keys: Collection[str]) -> Mapping[str, Dto]:
    b = binned.Bin
    wanted = select(b).where(tuple_(b.place_id, b.code).in_([tuple(key.split("/", 1)) for key in keys]))
    return {f"{row.place_id}/{row.code}": _content(Bin, row) for row in session.scalars(wanted)}


def _all_bins(session: Session) -> Iterator[Dto]:
    b = binned.Bin
    wanted = select(b).order_by(b.place_id, b.walk_order, b.code).execution_options(yield_per=500)
    for row in session.scalars(wanted):
        yield _content(Bin, row)


def _reserves_of(mode: str) -> Any:
    return _stored(Agreement, tables.Reserve, tables.Reserve.id, tables.Reserve.mode == mode)


CATALOGUE: Final = {"items": EntryKind.ITEM, "kits": EntryKind.KIT, "norms": EntryKind.NORM}
"""The lists whose records are published together, as one version of the catalogue."""
_FAMILY = {"relief": "救灾物资", "daily": "生活必需品", "medicine": "药品", "flood": "防汛物资"}
_PLACE_KINDS = {
    "store": "区级库", "special": "特殊物资储备库", "street": "街道储备", "donation": "捐赠物资",
    "supplier": "供应商", "maker": "生产厂家", "point": "需求点",
}  # fmt: skip

_LISTS: Final = (
    List(
        "items", Said("物资目录", "Catalogue items"),
        (
            Column("code", "物资编码", cells.ID, True), *_NAMES,
            Column("family", "物资类别", choice(_FAMILY), True),
            Column("unit_zh", "单位", cells.TEXT, True),
            Column("pack", "每箱件数", cells.WHOLE, True),
            Column("weight_g", "单件重量(克)", cells.WHOLE, True),
            Column("volume_cm3", "单件体积(立方厘米)", cells.WHOLE, True),
            Column("shelf_life_months", "保质期(月)", cells.WHOLE),
            Column("reserve_modes", "储备方式", choices(_MODES), True),
            Column("managing_body", "管理主体", cells.TEXT, True),
            Column("dispatch_authority", "调拨权限", cells.TEXT, True),
            Column("ref_price_cny", "参考价(元)", cells.WHOLE),
            Column("returnable", "是否回收", cells.YES_NO),
            *_TOLD,
        ),
        Item, "code", _in_force(EntryKind.ITEM), _publish, _of_catalogue(EntryKind.ITEM, Item),
    ),
    Kits(
        "kits", Said("救助标准", "Kits"),
        (
            _ID, *_NAMES,
            Column("setting", "安置方式", choice({"any": "不限", "indoor": "室内", "outdoor": "室外"})),
            Column("season", "季节", choice({"any": "不限", "winter": "冬季", "summer": "夏季"})),
            _ITEM,
            Column("per_person", "每人数量", cells.DECIMAL, True),
            Column("tier", "层级", cells.WHOLE, True),
            Column("group", "人群", cells.ID),
            *_TOLD,
        ),
        Kit, "id", _in_force(EntryKind.KIT), _publish, _of_catalogue(EntryKind.KIT, Kit),
    ),
    List(
        "norms", Said("储备定额", "Norms"),
        (
            _ITEM,
            Column("units_per_1000", "每千人数量", cells.WHOLE, True),
            Column("least_physical_pct", "实物最低占比(%)", cells.WHOLE),
            *_TOLD,
        ),
        Norm, "item_code", _in_force(EntryKind.NORM), _publish, _of_catalogue(EntryKind.NORM, Norm),
    ),
    List(
        "places", Said("地点", "Places"),
        (
            _ID, Column("kind", "地点类别", choice(_PLACE_KINDS), True), *_NAMES,
            Column("zone", "片区", cells.TEXT),
            Column("lon", "经度", cells.FLOAT),
            Column("lat", "纬度", cells.FLOAT),
            *_TOLD,
        ),
        Place, "id", _PLACES[0],
        _each(catalogue.put_place), _PLACES[1],
    ),
    Bins(
        "bins", Said("货位", "Bins"),
        (
            Column("place_id", "地点编号", cells.ID, True, refers_to="places"),
            Column("code", "货位编号", cells.ID, True),
            Column("aisle", "排或区", cells.TEXT),
            Column("walk_order", "行走次序", cells.WHOLE, True),
            Column("item_code", "物资编码", cells.ID, refers_to="items"),
            Column("closed", "是否停用", cells.YES_NO),
        ),
        Bin, "code", _bins_of, _each(bins.put), _all_bins,
    ),
    List(
        "agreements", Said("协议储备", "Agreements"),
        (
            *_RESERVE,
            Column("quantity", "数量", cells.WHOLE, True),
            Column("lead_min", "调用准备时间(分钟)", cells.WHOLE, True),
            Column("floor_stock", "常备底数", cells.WHOLE),
            *_PRICED, *_VALID,
        ),
        Agreement, "id", _reserves_of("contract")[0], _put_reserves, _reserves_of("contract")[1],
        (("mode", "contract"),),
    ),
    List(
        "commitments", Said("生产能力储备", "Capacity commitments"),
        (
            *_RESERVE,
            Column("quantity", "数量上限", cells.WHOLE, True),
            Column("conversion_min", "转产时间(分钟)", cells.WHOLE, True),
            Column("ramp_min", "爬坡时间(分钟)", cells.WHOLE),
            Column("rate_per_hour", "每小时产量", cells.WHOLE, True),
            *_PRICED, *_VALID,
        ),
        Commitment, "id", _reserves_of("capacity")[0], _put_reserves, _reserves_of("capacity")[1],
        (("mode", "capacity"),),
    ),
    List(
        "funds", Said("储备资金", "Funds"),
        (_ID, *_NAMES, Column("budget_yuan", "预算(元)", cells.YUAN, True, of="budget_fen"), *_TOLD),
        FundAccount, "id", _ACCOUNTS[0],
        _each(funds.put), _ACCOUNTS[1],
    ),
    List(
        "fund-purchases", Said("资金储备采购项", "What funds may buy"),
        (
            *_RESERVE,
            Column("account_id", "资金编号", cells.ID),
            Column("budget_yuan", "预算(元)", cells.YUAN, True, of="budget_fen"),
            Column("approval_min", "审批时间(分钟)", cells.WHOLE, True),
            Column("delivery_min", "交货时间(分钟)", cells.WHOLE, True),
            *_PRICED, *_VALID,
        ),
        Fund, "id", _reserves_of("fund")[0], _put_reserves, _reserves_of("fund")[1], (("mode", "fund"),),
    ),
    List(
        "declarations", Said("社会和家庭储备申报", "Declarations"),
        (
            _ID,
            Column("sphere", "储备主体", choice({"social": "社会储备", "household": "家庭储备"}), True),
            _ITEM,
            Column("quantity", "数量", cells.WHOLE, True),
            Column("area", "所在区域编号", cells.ID, True),
            Column("party", "单位名称", cells.TEXT, True),
            Column("households", "户数", cells.WHOLE),
            Column("contacts", "联系人", cells.CONTACTS),
            Column("declared_on", "申报日期", cells.DATE, True),
            Column("valid_until", "有效期止", cells.DATE, True),
            Column("withdrawn", "是否撤回", cells.YES_NO),
            Column("note", "备注", cells.TEXT),
            *_TOLD,
        ),
        Declaration, "id", _DECLARED[0],
        _each(declarations.put), _DECLARED[1],
    ),
    List(
        "return-rules", Said("回收期限", "Return rules"),
        (
            _ITEM,
            Column("within_months", "回收期限(月)", cells.WHOLE),
            Column("source", "依据", cells.TEXT),
        ),
        ReturnRule, "item_code", _RULES[0],
        _each(history.put_rule), _RULES[1],
    ),
)  # fmt: skip
LISTS: Final[dict[str, List]] = {one.key: one for one in _LISTS}
"""In an order in which they can be imported: what a list refers to comes before it."""
