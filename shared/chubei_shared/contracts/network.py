"""The district: sub-districts, shelters, loading sites, fleet, roads (owned by allocation)."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

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


VehicleTypeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,79}$")]
"""Without #: vehicle n of a type is written type#n."""


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


class ShelterStatus(StrEnum):
    REGISTERED = "registered"
    """Opened by itself when an incident is declared."""
    CANDIDATE = "candidate"
    """A school, gym or hotel that may be opened."""


class Shelter(Dto):
    """A demand point (集中安置点); its id is that of the place where inventory counts what has been received."""

    id: Id
    subdistrict_id: Id
    name_zh: Name
    name_en: Name
    lon: Lon
    lat: Lat
    status: ShelterStatus = ShelterStatus.REGISTERED
    indoor: bool | None = None
    """Under a roof; left out: as its kit says."""
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
    loaders_per_dock: Annotated[int, Field(strict=True, ge=1, le=100)] = 2
    """How many it takes to man one dock."""
    provenance: Provenance


class VehicleType(Dto):
    id: VehicleTypeId
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

    @model_validator(mode="after")
    def _groups(self) -> Self:
        if sum(self.group_shares.values()) > 1:
            raise ValueError(
                "group_shares 合计超过 1,每人只计入一类,请核对 / "
                "group_shares add up to more than 1, and nobody is counted in two groups: correct them"
            )
        return self


class Network(Dto):
    """All of the district. As a PUT: what is named is created or replaced in one transaction, the rest stays."""

    district: District | None = None
    subdistricts: list[SubDistrict] = Field(default_factory=list, max_length=1000)
    loading_sites: list[LoadingSite] = Field(default_factory=list, max_length=1000)
    shelters: list[Shelter] = Field(default_factory=list, max_length=10_000)
    vehicle_types: list[VehicleType] = Field(default_factory=list, max_length=1000)


class NetworkChange(Dto):
    changed: int
    """Rows that are now other than before; 0 when the same is put again."""
