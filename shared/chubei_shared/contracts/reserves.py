"""Reserves that are not on a shelf, and what is known about them (owned by inventory)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import (
    Dto,
    Id,
    ItemCode,
    Minutes,
    Mode,
    Name,
    Provenance,
    Text,
    Units,
    UnitsOrNone,
    Utc,
)
from chubei_shared.contracts.catalogue import Item, Kit, Place

Fen = Annotated[int, Field(strict=True, ge=0, le=10**14)]
"""Money in fen (分), the cents of the yuan: integers, never floats."""
_SomeFen = Annotated[int, Field(strict=True, gt=0, le=10**14)]


class Contact(Dto):
    """Someone to call, by day or by night."""

    name: Name
    phone: Annotated[str, Field(pattern=r"^[0-9+][0-9 -]{2,29}$")] | None = None
    post: Text = ""
    """What this person is there for: duty desk, store keeper, driver."""


class PriceRule(StrEnum):
    """What is paid for what is called off, beside `unit_price_fen`."""

    FIXED = "fixed"
    """That price (固定价)."""
    CAPPED = "capped"
    """That price at most (最高限价)."""
    MARKET = "market"
    """The market's; that price is an estimate (市场价)."""


class _Reserve(Dto):
    id: Id
    place_id: Id
    """Where the goods are loaded: the supplier's, the maker's, or the place that purchases are delivered to."""
    party: Name
    contacts: list[Contact] = Field(default_factory=list, max_length=10)
    valid_from: date
    valid_until: date
    last_verified_on: date | None = None
    """When it was last checked, as known at registration; later checks are verifications."""
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
    floor_stock: UnitsOrNone = 0
    """What the supplier keeps at all times (常备底数); the rest is bought in after the call."""
    price_rule: PriceRule = PriceRule.FIXED
    unit_price_fen: Fen


class Commitment(_Reserve):
    """A maker's commitment (生产能力储备): nothing until `conversion_min`, then `rate_per_hour` up to `quantity`."""

    mode: Literal[Mode.CAPACITY]
    item_code: ItemCode
    quantity: Units
    conversion_min: Minutes
    """Until the line is converted (转产)."""
    ramp_min: Minutes = 0
    """From then until it runs at its rate (爬坡); what is made meanwhile is not counted."""
    rate_per_hour: Units
    price_rule: PriceRule = PriceRule.FIXED
    unit_price_fen: Fen


class Fund(_Reserve):
    """Money to buy one item with (资金储备): approved, ordered and delivered to `place_id`.

    It is counted and held in whole units of its item: budget_fen // unit_price_fen.
    """

    mode: Literal[Mode.FUND]
    item_code: ItemCode
    account_id: Id | None = None
    """The fund that it is a part of; the parts of a fund come to no more than its budget."""
    budget_fen: _SomeFen
    price_rule: PriceRule = PriceRule.MARKET
    unit_price_fen: _SomeFen
    approval_min: Minutes
    delivery_min: Minutes

    @model_validator(mode="after")
    def _buys_something(self) -> Self:
        if self.budget_fen < self.unit_price_fen:
            raise ValueError(
                "budget_fen 少于 unit_price_fen,一件也买不到,请核对 / "
                "budget_fen is less than unit_price_fen, the fund buys nothing: correct them"
            )
        return self


Reserve = Annotated[Agreement | Commitment | Fund, Field(discriminator="mode")]


class Rule(StrEnum):
    """From what a quantity follows; inventory's `firmness` says the rules in full."""

    ON_SHELF = "on_shelf"
    """Lots in the books, less what is held."""
    VERIFIED = "verified"
    """Agreed, and verified within a year: all of it counts."""
    MEASURED = "measured"
    """Agreed and verified; what was measured before lowers what counts."""
    UNVERIFIED = "unverified"
    """Agreed, but not verified within a year: nothing of it counts as firm."""


