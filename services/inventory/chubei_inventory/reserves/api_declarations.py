"""What others say they have: registered by command staff, read by all, planned with by nobody."""

from typing import Annotated, Any

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id, ItemCode
from chubei_shared.contracts.declarations import ApartRow, Declaration, DeclarationPage, Sphere
from chubei_shared.editions import IfMatch, etag_of
from fastapi import APIRouter, Body, Response

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit, same
from chubei_inventory.reserves import contacts, declarations

router = APIRouter(prefix="/v1", tags=["reserves"])

_EXAMPLE: dict[str, Any] = {
    "household": {
        "summary": "某街道家庭储备 / homes of a street",
        "value": {
            "id": "HOME-110102001-1020101", "sphere": "household", "item_code": "1020101", "quantity": 5200,
            "area": "110102001", "party": "西长安街街道办事处", "households": 2600, "declared_on": "2026-09-01",
            "valid_until": "2027-08-31", "provenance": {"certainty": "estimated", "source": "入户登记"},
        },
    }
}  # fmt: skip


@router.put(
    "/declarations/{declaration_id}",
    summary="登记社会、家庭储备申报 / register what a firm, a community or homes declare",
    **allow(*WRITERS),
)
def put_declaration(
    declaration_id: Id,
    body: Annotated[Declaration, Body(openapi_examples=_EXAMPLE)],
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> Declaration:
    """Registering needs no If-Match; changing what is there does. The same content again changes nothing."""
    same(declaration_id, body.id, "id", body)
    response.headers["ETag"] = etag_of(body)
    return tx(declarations.put, body, if_match)


@router.get(
    "/declarations",
    summary="社会、家庭储备申报 / what others say they have",
    **allow(*READERS, personal=True),
)
def get_declarations(
    caller: CurrentCaller,
    tx: Tx,
    sphere: Sphere | None = None,
    item_code: ItemCode | None = None,
    area: Id | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> DeclarationPage:
    found = tx(declarations.page, sphere, item_code, area, cursor, limit)
    rows = [contacts.shown(row, caller) for row in found.rows]
    return DeclarationPage(rows=rows, next_cursor=found.next_cursor)


@router.get(
    "/declarations/{declaration_id}",
    summary="一条申报 / one declaration",
    **allow(*READERS, personal=True),
)
def get_declaration(declaration_id: Id, caller: CurrentCaller, tx: Tx, response: Response) -> Declaration:
    found = tx(declarations.get, declaration_id)
    response.headers["ETag"] = etag_of(found)
    return contacts.shown(found, caller)


@router.get(
    "/supply-apart",
    summary="社会储备、家庭储备、捐赠,另行统计 / social, household and donated goods, counted apart",
    **allow(*READERS),
)
def get_supply_apart(tx: Tx, item_code: ItemCode | None = None) -> list[ApartRow]:
    """None of this is in /v1/supply, /v1/availability or the planner's snapshot."""
    return tx(declarations.apart, item_code)
