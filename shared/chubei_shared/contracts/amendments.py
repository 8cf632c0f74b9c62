"""What has changed about an incident since it was declared (owned by allocation). Added, never edited."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Minutes, Reason, UnitsOrNone, Utc
from chubei_shared.contracts.catalogue import Season, Setting
from chubei_shared.contracts.demands import AbsoluteDemand, Worth

Level = Annotated[int, Field(strict=True, ge=1, le=4)]
"""I to IV, I the gravest."""
People = Annotated[int, Field(strict=True, ge=0, le=10**7)]
Groups = Annotated[dict[Id, UnitsOrNone], Field(max_length=50)]
"""Members by group, such as {"infant": 3}; nobody is in two groups."""
Ways = list[tuple[Id, Id]]
"""Ordered pairs of places whose direct way is closed."""
MoreUnits = Annotated[int, Field(strict=True, ge=-(10**6), le=10**6)]
"""Fewer than 0 takes back what was granted."""
Shelters = Annotated[list[Id], Field(min_length=1, max_length=1000)]


class IncidentStatus(StrEnum):
    DECLARED = "declared"
    ENDED = "ended"
    REOPENED = "reopened"


class LevelChange(Dto):
    kind: Literal["level"]
    level: Level


class PeopleChange(Dto):
    """How many people need relief, by sub-district (shared out anew over its open shelters) or at one shelter."""

    kind: Literal["people"]
    by_subdistrict: dict[Id, People] = Field(default_factory=dict, max_length=1000)
    by_shelter: dict[Id, People] = Field(default_factory=dict, max_length=10_000)
    crowded: bool = False
    """Go ahead though there are more people than places, and candidate shelters could be opened."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.by_subdistrict and not self.by_shelter:
            raise ValueError("须填 by_subdistrict 或 by_shelter / give by_subdistrict or by_shelter")
        return self


class GroupsChange(Dto):
    """How many of the people are in each group; a group that is not named has nobody."""

    kind: Literal["groups"]
    by_subdistrict: dict[Id, Groups] = Field(default_factory=dict, max_length=1000)
    by_shelter: dict[Id, Groups] = Field(default_factory=dict, max_length=10_000)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.by_subdistrict and not self.by_shelter:
            raise ValueError("须填 by_subdistrict 或 by_shelter / give by_subdistrict or by_shelter")
        return self


class ConditionsChange(Dto):
    """Another setting or season, and with it other kits; what is left out stays."""

    kind: Literal["conditions"]
    setting: Setting | None = None
    season: Season | None = None


class SheltersOpened(Dto):
    """Candidates or shelters closed before are opened: the sub-district's people are shared out anew."""

    kind: Literal["shelters_opened"]
    shelter_ids: Shelters


class SheltersClosed(Dto):
    """Their people go to the sub-district's other open shelters."""

    kind: Literal["shelters_closed"]
    shelter_ids: Shelters
    crowded: bool = False


class ShelterDelayed(Dto):
    """A shelter opens at this minute after it happened, not when the district's data says."""

    kind: Literal["shelter_delayed"]
    shelter_id: Id
    opens_min: Minutes


class ClosuresChange(Dto):
    kind: Literal["closures"]
    closed: Ways = Field(default_factory=list, max_length=5000)
    passable: Ways = Field(default_factory=list, max_length=5000)


class DemandAdded(Dto):
    kind: Literal["demand_added"]
    demand: AbsoluteDemand


class DemandRemoved(Dto):
    kind: Literal["demand_removed"]
    demand_id: Id


class MoreGranted(Dto):
    """A shelter gets more than the kits of its people, on top of what it was granted before (要求增补)."""

    kind: Literal["more_granted"]
    shelter_id: Id
    units: Annotated[dict[ItemCode, MoreUnits], Field(min_length=1, max_length=100)]
    worth: Worth = 10
    """Of what is not in its kit: how much it weighs against relief."""
    request_id: UUID | None = None
    """The shelter's request that this accepts."""


class Ended(Dto):
    kind: Literal["ended"]


class Reopened(Dto):
    kind: Literal["reopened"]


Change = Annotated[
    LevelChange
    | PeopleChange
    | GroupsChange
    | ConditionsChange
    | SheltersOpened
    | SheltersClosed
    | ShelterDelayed
    | ClosuresChange
    | DemandAdded
    | DemandRemoved
    | MoreGranted
    | Ended
    | Reopened,
    Field(discriminator="kind"),
]


class Amendment(Dto):
    id: UUID
    """Minted by the client, so that a retry is the same request."""
    occurred_at: Utc | None = None
    """From when on it is so; left out, from now on."""
    why: Reason
    change: Change


class AmendmentView(Dto):
    id: UUID
    occurred_at: Utc
    recorded_at: Utc
    recorded_by: str
    why: str
    change: Change
