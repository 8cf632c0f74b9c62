"""Items, kits and places: written by administrators and command staff, read by all."""

from chubei_shared.access import Tx, allow
from chubei_shared.contracts.base import Id, ItemCode
from chubei_shared.contracts.catalogue import Item, ItemPage, Kit, KitPage, Place, PlaceKind, PlacePage
from fastapi import APIRouter

from chubei_inventory import catalogue
from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit, same

router = APIRouter(prefix="/v1", tags=["catalogue"])


@router.put("/items/{code}", summary="登记目录物资 / register a catalogue item", **allow(*WRITERS))
def put_item(code: ItemCode, body: Item, tx: Tx) -> Item:
    same(code, body.code, "code", body)
    return tx(catalogue.put_item, body)


@router.get("/items", summary="物资目录 / the catalogue", **allow(*READERS))
def get_items(tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> ItemPage:
    return tx(catalogue.items, cursor, limit)


@router.get("/items/{code}", summary="一种目录物资 / one catalogue item", **allow(*READERS))
def get_item(code: ItemCode, tx: Tx) -> Item:
    return tx(catalogue.item, code)


@router.put("/kits/{kit_id}", summary="登记救助标准 / register a kit", **allow(*WRITERS))
def put_kit(kit_id: Id, body: Kit, tx: Tx) -> Kit:
    same(kit_id, body.id, "id", body)
    return tx(catalogue.put_kit, body)


@router.get("/kits", summary="救助标准 / kits", **allow(*READERS))
def get_kits(tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> KitPage:
    return tx(catalogue.kits, cursor, limit)


@router.get("/kits/{kit_id}", summary="一个救助标准 / one kit", **allow(*READERS))
def get_kit(kit_id: Id, tx: Tx) -> Kit:
    return tx(catalogue.kit, kit_id)


@router.put("/places/{place_id}", summary="登记地点 / register a place", **allow(*WRITERS))
def put_place(place_id: Id, body: Place, tx: Tx) -> Place:
    same(place_id, body.id, "id", body)
    return tx(catalogue.put_place, body)


@router.get("/places", summary="地点 / places", **allow(*READERS))
def get_places(tx: Tx, kind: PlaceKind | None = None, cursor: Cursor = None, limit: Limit = 100) -> PlacePage:
    return tx(catalogue.places, kind, cursor, limit)


@router.get("/places/{place_id}", summary="一个地点 / one place", **allow(*READERS))
def get_place(place_id: Id, tx: Tx) -> Place:
    return tx(catalogue.place, place_id)