class Basis(Dto):
    """How a quantity was reckoned, in numbers and in words."""

    rule: Rule
    zh: str
    en: str
    agreed: int
    """On hand, or agreed."""
    firm: int
    """Of the agreed: what may be counted on, before what is taken."""
    likely: int
    held: int
    used: int
    lost: int
    """Called off, and not confirmed in time or confirmed less."""
    delay_min: int
    """What was measured later than agreed is added to the agreed time."""
    verified_on: date | None


class ReserveView(Dto):
    """A reserve record and what is left of it, in units.

    available = quantity - held - used - lost, never below 0; of it `firm` may be counted on: see `basis`.
    """

    reserve: Reserve
    quantity: int
    held: int
    used: int
    available: int
    firm: int
    likely: int
    basis: Basis
    usable: bool
    """Valid today."""


class ReservePage(Dto):
    rows: list[ReserveView]
    next_cursor: str | None = None


class Verification(Dto):
    """A check of what a reserve promises (核验): what was promised against what was found.

    A call (电话核实) says that it stands. A visit (实地清点) counts. A drill (演练调用) calls off for real and
    times it. Checks are never edited; the next one counts beside it.
    """

    id: UUID
    """Minted by the client."""
    kind: Literal["call", "visit", "drill"]
    happened_at: Utc
    promised_units: Units | None = None
    measured_units: UnitsOrNone | None = None
    promised_min: Minutes | None = None
    measured_min: Minutes | None = None
    note: Text = ""

    @model_validator(mode="after")
    def _measured_as_its_kind_says(self) -> Self:
        given = [
            field
            for field in ("promised_units", "measured_units", "promised_min", "measured_min")
            if getattr(self, field) is not None
        ]
        units = ["promised_units", "measured_units"]
        wanted = {"call": [], "visit": units, "drill": [*units, "promised_min", "measured_min"]}[self.kind]
        if given != wanted:
            only = f"请只填 {'、'.join(wanted)}" if wanted else "请去掉数字"
            only_en = f"give {', '.join(wanted)} and no other" if wanted else "leave the figures out"
            raise ValueError(
                f"{self.kind} 所填数字不符,{only} / the figures do not go with {self.kind}: {only_en}"
            )
        return self


class VerificationView(Verification):
    reserve_id: str
    recorded_at: Utc
    recorded_by: str


class VerificationPage(Dto):
    rows: list[VerificationView]
    next_cursor: str | None = None


class SupplyRow(Dto):
    """What can be had of one item, of one mode, at one place: by when and from what it follows."""

    place_id: str
    item_code: str
    mode: Mode
    quantity: int
    """Firm free units: what may be counted on, less what is held or used."""
    likely: int = 0
    """Free units that are likely there, the firm ones included."""
    ready_min: int
    """Minutes after the order until the first unit can be loaded; 0 for what is on a shelf."""
    rate_per_hour: int | None = None
    """Where units appear at a rate from ready_min on, up to quantity."""
    from_ids: list[str]
    """The lots or the reserve record behind the row."""
    basis: Basis | None = None
    """From what the numbers follow."""


class SupplyPage(Dto):
    rows: list[SupplyRow]
    next_cursor: str | None = None


class PointStock(Dto):
    """Units that are already at a demand point."""

    place_id: str
    item_code: str
    quantity: int


class Snapshot(Dto):
    """One consistent view of everything that can be had, taken in one transaction."""

    taken_at: Utc
    catalogue_version: int = 0
    """The version of the catalogue that items and kits are of; 0: none was published."""
    items: list[Item]
    kits: list[Kit]
    places: list[Place]
    supply: list[SupplyRow]
    at_points: list[PointStock]


class AvailabilityRow(Dto):
    """Firm units of an item that could be loaded somewhere by a minute after the order, by mode, cumulated."""

    item_code: str
    minute: int
    physical: int
    contract: int
    capacity: int
    fund: int
