"""Routes of posts: kept by administrators and command, read by all."""

from typing import Annotated, Any

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.posts import (
    HoldingPage,
    NewSecret,
    Post,
    PostChange,
    PostPage,
    PostView,
    WebhookSecret,
)
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.errors import Invalid
from chubei_shared.settings import Settings
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Request, Response

from chubei_allocation.api_parameters import READERS
from chubei_allocation.posts import posts

router = APIRouter(tags=["posts"])
WRITERS = (Role.ADMIN, Role.COMMANDER)

_EXAMPLES: dict[str, Any] = {
    "duty": {
        "summary": "值班员,上级为带班领导 / the duty officer, below the leader on duty",
        "value": {
            "id": "DUTY", "name_zh": "应急局值班员", "name_en": "Duty officer", "holder": "wang", "deputy": "li",
            "channels": [
                {"kind": "webhook", "url": "https://im.example.gov.cn/hooks/duty"},
                {"kind": "email", "address": "duty@example.gov.cn"},
            ],
            "provenance": {"certainty": "verified", "source": "值班表 2026-11"},
        },
    }
}  # fmt: skip


def _mail(request: Request) -> bool:
    settings: Settings = request.app.state.settings
    return bool(settings.smtp_url)


@router.put("/v1/posts/{id}", summary="录入或更改岗位 / create or change a post", **allow(*WRITERS))
def put_post(
    id: Id,
    body: Annotated[Post, Body(openapi_examples=_EXAMPLES)],
    caller: CurrentCaller,
    tx: Tx,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
) -> PostChange:
    """A new post needs no If-Match, a change does; the same again changes nothing.

    The secret of a webhook that is new is in `new_secrets`, this once.
    """
    if id != body.id:
        raise Invalid(
            f"id:路径为 {id},内容为 {body.id},请改为一致",
            f"id: the path says {id}, the body {body.id}: make them the same",
            errors=[{"field": "id", "problem": f"not {id}", "remedy": id}],
        )
    change = tx(posts.put, body, caller, if_match, _mail(request))
    response.headers["ETag"] = etag_of(change.post)
    return change


@router.get("/v1/posts", summary="岗位 / the posts", **allow(*READERS, personal=True))
def read_posts(caller: CurrentCaller, tx: Tx, request: Request) -> PostPage:
    """Addresses are masked for those who do not keep posts."""
    page = tx(posts.every, _mail(request))
    return page if caller.roles & set(WRITERS) else PostPage(rows=[posts.masked(row) for row in page.rows])


@router.get("/v1/posts/{id}", summary="一个岗位 / one post", **allow(*READERS, personal=True))
def read_post(id: Id, caller: CurrentCaller, tx: Tx, request: Request, response: Response) -> PostView:
    """Addresses are masked for those who do not keep posts."""
    view = tx(posts.show, id, _mail(request))
    response.headers["ETag"] = etag_of(view.post)
    return view if caller.roles & set(WRITERS) else posts.masked(view)


@router.get("/v1/posts/{id}/holders", summary="历任 / who held it from when", **allow(*READERS))
def read_holders(id: Id, tx: Tx) -> HoldingPage:
    return tx(posts.holders, id)


@router.post(
    "/v1/posts/{id}/webhook-secrets",
    summary="换一个 webhook 密钥 / another secret for a webhook",
    **allow(*WRITERS),
)
def renew_secret(id: Id, body: NewSecret, tx: Tx) -> WebhookSecret:
    """The secret before is good for nothing from now on. Each call makes another one, and the last one counts."""
    return tx(posts.renew_secret, id, body.url)
