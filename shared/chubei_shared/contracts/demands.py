"""What an incident needs beside the kits of its people: so many pumps, here, by then (owned by allocation)."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Lat, Lon, Minutes, Name, Units
from chubei_shared.contracts.network import Count, Rate

SiteId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]

Worth = Annotated[float, Field(gt=0, le=10**6, allow_inf_nan=False)]
"""How much a demand weighs against relief: as the full relief of so many people."""


class DemandSite(Dto):
    """A place of this incident only, such as a ponding point (积水点): known by name and coordinates."""

    id: SiteId
    name_zh: Name
    name_en: Name
    lon: Lon
    lat: Lat
    bays: Count = 1
    unload_fixed_min: Minutes = 10
    unload_kg_per_min: Rate = 60
    max_size: Count = 99
    """The largest vehicle that gets there."""


class AbsoluteDemand(Dto):
    """Units of an item wanted at a site or a shelter, however many people are there."""

    id: Id
    """The caller's; one demand of the incident."""
    shelter_id: Id | None = None
    site: DemandSite | None = None
    item_code: ItemCode
    units: Units
    by_min: Minutes
    """Wanted by this minute after it happened."""
    worth: Worth

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.shelter_id is None) == (self.site is None):
            raise ValueError(
                "shelter_id 与 site 须填其一,只填一个 / give either shelter_id or site, and only one of them"
            )
        return self


class GrantedView(Dto):
    """What a shelter gets beyond the kits of its people."""

    shelter_id: str
    item_code: str
    units: int
    worth: float


class DemandView(AbsoluteDemand):
    place_id: str
    """Under which inventory counts what is brought there, and the plan's point."""
