"""Holds: stock promised to an approved plan (owned by inventory)."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.base import Dto, Id, ItemCode, Mode, Units, Utc


class HoldLine(Dto):
    """One supply row: an item of one mode at one place. Lines that name the same row count as one, summed."""

    place_id: Id
    item_code: ItemCode
    mode: Mode
    quantity: Units
    needed_at: Utc
    """Lots that expire before this are passed over."""


class HoldRequest(Dto):
    id: UUID
    """Minted by the client; the same request again gives the same answer."""
    purpose: Id
    """What it is for, e.g. plan:<id>."""
    expires_at: Utc
    lines: list[HoldLine] = Field(min_length=1, max_length=5000)


class HoldReplace(Dto):
    """Release some holds and take another, in one transaction: all of it or nothing."""

    release: list[UUID] = Field(max_length=50)
    hold: HoldRequest


class HoldStatus(StrEnum):
    OPEN = "open"
    ISSUED = "issued"
    RELEASED = "released"
    EXPIRED = "expired"


class HeldLine(Dto):
    """What is held of one lot, or of one reserve record; `issued` of it has gone out."""

    place_id: str
    item_code: str
    mode: Mode
    lot_id: UUID | None
    reserve_id: str | None
    quantity: int
    issued: int


class PassedOver(Dto):
    """A lot that FEFO would have taken, and why it was not."""

    place_id: str
    lot_id: UUID
    lot_no: str
    why: str
    why_en: str


class HoldView(Dto):
    id: UUID
    purpose: str
    status: HoldStatus
    expires_at: Utc
    lines: list[HeldLine]
    passed_over: list[PassedOver]


class Shortage(Dto):
    """A line that can not be held in full; a refused hold names all of them."""

    place_id: str
    item_code: str
    mode: Mode
    asked: int
    available: int
