"""Who is at a shelter, as its keeper or the street office reports by the hour (owned by allocation)."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.amendments import Groups
from chubei_shared.contracts.base import Dto, Id, Text, Utc


class _Counted(Dto):
    id: UUID
    """Minted by the client, so that a retry is the same request."""
    shelter_id: Id
    occurred_at: Utc
    """When they were counted."""
    people: Annotated[int, Field(strict=True, ge=0, le=10**6)]
    groups: Groups | None = None
    """Infants, elderly, disabled, sick, by the district's group ids; each person in one group. A group not named
    has nobody. Left out altogether: nobody looked, and the district's shares hold."""
    note: Text = ""
    """What else is asked for or should be known."""


class Headcount(_Counted):
    """The demand follows the latest by `occurred_at`; of two for one moment, the one recorded later."""

    surely: bool = False
    """They were counted again: more than three times as many as the shelter has places for are taken only with this."""


class HeadcountView(_Counted):
    incident_id: UUID
    recorded_at: Utc
    recorded_by: str


class HeadcountPage(Dto):
    minutes_left: int
    rows: list[HeadcountView]
    next_cursor: str | None = None


class ShelterRow(Dto):
    """A shelter that is open or has people: what stands now, and when it is to report."""

    shelter_id: str
    name_zh: str
    name_en: str
    subdistrict_id: str
    open: bool
    people: int
    """As the incident stands: by the latest report, or expected."""
    latest: HeadcountView | None
    due_at: Utc
    """An hour after the latest report, or after it opened."""
    overdue: bool
    overdue_min: int


class OwnShelter(ShelterRow):
    """What a shelter's keeper sees, to report by."""

    incident_id: UUID
    incident_name: str
    exercise: bool
    ended: bool
    """Only what was counted before the end is taken."""
    groups: list[str]
    """The ids of the district's groups, which `Headcount.groups` names."""


class HeadcountBoard(Dto):
    incident_id: UUID
    minutes_left: int
    exercise: bool
    people: int
    counted: int
    """Of them at shelters that have reported."""
    overdue: int
    """Shelters whose report is older than 60 minutes."""
    rows: list[ShelterRow]
