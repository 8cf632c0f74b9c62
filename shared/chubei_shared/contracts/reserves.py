"""Reserves that are not on a shelf, and the one answer over all modes (owned by inventory)."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Minutes, Mode, Name, Provenance, Text, Units, Utc
from chubei_shared.contracts.catalogue import Item, Kit, Place

Cny = Annotated[int, Field(strict=True, ge=0, le=10**12)]


class _Reserve(Dto):
    id: Id
    place_id: Id
    """Where the goods are loaded: the supplier's, the maker's, or the place that purchases are delivered to."""
    party: Name
    contact: Text = ""
    valid_from: date
    valid_until: date
    last_verified_on: date | None = None
    provenance: Provenance

    @model_validator(mode="after")
    def _dates(self) -> Self:
        if self.valid_until < self.valid_from:
            raise ValueError(
                "valid_until 早于 valid_from,请给更晚的日期 / valid_until is before valid_from: give a later date"
            )
        return self


class Agreement(_Reserve):
    """A supplier's agreement (协议储备): `quantity` can be called off, ready `lead_min` after the call."""

    mode: Literal[Mode.CONTRACT]
    item_code: ItemCode
    quantity: Units
    lead_min: Minutes
    floor_stock: Annotated[int, Field(strict=True, ge=0, le=10**9)] = 0
    unit_price_cny: Cny


class Commitment(_Reserve):
    """A maker's commitment (生产能力储备): nothing until `conversion_min`, then `rate_per_hour` up to `quantity`."""

    mode: Literal[Mode.CAPACITY]
    item_code: ItemCode
    quantity: Units
    conversion_min: Minutes
    rate_per_hour: Units
    unit_price_cny: Cny


class Fund(_Reserve):
    """Money to buy one item with (资金储备): approved, ordered and delivered to `place_id`.

    It is counted and held in whole units of its item: budget_cny // unit_price_cny.
    """

    mode: Literal[Mode.FUND]
    item_code: ItemCode
    budget_cny: Units
    unit_price_cny: Units
    approval_min: Minutes
    delivery_min: Minutes

    @model_validator(mode="after")
    def _buys_something(self) -> Self:
        if self.budget_cny < self.unit_price_cny:
            raise ValueError(
                "budget_cny 少于 unit_price_cny,一件也买不到,请核对 / "
                "budget_cny is less than unit_price_cny, the fund buys nothing: correct them"
            )
        return self


Reserve = Annotated[Agreement | Commitment | Fund, Field(discriminator="mode")]


class ReserveView(Dto):
    """A reserve record and what is left of it, in units: quantity = available + held + used."""

    reserve: Reserve
    quantity: int
    held: int
    used: int
    available: int
    usable: bool
    """Valid today."""


class ReservePage(Dto):
    rows: list[ReserveView]
    next_cursor: str | None = None


class SupplyRow(Dto):
    """What can be had of one item, of one mode, at one place: by when and from what it follows."""

    place_id: str
    item_code: str
    mode: Mode
    quantity: int
    """Free units: on hand or agreed, less what is held or used."""
    ready_min: int
    """Minutes after the order until the first unit can be loaded; 0 for what is on a shelf."""
    rate_per_hour: int | None = None
    """Where units appear at a rate from ready_min on, up to quantity."""
    from_ids: list[str]
    """The lots or the reserve record behind the row."""


class PointStock(Dto):
    """Units that are already at a demand point."""

    place_id: str
    item_code: str
    quantity: int


class Snapshot(Dto):
    """One consistent view of everything that can be had, taken in one transaction."""

    taken_at: Utc
    items: list[Item]
    kits: list[Kit]
    places: list[Place]
    supply: list[SupplyRow]
    at_points: list[PointStock]


class AvailabilityRow(Dto):
    """Units of an item that could be loaded somewhere by a minute after the order, by mode, cumulated."""

    item_code: str
    minute: int
    physical: int
    contract: int
    capacity: int
    fund: int
