"""The tables of a district: each file's row type, and the columns that make a row unique.

Each field is a column of that name, annotated with what its cells may hold (`cells.py`); README explains them.
Those of the reserves stand in `reserve_rows.py`, those of the response in `response_rows.py`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, NamedTuple

from chubei_cli.cells import (
    PROVENANCES,
    choice,
    choices,
    decimal,
    optional,
    refers_to,
    shaped,
    text,
    whole,
    yes_no,
)
from chubei_cli.reserve_rows import (
    Agreement,
    Commitment,
    Declaration,
    Fund,
    FundPurchase,
    Lot,
    Norm,
    StreetStock,
)
from chubei_cli.response_rows import Authority, Duty, Person, Post
from chubei_cli.row_fields import (
    FAMILIES,
    MODES,
    Code,
    Docks,
    Id,
    Item,
    Lat,
    Lon,
    Minutes,
    Name,
    Positive,
    Provenance,
    Size,
    Source,
)


@dataclass(frozen=True)
class About:
    """district.yaml (nested keys joined by `_`): the duty, travel, the plausible box, what licences ask for."""

    id: Id
    name_zh: Name
    name_en: Name
    residents: Positive
    residents_provenance: Provenance
    residents_source: Source
    duty_share: Annotated[Decimal, decimal("0", "1", above=True)]
    duty_provenance: Provenance
    duty_source: Source
    deadline_min: Annotated[int, whole(1, 43_200)]
    timezone: Name
    travel_circuity: Annotated[Decimal, decimal("1", "5")]
    travel_speed_kmh: Annotated[Decimal, decimal("0", "200", above=True)]
    travel_reason_zh: Name
    travel_reason_en: Name
    travel_provenance: Provenance
    box_lon_min: Lon
    box_lon_max: Lon
    box_lat_min: Lat
    box_lat_max: Lat
    attribution_zh: Name
    attribution_en: Name
    notice_zh: Name
    notice_en: Name


@dataclass(frozen=True)
class Group:
    """groups.csv: people with needs of their own, as a share of the people at a shelter."""

    code: Id
    name_zh: Name
    name_en: Name
    share: Annotated[Decimal, decimal("0", "1")]
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class SubDistrict:
    """subdistricts.csv"""

    code: Annotated[str, shaped(r"[0-9]{9}", "9 位统计用区划代码", "the 9 digits of the statistics code")]
    name_zh: Name
    name_en: Name
    zone: Annotated[str, choice("north", "centre", "south")]
    residents: Positive
    residents_provenance: Provenance
    residents_source: Source
    lon: Lon
    lat: Lat
    coordinate_provenance: Provenance
    coordinate_source: Source


@dataclass(frozen=True)
class CatalogueItem:
    """catalogue.csv: `pack` units travel together; weight and volume are per unit, in g and cm³."""

    code: Code
    name_zh: Name
    name_en: Name
    family: Annotated[str, choice(*FAMILIES)]
    unit_zh: Name
    unit_en: Name
    pack: Positive
    weight_g: Positive
    volume_cm3: Positive
    shelf_life_months: Positive
    reserve_modes: Annotated[tuple[str, ...], choices(*MODES)]
    managing_body: Name
    dispatch_authority: Name
    returnable: Annotated[bool, yes_no()]
    provenance: Provenance
    source: Source
    ref_price_cny: Annotated[int | None, optional(whole(1))]
    price_provenance: Annotated[str | None, optional(choice(*PROVENANCES))]
    price_source: Annotated[str, text(optional=True)]


@dataclass(frozen=True)
class Kit:
    """kits.csv: a standard of relief for people in one kind of place."""

    code: Id
    name_zh: Name
    name_en: Name
    place: Annotated[str, choice("indoor", "outdoor")]
    season: Annotated[str, choice("any", "winter", "summer")]
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class KitNeed:
    """kit_needs.csv: units per person (per member where `group` is given); tier 1 basic relief, 2 settled."""

    kit: Annotated[str, refers_to("kits.csv")]
    item: Item
    per_person: Annotated[Decimal, decimal("0", "1000", above=True)]
    tier: Annotated[int, whole(1, 2)]
    group: Annotated[str | None, optional(refers_to("groups.csv"))]
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Shelter:
    """shelters.csv: a demand point. `capacity` is what is planned with, `site_capacity` the whole site's."""

    id: Id
    name_zh: Name
    name_en: Name
    subdistrict: Annotated[str, refers_to("subdistricts.csv")]
    kit: Annotated[str, refers_to("kits.csv")]
    status: Annotated[str, choice("registered", "candidate")]
    indoor: Annotated[bool, yes_no()]
    lon: Lon
    lat: Lat
    coordinate_provenance: Provenance
    coordinate_source: Source
    capacity: Positive
    capacity_provenance: Provenance
    site_capacity: Annotated[int | None, optional(whole(1))]
    site_capacity_provenance: Annotated[str | None, optional(choice(*PROVENANCES))]
    site_capacity_source: Annotated[str, text(optional=True)]
    bays: Positive
    unload_fixed_min: Minutes
    unload_kg_per_min: Positive
    opens_min: Minutes
    hand_out_per_hour: Positive
    max_size: Size
    weight: Annotated[Decimal, decimal("0", "10", above=True)]
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class Site:
    """stores.csv, suppliers.csv, makers.csv: a place where vehicles load, at manned docks."""

    id: Id
    name_zh: Name
    name_en: Name
    lon: Lon
    lat: Lat
    docks: Docks
    load_fixed_min: Minutes
    load_kg_per_min: Positive
    provenance: Provenance
    source: Source


