"""Routes of notices: read by all, acknowledged by who holds the post."""

from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.notices import NoticeCount, NoticePage, NoticeView
from chubei_shared.tokens import PEOPLE
from fastapi import APIRouter, Query

from chubei_allocation.api_parameters import READERS, Cursor
from chubei_allocation.notices import notices

router = APIRouter(tags=["notices"])


@router.get("/v1/notices", summary="通知,新的在前 / notices, the latest first", **allow(*READERS))
def read_notices(
    tx: Tx,
    caller: CurrentCaller,
    mine: Annotated[bool, Query(description="只看本人岗位的 / of the caller's posts only")] = False,
    to_post: Id | None = None,
    incident_id: UUID | None = None,
    unread: Annotated[bool, Query(description="只看未确认的 / not acknowledged only")] = False,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> NoticePage:
    person = caller.person if mine else None
    return tx(notices.listed, person, to_post, incident_id, unread, cursor, limit)


@router.get("/v1/notices:count", summary="本人岗位未确认的通知数 / unread notices, by post", **allow(*PEOPLE))
def count_notices(tx: Tx, caller: CurrentCaller) -> NoticeCount:
    return tx(notices.count, caller.person)


@router.get(
    "/v1/notices/{id}", summary="一条通知及其发送情况 / one notice, and how it was sent", **allow(*READERS)
)
def read_notice(id: UUID, tx: Tx) -> NoticeView:
    return tx(notices.show, id)


@router.post("/v1/notices/{id}:acknowledge", summary="确认收到 / acknowledge a notice", **allow(*PEOPLE))
def acknowledge_notice(id: UUID, tx: Tx, caller: CurrentCaller) -> NoticeView:
    """By who holds the post it went to, or the deputy, as they are now; again changes nothing."""
    return tx(notices.acknowledge, id, caller)
