"""What a clerk needs to work without a network, and what has changed of it since (owned by inventory)."""

from datetime import date
from uuid import UUID

from chubei_shared.contracts.base import Dto, Utc


class KitItem(Dto):
    code: str
    name_zh: str
    name_en: str
    unit_zh: str
    pack: int
    """Units in a pack."""
    returnable: bool


class KitPlace(Dto):
    id: str
    name_zh: str
    name_en: str
    kind: str


class KitLot(Dto):
    id: UUID
    item_code: str
    lot_no: str
    maker: str
    made_on: date | None
    expires_on: date | None
    owner: str
    quality: str


class KitBin(Dto):
    """How many units of a lot stand on an account: the place, or one of its states, such as sealed:STORE-N."""

    account: str
    lot_id: UUID
    units: int
    """0: take it off the list. Below 0 (disputed:…): more was reported out than the books had."""


class KitHoldLine(Dto):
    item_code: str
    lot_id: UUID
    outstanding: int


class KitHold(Dto):
    """What is promised to an order and to be picked here."""

    id: UUID
    purpose: str
    expires_at: Utc
    lines: list[KitHoldLine]


class KitParked(Dto):
    """What became of a report from here that was parked."""

    id: UUID
    status: str
    reason: str
    detail: str
    detail_en: str
    settled_reason: str | None


class OfflineKit(Dto):
    """`since` a cursor: bins, lots and parked reports that changed; a change may come twice, and none is missed.

    Items and places are None where they are as before. Open holds come whole each time.
    """

    place_id: str
    taken_at: Utc
    cursor: str
    whole: bool
    items: list[KitItem] | None
    places: list[KitPlace] | None
    lots: list[KitLot]
    bins: list[KitBin]
    holds: list[KitHold]
    parked: list[KitParked]
