"""Routes of photos."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.photos import Photo, PhotoList, PhotoView
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Request, Response

from chubei_allocation.api_parameters import LOOKERS, READERS
from chubei_allocation.photos import photos

router = APIRouter(tags=["orders"])
_AT = "/v1/orders/{id}/photos"
_EXAMPLE = {
    "id": "0d5f6f1e-5f0b-4b43-90f4-5d0b6a3c7c11",
    "stop": 0,
    "occurred_at": "2026-11-21T05:05:00+08:00",
    "jpeg": "/9j/2wBDAP//////////////////////////////////////////////////////////////////////////////////////2Q==",
    "note": "外箱受潮,短 4 箱",
}


@router.post(
    _AT,
    summary="为一站加一张照片(短缺、破损、装车) / add a photo of a stop",
    **allow(Role.CLERK, Role.COMMANDER),
)
def add_photo(
    id: UUID,
    body: Annotated[Photo, Body(examples=[_EXAMPLE])],
    caller: CurrentCaller,
    tx: Tx,
    request: Request,
) -> PhotoView:
    """The same id and image again is the same photo. The image is kept as long as personal data are."""
    keep: timedelta = request.app.state.privacy.keep
    return tx(photos.add, id, body, keep, caller)


@router.get(_AT, summary="一张调拨单的照片 / the photos of an order", **allow(*READERS))
def read_photos(id: UUID, tx: Tx) -> PhotoList:
    """What there is; the images are read one by one."""
    return tx(photos.listed, id)


@router.get(
    _AT + "/{photo_id}",
    summary="一张照片 / a photo",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
    **allow(*LOOKERS, personal=True),
)
def read_photo(id: UUID, photo_id: UUID, tx: Tx) -> Response:
    return Response(tx(photos.image, id, photo_id), media_type="image/jpeg")
