"""Incidents (owned by allocation)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.base import Dto, Id, Name, Text, Utc


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
    level: Annotated[int, Field(strict=True, ge=1, le=4)]
    """I to IV, I the gravest."""
    name: Name
    place: Text = ""
    occurred_at: Utc
    exercise: bool = False
    """Exercises are marked everywhere, and may be played on another clock than the wall's."""
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    """Share of the residents affected; the district's duty share where not given."""
    people_by_subdistrict: dict[Id, Annotated[int, Field(strict=True, ge=0, le=10**7)]] | None = None
    """People to support, where it is known better than by a share."""
    closures: list[tuple[Id, Id]] = Field(default_factory=list, max_length=5000)
    """Ordered pairs of places whose direct way is closed."""


class DemandPoint(Dto):
    shelter_id: str
    subdistrict_id: str
    name_zh: str
    name_en: str
    people: int
    groups: dict[str, int]
    kit_id: str


class IncidentView(Dto):
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
    closures: list[tuple[str, str]]


class IncidentPage(Dto):
    rows: list[IncidentView]
    next_cursor: str | None = None