@dataclass(frozen=True)
class VehicleType:
    """fleet.csv: `count` alike vehicles; `size` must not exceed a shelter's `max_size`."""

    type: Id
    name_zh: Name
    name_en: Name
    count: Positive
    start: Annotated[str, refers_to("stores.csv", "suppliers.csv", "makers.csv")]
    available_min: Minutes
    payload_kg: Positive
    volume_litres: Positive
    speed_factor: Annotated[Decimal, decimal("0", "10", above=True)]
    size: Size
    provenance: Provenance
    source: Source


class Table(NamedTuple):
    """A CSV file: the type of its rows, the columns that together stand only once, whether it may have no rows."""

    row_type: type
    key: tuple[str, ...]
    may_be_empty: bool = False


ABOUT_FILE = "district.yaml"
TABLES: dict[str, Table] = {
    "subdistricts.csv": Table(SubDistrict, ("code",)),
    "groups.csv": Table(Group, ("code",), may_be_empty=True),
    "catalogue.csv": Table(CatalogueItem, ("code",)),
    "kits.csv": Table(Kit, ("code",)),
    "kit_needs.csv": Table(KitNeed, ("kit", "item")),
    "norms.csv": Table(Norm, ("item",), may_be_empty=True),
    "shelters.csv": Table(Shelter, ("id",)),
    "street_stock.csv": Table(StreetStock, ("shelter", "item"), may_be_empty=True),
    "stores.csv": Table(Site, ("id",)),
    "suppliers.csv": Table(Site, ("id",), may_be_empty=True),
    "makers.csv": Table(Site, ("id",), may_be_empty=True),
    "lots.csv": Table(Lot, ("store", "item", "lot_no"), may_be_empty=True),
    "agreements.csv": Table(Agreement, ("supplier", "item"), may_be_empty=True),
    "commitments.csv": Table(Commitment, ("maker", "item"), may_be_empty=True),
    "funds.csv": Table(Fund, ("id",), may_be_empty=True),
    "fund_purchases.csv": Table(FundPurchase, ("delivered_to", "item"), may_be_empty=True),
    "declarations.csv": Table(Declaration, ("sphere", "subdistrict", "item"), may_be_empty=True),
    "fleet.csv": Table(VehicleType, ("type",)),
    "posts.csv": Table(Post, ("id",), may_be_empty=True),
    "authority.csv": Table(Authority, ("id",), may_be_empty=True),
    "duties.csv": Table(Duty, ("id",), may_be_empty=True),
    "people.csv": Table(Person, ("id",), may_be_empty=True),
}
