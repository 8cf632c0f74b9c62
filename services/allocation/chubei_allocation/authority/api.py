"""Routes of authority: kept by administrators, read by all."""

from typing import Annotated, Any

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.authority import Authority, AuthorityView
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Response

from chubei_allocation.api_parameters import READERS
from chubei_allocation.authority import authority

router = APIRouter(tags=["plans"])

_EXAMPLES: dict[str, Any] = {
    "two": {
        "summary": "值班员 500 人以内、单库;其余由局长批准 / the duty officer up to 500 people, else the head",
        "value": {
            "tiers": [
                {
                    "id": "duty", "name_zh": "值班员", "name_en": "the duty officer", "max_people": 500,
                    "modes": ["physical"],
                },
                {
                    "id": "head", "name_zh": "局长", "name_en": "the bureau head", "cross_store": True,
                    "modes": ["physical", "contract", "capacity", "fund"], "requisition": True, "approvers": 2,
                },
            ],
            "provenance": {"certainty": "verified", "source": "区应急物资调拨权限规定 2026"},
        },
    }
}  # fmt: skip


@router.put(
    "/v1/authority", summary="录入或更改审批权限 / create or change who may approve what", **allow(Role.ADMIN)
)
def put_authority(
    body: Annotated[Authority, Body(openapi_examples=_EXAMPLES)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> AuthorityView:
    """Each change is a version. It applies to whatever is not approved yet."""
    view = tx(authority.put, body, caller, if_match)
    response.headers["ETag"] = etag_of(view.authority)
    return view


@router.get(
    "/v1/authority", summary="审批权限及现任 / who may approve what, and who that is", **allow(*READERS)
)
def read_authority(
    tx: Tx,
    response: Response,
    version: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="第几版 / an earlier version")
    ] = None,
) -> AuthorityView:
    view = tx(authority.show, version)
    response.headers["ETag"] = etag_of(view.authority)
    return view
