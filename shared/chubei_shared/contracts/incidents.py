"""Incidents (owned by allocation)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.amendments import AmendmentView, Groups, IncidentStatus, Level, People, Ways
from chubei_shared.contracts.base import Dto, Id, Name, Text, Utc
from chubei_shared.contracts.catalogue import Season, Setting
from chubei_shared.contracts.demands import AbsoluteDemand, DemandView, GrantedView


class IncidentKind(StrEnum):
    EARTHQUAKE = "earthquake"
    FLOOD = "flood"
    STORM = "storm"
    SNOW = "snow"
    FIRE = "fire"
    OTHER = "other"


class IncidentDeclaration(Dto):
    """The 12 hours run from `occurred_at`, not from the declaration; both are kept."""

    id: UUID
    kind: IncidentKind
    level: Level
    name: Name
    place: Text = ""
    occurred_at: Utc
    exercise: bool = False
    """Exercises are marked everywhere, and may be played on another clock than the wall's."""
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    """Share of the residents affected; the district's duty share where not given."""
    people_by_subdistrict: dict[Id, People] | None = Field(default=None, max_length=1000)
    """People to support, where it is known better than by a share."""
    groups_by_subdistrict: dict[Id, Groups] = Field(default_factory=dict, max_length=1000)
    """Members of the district's groups among them; by the district's shares where not given."""
    setting: Setting = Setting.ANY
    """Where the people are (indoor, outdoor), which chooses their kit; any: as each shelter is."""
    season: Season | None = None
    """Which chooses their kit too; left out, by the date in China: winter November to March, summer June to August."""
    open_shelters: list[Id] = Field(default_factory=list, max_length=1000)
    """Candidates to be opened beside the registered shelters."""
    leave_out: list[Id] = Field(default_factory=list, max_length=1000)
    """Registered shelters that are not opened (destroyed, flooded)."""
    crowded: bool = False
    """Go ahead though there are more people than places, and candidate shelters could be opened."""
    demands: list[AbsoluteDemand] = Field(default_factory=list, max_length=1000)
    """What is wanted in fixed numbers: pumps, barriers."""
    closures: Ways = Field(default_factory=list, max_length=5000)
    """Ordered pairs of places whose direct way is closed."""


class DemandPoint(Dto):
    shelter_id: str
    subdistrict_id: str
    name_zh: str
    name_en: str
    people: int
    groups: dict[str, int]
    kit_id: str
    """The shelter's own; the plan's scenario says which kit was chosen by setting and season."""
    open: bool = True
    """False: closed, and people are still there."""
    opens_min: int | None = None
    """Where it is known to be other than in the district's data."""
    counted_at: Utc | None = None
    """When the people were counted; none: they are expected there."""


class CrowdedRow(Dto):
    """A sub-district with more people than places, and what could be opened there."""

    subdistrict_id: str
    people: int
    capacity: int
    candidates: list[str]


class IncidentView(Dto):
    """The incident as it stands: as declared, amended and counted."""

    id: UUID
    kind: IncidentKind
    level: int
    name: str
    place: str
    occurred_at: Utc
    declared_at: Utc
    declared_by: str
    deadline_at: Utc
    minutes_left: int
    exercise: bool
    people: int
    points: list[DemandPoint]
    """Where people are."""
    closures: list[tuple[str, str]]
    status: IncidentStatus = IncidentStatus.DECLARED
    setting: Setting = Setting.ANY
    season: Season = Season.ANY
    opened: list[str] = Field(default_factory=list)
    """The shelters that are open, those where nobody is expected too."""
    crowding: list[CrowdedRow] = Field(default_factory=list)
    demands: list[DemandView] = Field(default_factory=list)
    granted: list[GrantedView] = Field(default_factory=list)
    """What shelters get beyond kits, as they asked for it."""
    amendments: list[AmendmentView] = Field(default_factory=list)
    """As they were recorded."""


class IncidentPage(Dto):
    rows: list[IncidentView]
    next_cursor: str | None = None
