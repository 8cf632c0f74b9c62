"""The catalogue's versions and drafts: command staff write drafts, approvers bring them into force."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.catalogue_versions import (
    Changes,
    Draft,
    DraftPage,
    DraftView,
    Version,
    VersionPage,
)
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.errors import Invalid
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Path, Query, Response

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit
from chubei_inventory.catalogue import versions

router = APIRouter(prefix="/v1/catalogue", tags=["catalogue"])

_DRAFT: dict[str, Any] = {
    "draft": {
        "summary": "改棉被定额,撤下一种标准 / a norm for quilts, and a kit withdrawn",
        "value": {
            "id": "3d9c4a1e-52d0-4b8e-8a65-6f0f3a1b7d15", "name": "目录 2027-1", "note": "年度修订",
            "norms": [
                {
                    "item_code": "1010301", "units_per_1000": 1000, "least_physical_pct": 60,
                    "provenance": {"certainty": "invented", "source": "example"},
                }
            ],
            "withdraw_kits": ["outdoor-summer"],
        },
    }
}  # fmt: skip
Number = Annotated[int, Path(ge=1, lt=2**31)]


@router.get(
    "/versions",
    summary="目录版本,最近的在前 / versions of the catalogue, the latest first",
    **allow(*READERS),
)
def get_catalogue_versions(tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> VersionPage:
    return tx(versions.versions, cursor, limit)


@router.get("/versions/{number}", summary="一个目录版本 / one version of the catalogue", **allow(*READERS))
def get_catalogue_version(number: Number, tx: Tx) -> Version:
    """Its content: GET /v1/items, /v1/kits and /v1/norms with ?version=."""
    return tx(versions.version, number)


@router.get(
    "/versions/{number}/changes",
    summary="两个版本之间的差别 / what differs between two versions",
    **allow(*READERS),
)
def get_catalogue_changes(
    number: Number,
    tx: Tx,
    since: Annotated[
        int | None,
        Query(ge=0, lt=2**31, description="较早的版本,缺省为上一版 / the earlier one; else the one before"),
    ] = None,
) -> Changes:
    return tx(versions.changes, number, since)


@router.put("/drafts/{draft_id}", summary="写目录草案 / write a draft of the catalogue", **allow(*WRITERS))
def put_catalogue_draft(
    draft_id: UUID,
    body: Annotated[Draft, Body(openapi_examples=_DRAFT)],
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    if_match: IfMatch = None,
) -> DraftView:
    """Beginning one needs no If-Match; writing it anew does. `changes` is what it would do now."""
    if draft_id != body.id:
        raise Invalid(
            f"id:路径为 {draft_id},内容为 {body.id},请改为一致",
            f"id: the path says {draft_id}, the body {body.id}: make them the same",
            errors=[{"field": "id", "problem": f"not {draft_id}", "remedy": str(draft_id)}],
        )
    return _with_etag(tx(versions.put_draft, body, caller, if_match), response)


@router.get("/drafts", summary="目录草案 / drafts of the catalogue", **allow(*READERS))
def get_catalogue_drafts(tx: Tx, cursor: Cursor = None, limit: Limit = 100) -> DraftPage:
    return tx(versions.drafts, cursor, limit)


@router.get(
    "/drafts/{draft_id}", summary="一份草案及其改动 / one draft and what it changes", **allow(*READERS)
)
def get_catalogue_draft(draft_id: UUID, tx: Tx, response: Response) -> DraftView:
    return _with_etag(tx(versions.draft, draft_id), response)


@router.post(
    "/drafts/{draft_id}:publish",
    summary="发布草案为新版本 / bring a draft into force as a version",
    **allow(Role.ADMIN, Role.APPROVER),
)
def publish_catalogue_draft(
    draft_id: UUID, caller: CurrentCaller, tx: Tx, response: Response, if_match: IfMatch = None
) -> DraftView:
    """If-Match names the edition that was read: what is published is what was looked at."""
    return _with_etag(tx(versions.publish, draft_id, caller, if_match), response)


@router.post("/drafts/{draft_id}:discard", summary="作废草案 / give a draft up", **allow(*WRITERS))
def discard_catalogue_draft(draft_id: UUID, tx: Tx, response: Response) -> DraftView:
    return _with_etag(tx(versions.discard, draft_id), response)


def _with_etag(view: DraftView, response: Response) -> DraftView:
    response.headers["ETag"] = etag_of(view.draft)
    return view
