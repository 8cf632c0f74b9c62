"""Items, kits, places and reserves: written by administrators and command staff, read by all."""

from typing import Annotated

from chubei_shared.access import Tx, allow
from chubei_shared.contracts.base import Dto, Id, ItemCode
from chubei_shared.contracts.catalogue import Item, ItemPage, Kit, KitPage, Place, PlaceKind, PlacePage
from chubei_shared.contracts.reserves import Reserve, ReservePage, ReserveView
from chubei_shared.errors import Invalid
from fastapi import APIRouter, Body

from chubei_inventory import catalogue, reserves
from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit

router = APIRouter(prefix="/v1", tags=["catalogue"])


def _same(in_path: str, in_body: str, field: str, body: Dto) -> None:
    if in_path != in_body:
        raise Invalid(
            f"{field}:路径为 {in_path},内容为 {in_body},请改为一致",
            f"{field}: the path says {in_path}, the body {in_body}: make them the same",
            errors=[
                {"field": field, "problem": f"not {in_path}", "remedy": f"{in_path} ({type(body).__name__})"}
            ],
        )


@router.put("/items/{code}", summary="登记目录物资 / register a catalogue item", **allow(*WRITERS))
def put_item(code: ItemCode, body: Item, tx: Tx) -> Item:
    _same(code, body.code, "code", body)
    return tx(catalogue.put_item, body)


@router.get("/items", summary="物资目录 / the catalogue", **allow(*READERS))
def get_items(tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> ItemPage:
    return tx(catalogue.items, cursor, limit)


@router.get("/items/{code}", summary="一种目录物资 / one catalogue item", **allow(*READERS))
def get_item(code: ItemCode, tx: Tx) -> Item:
    return tx(catalogue.item, code)


@router.put("/kits/{kit_id}", summary="登记救助标准 / register a kit", **allow(*WRITERS))
def put_kit(kit_id: Id, body: Kit, tx: Tx) -> Kit:
    _same(kit_id, body.id, "id", body)
    return tx(catalogue.put_kit, body)


@router.get("/kits", summary="救助标准 / kits", **allow(*READERS))
def get_kits(tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> KitPage:
    return tx(catalogue.kits, cursor, limit)


@router.get("/kits/{kit_id}", summary="一个救助标准 / one kit", **allow(*READERS))
def get_kit(kit_id: Id, tx: Tx) -> Kit:
    return tx(catalogue.kit, kit_id)


@router.put("/places/{place_id}", summary="登记地点 / register a place", **allow(*WRITERS))
def put_place(place_id: Id, body: Place, tx: Tx) -> Place:
    _same(place_id, body.id, "id", body)
    return tx(catalogue.put_place, body)


@router.get("/places", summary="地点 / places", **allow(*READERS))
def get_places(tx: Tx, kind: PlaceKind | None = None, cursor: Cursor = None, limit: Limit = 100) -> PlacePage:
    return tx(catalogue.places, kind, cursor, limit)


@router.get("/places/{place_id}", summary="一个地点 / one place", **allow(*READERS))
def get_place(place_id: Id, tx: Tx) -> Place:
    return tx(catalogue.place, place_id)


@router.put(
    "/reserves/{reserve_id}",
    summary="登记协议、产能或资金储备 / register an agreement, a commitment or a fund",
    tags=["reserves"],
    **allow(*WRITERS),
)
def put_reserve(reserve_id: Id, body: Annotated[Reserve, Body()], tx: Tx) -> ReserveView:
    _same(reserve_id, body.id, "id", body)
    return tx(reserves.put, body)


@router.get(
    "/reserves",
    summary="不在货架上的储备 / reserves that are not on a shelf",
    tags=["reserves"],
    **allow(*READERS),
)
def get_reserves(
    tx: Tx, item_code: ItemCode | None = None, cursor: Cursor = None, limit: Limit = 100
) -> ReservePage:
    return tx(reserves.page, item_code, cursor, limit)


@router.get(
    "/reserves/{reserve_id}", summary="一条储备记录 / one reserve", tags=["reserves"], **allow(*READERS)
)
def get_reserve(reserve_id: Id, tx: Tx) -> ReserveView:
    return tx(reserves.get, reserve_id)
