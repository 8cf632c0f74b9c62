"""Routes of links: made and revoked by people, opened by whoever has one."""

from typing import Annotated, Any
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow, allow_public
from chubei_shared.contracts.base import Id
from chubei_shared.contracts.links import (
    GuestToken,
    LinkMade,
    LinkPage,
    LinkPurpose,
    LinkView,
    NewLink,
    OpenLink,
)
from chubei_shared.errors import Forbidden, Invalid, Unauthorized
from chubei_shared.tokens import PEOPLE, Caller, Role, Signer, roles_zh
from fastapi import APIRouter, Body, Query, Request, Response

from chubei_gateway import asking, looks, sessions
from chubei_gateway.api_parameters import Limit, address_of
from chubei_gateway.limits import Tries
from chubei_gateway.links import codes, links
from chubei_gateway.links.codes import Codes
from chubei_gateway.links.purposes import MAKERS, PURPOSES

router = APIRouter(tags=["links"])

_LINK: dict[str, Any] = {
    "driver": {
        "summary": "给一张调拨单的司机 / for the driver of an order",
        "value": {
            "id": "1c0e5b9a-7d55-4c0e-9a51-1f1c8f0a2b01",
            "purpose": "order",
            "subject": ["0d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c01"],
            "holder_name": "司机王师傅",
            "phone": "13800000000",
            "expires_at": "2026-11-22T08:00:00+08:00",
        },
    }
}


@router.post(
    "/v1/links",
    status_code=201,
    summary="发出链接(同编号可重发) / make a link; the same again gives the same answer",
    responses={200: {"model": LinkMade, "description": "早已发出,同前 / made before, the same answer"}},
    **allow(*MAKERS),
)
def make_link(
    body: Annotated[NewLink, Body(openapi_examples=_LINK)],
    request: Request,
    response: Response,
    caller: CurrentCaller,
    tx: Tx,
) -> LinkMade:
    """Only this answer tells the link and its code; send them to the holder, and to nobody else."""
    body = _checked(body, caller)
    purpose, mint = PURPOSES[body.purpose], _codes(request)
    if not tx(links.known, body.id):
        asking.check_there_is(request, purpose.service, purpose.path.format(*body.subject))
    secret, code = mint.secret(body.id), mint.code(body.id)
    view, new = tx(links.make, body, mint.digest(secret), mint.digest(code), caller)
    response.status_code = 201 if new else 200
    return LinkMade(**view.model_dump(), path=f"/l/{secret}", code=codes.grouped(code))


@router.get("/v1/links", summary="链接列表 / Links", **looks.allow(*PEOPLE))
def read_links(
    tx: Tx,
    purpose: Annotated[LinkPurpose | None, Query()] = None,
    subject: Annotated[Id | None, Query(description="如调拨单编号 / e.g. the order's id")] = None,
    cursor: Annotated[UUID | None, Query()] = None,
    limit: Limit = 100,
) -> LinkPage:
    """Newest first, without their secrets."""
    return tx(links.page, purpose, subject, cursor, limit)


@router.post(
    "/v1/links/{link_id}:revoke",
    summary="撤销链接 / Revoke a link",
    **allow(*MAKERS, Role.ADMIN),
)
def revoke_link(link_id: UUID, request: Request, caller: CurrentCaller, tx: Tx) -> LinkView:
    """Its tokens are refused everywhere at once."""
    ended = tx(links.revoke, link_id, caller)
    sessions.announce_revocations([link_id], request.app.state.redis)
    return ended


@router.post("/v1/links:open", summary="凭链接或短码进入 / Open a link", **allow_public())
def open_link(body: OpenLink, request: Request, tx: Tx) -> GuestToken:
    """A token for what the link is for, by its secret or its short code; open it again when the token is over.

    What is wrong, revoked or over has one answer. Wrong codes are counted, and after some the address must wait.
    """
    address = address_of(request)
    tried = Tries.of_code if codes.is_short(body.code) else Tries.of_link
    tries = tried(request.app.state.redis, address)
    tries.take()
    opened = tx(links.open_link, _codes(request).digest(body.code), address)
    if opened is None:
        raise Unauthorized(
            "链接或短码无效,或已过期、被撤销;请向发出者另要一个",
            "There is no such link or code, or it is over: ask whoever sent it for another",
        )
    tries.succeeded()
    signer: Signer = request.app.state.signer
    return GuestToken(
        access_token=signer.issue(opened.caller, opened.life),
        expires_in_s=int(opened.life.total_seconds()),
        link_id=opened.link.id,
        purpose=opened.link.purpose,
        subject=opened.link.subject,
        holder_name=opened.link.holder_name,
        link_expires_at=opened.link.expires_at,
    )


def _checked(body: NewLink, caller: Caller) -> NewLink:
    """With ids in their one spelling. Raises Forbidden, and Invalid of `subject`."""
    purpose = PURPOSES[body.purpose]
    if caller.roles.isdisjoint(purpose.makers):
        need = "/".join(sorted(purpose.makers))
        raise Forbidden(
            f"发出此类链接需要角色:{roles_zh(purpose.makers)}", f"Links for this are made by {need}"
        )
    if len(body.subject) != purpose.ids:
        raise Invalid(
            f"subject:{body.purpose} 须有 {purpose.ids} 个编号",
            f"subject: {body.purpose} has {purpose.ids} ids",
            errors=[{"field": "subject", "problem": f"{len(body.subject)}", "remedy": f"{purpose.ids}"}],
        )
    return body.model_copy(update={"subject": [_spelled(one) for one in body.subject]})


def _spelled(one: str) -> str:
    try:
        return str(UUID(one))
    except ValueError:
        return one


def _codes(request: Request) -> Codes:
    found: Codes = request.app.state.link_codes
    return found
