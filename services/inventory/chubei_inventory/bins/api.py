"""The register of bins over HTTP."""

from typing import Annotated, Any

from chubei_shared.access import Tx, allow
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.bins import Bin, BinCode, BinPage
from chubei_shared.editions import IfMatch, etag_of
from fastapi import APIRouter, Body, Response

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit, same
from chubei_inventory.bins import bins

router = APIRouter(prefix="/v1", tags=["bins"])

_BIN: dict[str, Any] = {
    "water": {
        "summary": "水在 A 排第 3 架 / where the water stands",
        "value": {
            "place_id": "STORE-N", "code": "A-03-2", "aisle": "A", "walk_order": 30, "item_code": "1020101",
        },
    }
}  # fmt: skip


@router.put("/places/{place_id}/bins/{code}", summary="登记货位 / register a bin", **allow(*WRITERS))
def put_bin(
    place_id: Id,
    code: BinCode,
    body: Annotated[Bin, Body(openapi_examples=_BIN)],
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> Bin:
    same(place_id, body.place_id, "place_id", body)
    same(code, body.code, "code", body)
    response.headers["ETag"] = etag_of(body)
    return tx(bins.put, body, if_match)


@router.get("/places/{place_id}/bins", summary="货位(按行走次序) / bins in walking order", **allow(*READERS))
def get_bins(place_id: Id, tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> BinPage:
    return tx(bins.page, place_id, cursor, limit)


@router.get("/places/{place_id}/bins/{code}", summary="一个货位 / one bin", **allow(*READERS))
def get_bin(place_id: Id, code: BinCode, tx: Tx, response: Response) -> Bin:
    found = tx(bins.get, place_id, code)
    response.headers["ETag"] = etag_of(found)
    return found
