"""Pick lists: what is to be taken for a dispatch order at each place, in the order in which one walks
(owned by allocation)."""

from datetime import date
from uuid import UUID

from chubei_shared.contracts.base import Dto, Mode


class PickLine(Dto):
    """Units of one lot in one bin; without a lot: what a supplier, maker or fund gives, or what no lot is held for."""

    item_code: str
    name_zh: str
    name_en: str
    mode: Mode
    bin: str | None
    """The first that a picker passes of those where the item stands by plan; None: the register has none."""
    aisle: str
    walk_order: int | None
    lot_id: UUID | None
    lot_no: str
    expires_on: date | None
    units: int
    packs: int
    odd: int
    """Units beside whole packs."""


class PickStop(Dto):
    stop: int
    place_id: str
    name_zh: str
    name_en: str
    loaded: bool
    """It is aboard: nothing is to be picked."""
    lines: list[PickLine]
    short: dict[str, int]
    """{item: units} that the hold does not have any more."""


class PickList(Dto):
    order_id: UUID
    number: str
    vehicle: str
    exercise: bool
    revision: int
    minutes_left: int
    stops: list[PickStop]
    """Those where it loads."""
