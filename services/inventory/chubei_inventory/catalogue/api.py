"""Items, kits, norms and places: written by administrators and command staff, read by all."""

from typing import Annotated, Any

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id, ItemCode
from chubei_shared.contracts.catalogue import Item, ItemPage, Kit, KitPage, Norm, Place, PlaceKind, PlacePage
from chubei_shared.contracts.catalogue_versions import NormPage
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.errors import Forbidden
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Response

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit, same
from chubei_inventory.catalogue import catalogue

router = APIRouter(prefix="/v1", tags=["catalogue"])

AsOf = Annotated[
    int | None,
    Query(
        ge=1,
        lt=2**31,
        description="目录版本,缺省为现行 / a version of the catalogue; without it the one in force",
    ),
]
_PROVENANCE = {"certainty": "estimated", "source": "救灾物资采购清单"}
_ITEM: dict[str, Any] = {
    "quilt": {
        "summary": "棉被 / a quilt",
        "value": {
            "code": "1010301", "name_zh": "棉被", "name_en": "Quilt", "family": "relief", "unit_zh": "床", "pack": 10,
            "weight_g": 3500, "volume_cm3": 30000, "shelf_life_months": 96, "reserve_modes": ["physical", "contract"],
            "managing_body": "区应急管理局", "dispatch_authority": "值班负责人,单库 500 人份内",
            "provenance": _PROVENANCE,
        },
    }
}  # fmt: skip
_KIT: dict[str, Any] = {
    "winter": {
        "summary": "室外、冬季 / outdoors, in winter",
        "value": {
            "id": "outdoor-winter", "name_zh": "室外安置(冬季)", "name_en": "outdoors, winter", "setting": "outdoor",
            "season": "winter", "provenance": _PROVENANCE,
            "needs": [
                {"item_code": "1010301", "per_person": "2", "tier": 1},
                {"item_code": "1010102", "per_person": "0.25", "tier": 2},
                {"item_code": "1040103", "per_person": "1", "tier": 2, "group": "infant"},
            ],
        },
    }
}  # fmt: skip


_PLACE: dict[str, Any] = {
    "store": {
        "summary": "一个库 / a store",
        "value": {
            "id": "STORE-N",
            "kind": "store",
            "name_zh": "北库",
            "name_en": "North store",
            "zone": "north",
            "lon": 116.37,
            "lat": 39.94,
            "provenance": {"certainty": "invented", "source": "示例 / an example"},
        },
    }
}


@router.put("/items/{code}", summary="登记目录物资 / register a catalogue item", **allow(*WRITERS))
def put_item(
    code: ItemCode,
    body: Annotated[Item, Body(openapi_examples=_ITEM)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> Item:
    """Comes into force at once, as a version of the catalogue; for more than one at a time write a draft."""
    same(code, body.code, "code", body)
    response.headers["ETag"] = etag_of(body)
    return tx(catalogue.put_item, body, caller, if_match)


@router.get("/items", summary="物资目录 / the catalogue", **allow(*READERS))
def get_items(tx: Tx, version: AsOf = None, cursor: Cursor = None, limit: Limit = 100) -> ItemPage:
    return tx(catalogue.items, cursor, limit, version)


@router.get("/items/{code}", summary="一种目录物资 / one catalogue item", **allow(*READERS))
def get_item(code: ItemCode, tx: Tx, response: Response, version: AsOf = None) -> Item:
    found = tx(catalogue.item, code, version)
    response.headers["ETag"] = etag_of(found)
    return found


@router.put("/kits/{kit_id}", summary="登记救助标准 / register a kit", **allow(*WRITERS))
def put_kit(
    kit_id: Id,
    body: Annotated[Kit, Body(openapi_examples=_KIT)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> Kit:
    """Comes into force at once, as a version of the catalogue; for more than one at a time write a draft."""
    same(kit_id, body.id, "id", body)
    response.headers["ETag"] = etag_of(body)
    return tx(catalogue.put_kit, body, caller, if_match)


@router.get("/kits", summary="救助标准 / kits", **allow(*READERS))
def get_kits(tx: Tx, version: AsOf = None, cursor: Cursor = None, limit: Limit = 100) -> KitPage:
    return tx(catalogue.kits, cursor, limit, version)


@router.get("/kits/{kit_id}", summary="一个救助标准 / one kit", **allow(*READERS))
def get_kit(kit_id: Id, tx: Tx, response: Response, version: AsOf = None) -> Kit:
    found = tx(catalogue.kit, kit_id, version)
    response.headers["ETag"] = etag_of(found)
    return found


@router.get("/norms", summary="储备定额 / how much of each item is to be kept", **allow(*READERS))
def get_norms(tx: Tx, version: AsOf = None, cursor: Cursor = None, limit: Limit = 100) -> NormPage:
    return tx(catalogue.norms, cursor, limit, version)


@router.get("/norms/{code}", summary="一种物资的储备定额 / the norm of one item", **allow(*READERS))
def get_norm(code: ItemCode, tx: Tx, version: AsOf = None) -> Norm:
    return tx(catalogue.norm, code, version)


@router.put("/places/{place_id}", summary="登记地点 / register a place", **allow(*WRITERS, Role.SERVICE))
def put_place(
    place_id: Id,
    body: Annotated[Place, Body(openapi_examples=_PLACE)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> Place:
    """A service opens demand points only: an incident's own sites, where goods are to be received."""
    if Role.SERVICE in caller.roles and body.kind is not PlaceKind.POINT:
        raise Forbidden("服务只能登记需求点", "A service opens demand points only")
    same(place_id, body.id, "id", body)
    response.headers["ETag"] = etag_of(body)
    return tx(catalogue.put_place, body, if_match)


@router.get("/places", summary="地点 / places", **allow(*READERS))
def get_places(tx: Tx, kind: PlaceKind | None = None, cursor: Cursor = None, limit: Limit = 100) -> PlacePage:
    return tx(catalogue.places, kind, cursor, limit)


@router.get("/places/{place_id}", summary="一个地点 / one place", **allow(*READERS))
def get_place(place_id: Id, tx: Tx, response: Response) -> Place:
    found = tx(catalogue.place, place_id)
    response.headers["ETag"] = etag_of(found)
    return found
