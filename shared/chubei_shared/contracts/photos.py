"""Photos of what was found at a stop of an order: kept as long as personal data are, each look recorded."""

from base64 import b64decode
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from chubei_shared.contracts.base import Dto, Text, Utc
from chubei_shared.contracts.orders import BASE64

_MOST_BYTES = 512 * 1024
_JPEG = b"\xff\xd8\xff"


def _jpeg(text: str) -> str:
    image = b64decode(text)
    if not image.startswith(_JPEG) or len(image) > _MOST_BYTES:
        raise ValueError(
            "须为不超过 512 KiB 的 JPEG 图片(base64) / must be a JPEG image of 512 KiB at most, in base64"
        )
    return text


Jpeg = Annotated[str, StringConstraints(pattern=BASE64), AfterValidator(_jpeg)]


class Photo(Dto):
    id: UUID
    """Minted by the client, so that a retry is the same request."""
    stop: Annotated[int, Field(strict=True, ge=0, le=200)]
    occurred_at: Utc
    jpeg: Jpeg
    """In base64. What a camera adds beside the image (where it was taken, say) is left to the client to leave out."""
    note: Text = ""


class PhotoView(Dto):
    id: UUID
    stop: int
    occurred_at: Utc
    recorded_at: Utc
    recorded_by: str
    note: str
    forgotten: bool
    """The image is gone: its time was over. That there was one stays."""


class PhotoList(Dto):
    rows: list[PhotoView]
    """The first first."""
