"""The district: sub-districts, shelters, loading sites, fleet, roads (owned by allocation)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from chubei_shared.contracts.base import (
    Dto,
    Id,
    Lat,
    Lon,
    Minutes,
    Name,
    Provenance,
    Text,
    Units,
    UnitsOrNone,
)

Count = Annotated[int, Field(strict=True, ge=0, le=10_000)]
Rate = Annotated[int, Field(strict=True, gt=0, le=100_000)]


class CrewStep(Dto):
    """From this minute on, so many docks (or bays) are manned."""

    from_min: Minutes
    manned: Count


class SubDistrict(Dto):
    id: Id
    name_zh: Name
    name_en: Name
    zone: Text = ""
    residents: Units
    lon: Lon
    lat: Lat
    provenance: Provenance


class Shelter(Dto):
    """A demand point (集中安置点)."""

    id: Id
    subdistrict_id: Id
    name_zh: Name
    name_en: Name
    lon: Lon
    lat: Lat
    capacity: UnitsOrNone
    kit_id: Id
    bays: Count
    unload_fixed_min: Minutes
    unload_kg_per_min: Rate
    opens_min: Minutes
    hand_out_per_hour: Rate | None = None
    max_size: Count
    weight: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 1.0
    provenance: Provenance


class LoadingSite(Dto):
    """Where vehicles load: the docks and crews of a store, a supplier or a maker. `place_id` is inventory's."""

    place_id: Id
    docks: list[CrewStep] = Field(min_length=1)
    load_fixed_min: Minutes
    load_kg_per_min: Rate
    provenance: Provenance


class VehicleType(Dto):
    id: Id
    name_zh: Name
    name_en: Name
    count: Count
    start_place_id: Id
    available_min: Minutes
    payload_kg: Rate
    volume_l: Units
    speed_factor: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.0
    size: Count
    provenance: Provenance


class District(Dto):
    """The district's own facts: name, the duty, the roads, and whom the data is owed to."""

    id: Id
    name_zh: Name
    name_en: Name
    residents: Units
    duty_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
    deadline_min: Annotated[int, Field(strict=True, gt=0, le=10_080)]
    circuity: Annotated[float, Field(ge=1, le=10, allow_inf_nan=False)]
    speed_kmh: Annotated[float, Field(gt=0, le=200, allow_inf_nan=False)]
    group_shares: dict[Id, Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]]
    """Share of people in each group with needs of its own, e.g. {"infant": 0.02}."""
    attributions: list[Text]
    provenance: Provenance


class NetworkKind(StrEnum):
    SUBDISTRICT = "subdistricts"
    SHELTER = "shelters"
    SITE = "loading-sites"
    VEHICLE = "vehicle-types"
