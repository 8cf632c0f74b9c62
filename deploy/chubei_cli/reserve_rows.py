"""The tables of a district's reserves: what is to be kept, what lies where, what others have promised."""

from dataclasses import dataclass
from typing import Annotated

from chubei_cli.cells import (
    choice,
    optional,
    refers_to,
    whole,
)
from chubei_cli.row_fields import (
    Count,
    Days,
    DaysAhead,
    Id,
    Item,
    Minutes,
    Name,
    Positive,
    Provenance,
    Source,
)


@dataclass(frozen=True)
class Norm:
    """norms.csv: how much of an item is to be kept for each 1,000 people of the duty."""

    item: Item
    units_per_1000: Positive
    least_physical_pct: Annotated[int, whole(0, 100)]
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class StreetStock:
    """street_stock.csv: what lies at a shelter already."""

    shelter: Annotated[str, refers_to("shelters.csv")]
    item: Item
    quantity: Positive
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Lot:
    """lots.csv: opening stock of the stores. Days count from the day of seeding."""

    store: Annotated[str, refers_to("stores.csv")]
    item: Item
    lot_no: Name
    maker: Name
    made_days_ago: Days
    expires_in_days: DaysAhead
    quantity: Positive
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Agreement:
    """agreements.csv: contract reserve. `quantity` may be called off; `lead_min` until it can be loaded."""

    supplier: Annotated[str, refers_to("suppliers.csv")]
    item: Item
    quantity: Positive
    floor_stock: Count
    lead_min: Minutes
    price_cny: Positive
    valid_from_days_ago: Days
    valid_for_days: DaysAhead
    last_verified_days_ago: Days
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Commitment:
    """commitments.csv: capacity reserve. After `conversion_min`, `rate_per_hour` units up to `limit_units`."""

    maker: Annotated[str, refers_to("makers.csv")]
    item: Item
    conversion_min: Minutes
    rate_per_hour: Positive
    limit_units: Positive
    price_cny: Positive
    valid_from_days_ago: Days
    valid_for_days: DaysAhead
    last_verified_days_ago: Days
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Fund:
    """funds.csv: money to buy with; goods are there `approval_min` + `delivery_min` after the disaster."""

    id: Id
    name_zh: Name
    name_en: Name
    budget_cny: Positive
    approval_min: Minutes
    delivery_min: Minutes
    valid_from_days_ago: Days
    valid_for_days: DaysAhead
    last_verified_days_ago: Days
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class FundPurchase:
    """fund_purchases.csv: what a fund buys, at most how much, at what price, delivered to which place."""

    fund: Annotated[str, refers_to("funds.csv")]
    item: Item
    limit_units: Positive
    price_cny: Positive
    delivered_to: Annotated[str, refers_to("stores.csv", "suppliers.csv", "makers.csv")]
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Declaration:
    """declarations.csv: what firms, communities and homes say they have; counted apart."""

    sphere: Annotated[str, choice("social", "household")]
    subdistrict: Annotated[str, refers_to("subdistricts.csv")]
    item: Item
    quantity: Positive
    party: Name
    households: Annotated[int | None, optional(whole(1))]
    declared_days_ago: Days
    valid_for_days: Days
    provenance: Provenance
    source: Source
