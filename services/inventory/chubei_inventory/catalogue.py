"""Items, kits and places. Putting the same again changes nothing."""

from typing import Any

from chubei_shared.contracts.catalogue import (
    Item,
    ItemPage,
    Kit,
    KitNeed,
    KitPage,
    Place,
    PlaceKind,
    PlacePage,
)
from chubei_shared.cursors import cursor_of, key_of, name
from chubei_shared.errors import Invalid, NotFound
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chubei_inventory import tables
from chubei_inventory.ledger import OWN_PREFIXES

_OWN_KINDS = (PlaceKind.TRANSIT, PlaceKind.OUTSIDE, PlaceKind.STATE)


def put_item(session: Session, item: Item) -> Item:
    _put(session, tables.Item, item.model_dump(), "code")
    return item


def put_place(session: Session, place: Place) -> Place:
    """Raises Invalid for the books' own accounts, which open by themselves."""
    if place.kind in _OWN_KINDS or place.id.startswith(OWN_PREFIXES):
        raise Invalid(
            "在途与外部账户由系统自建,请用其他编号和类别",
            "Transit and outside accounts open by themselves: use another id and kind",
            errors=[{"field": "id", "problem": "the books' own", "remedy": "another id and kind"}],
        )
    _put(session, tables.Place, place.model_dump(mode="json"), "id")
    return place


def put_kit(session: Session, kit: Kit) -> Kit:
    """Raises Invalid for an item that the catalogue does not have."""
    codes = {need.item_code for need in kit.needs}
    if unknown := codes - set(session.scalars(select(tables.Item.code).where(tables.Item.code.in_(codes)))):
        missing = ", ".join(sorted(unknown))
        raise Invalid(
            f"目录中没有物资 {missing},请先登记",
            f"The catalogue has no item {missing}: register it first",
            errors=[{"field": "needs.item_code", "problem": missing, "remedy": "PUT /v1/items/{code}"}],
        )
    _put(session, tables.Kit, kit.model_dump(exclude={"needs"}), "id")
    session.execute(delete(tables.KitNeed).where(tables.KitNeed.kit_id == kit.id))
    session.add_all(
        tables.KitNeed(kit_id=kit.id, position=position, **need.model_dump())
        for position, need in enumerate(kit.needs)
    )
    return kit


def _put(session: Session, table: type[tables.Base], values: dict[str, Any], key: str) -> None:
    put = insert(table).values(values)
    session.execute(put.on_conflict_do_update(index_elements=[key], set_=values))


def item(session: Session, code: str) -> Item:
    """Raises NotFound."""
    return Item.model_validate(_get(session, tables.Item, code), from_attributes=True)


def place(session: Session, place_id: str) -> Place:
    """Raises NotFound."""
    return Place.model_validate(_get(session, tables.Place, place_id), from_attributes=True)


def kit(session: Session, kit_id: str) -> Kit:
    """Raises NotFound."""
    return _kits(session, [_get(session, tables.Kit, kit_id)])[0]


def _get(session: Session, table: type[tables.Item | tables.Place | tables.Kit], key: str) -> Any:
    found = session.get(table, key)
    if found is None:
        raise NotFound(f"没有 {key}", f"There is no {table.__tablename__} {key}")
    return found


def items(session: Session, cursor: str | None, limit: int) -> ItemPage:
    found = _after(session, tables.Item, tables.Item.code, cursor, limit)
    rows = [Item.model_validate(row, from_attributes=True) for row in found[:limit]]
    return ItemPage(rows=rows, next_cursor=cursor_of(rows[-1].code) if len(found) > limit else None)


def kits(session: Session, cursor: str | None, limit: int) -> KitPage:
    found = _after(session, tables.Kit, tables.Kit.id, cursor, limit)
    rows = _kits(session, found[:limit])
    return KitPage(rows=rows, next_cursor=cursor_of(rows[-1].id) if len(found) > limit else None)


def places(session: Session, kind: PlaceKind | None, cursor: str | None, limit: int) -> PlacePage:
    """Registered places; the books' own accounts only when their kind is asked for."""
    wanted = tables.Place.kind.not_in(_OWN_KINDS) if kind is None else tables.Place.kind == kind
    found = _after(session, tables.Place, tables.Place.id, cursor, limit, wanted)
    rows = [Place.model_validate(row, from_attributes=True) for row in found[:limit]]
    return PlacePage(rows=rows, next_cursor=cursor_of(rows[-1].id) if len(found) > limit else None)


def _after(
    session: Session, table: Any, key: Any, cursor: str | None, limit: int, *conditions: Any
) -> list[Any]:
    """A page of `table` by `key`, and one row more where there is a next page."""
    wanted = select(table).where(*conditions).order_by(key).limit(limit + 1)
    if after := key_of(cursor, name):
        wanted = wanted.where(key > after[0])
    return list(session.scalars(wanted))


def _kits(session: Session, rows: list[tables.Kit]) -> list[Kit]:
    needs: dict[str, list[KitNeed]] = {row.id: [] for row in rows}
    wanted = select(tables.KitNeed).where(tables.KitNeed.kit_id.in_(needs))
    for need in session.scalars(wanted.order_by(tables.KitNeed.kit_id, tables.KitNeed.position)):
        needs[need.kit_id].append(KitNeed.model_validate(need, from_attributes=True))
    return [
        Kit(id=r.id, name_zh=r.name_zh, name_en=r.name_en, needs=needs[r.id], provenance=r.provenance)
        for r in rows
    ]


def everything(session: Session) -> tuple[list[Item], list[Kit], list[Place]]:
    """The whole catalogue and all registered places, for a snapshot."""
    found_items = session.scalars(select(tables.Item).order_by(tables.Item.code))
    found_kits = list(session.scalars(select(tables.Kit).order_by(tables.Kit.id)))
    found_places = session.scalars(
        select(tables.Place).where(tables.Place.kind.not_in(_OWN_KINDS)).order_by(tables.Place.id)
    )
    return (
        [Item.model_validate(row, from_attributes=True) for row in found_items],
        _kits(session, found_kits),
        [Place.model_validate(row, from_attributes=True) for row in found_places],
    )
