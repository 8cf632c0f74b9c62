"""Who is called on the night: the register, and the call-out sheet (点名表) of an incident (owned by allocation)."""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, Minutes, Name, Provenance, Text, Utc
from chubei_shared.contracts.links import Phone
from chubei_shared.contracts.network import VehicleTypeId

Within = Annotated[int, Field(strict=True, gt=0, le=60 * 24)]


class CallDuty(StrEnum):
    KEEPER = "keeper"
    """Has the key of the place: without one nothing is loaded there."""
    LOADER = "loader"
    DRIVER = "driver"
    SHELTER = "shelter"
    """Keeps a shelter: on the register for the papers' contacts, never on the sheet."""


class Person(Dto):
    """Someone to call. The phone is for those who call: others read it masked."""

    id: Id
    name: Name
    duty: CallDuty
    place_id: Id
    """The loading site where this person works; a driver's, where the vehicle starts; the shelter that one keeps."""
    vehicle_type_id: VehicleTypeId | None = None
    """What a driver drives."""
    phone: Phone
    arrive_min: Minutes
    """Minutes that it usually takes to be there."""
    active: bool = True
    provenance: Provenance

    @model_validator(mode="after")
    def _drives(self) -> Self:
        if (self.duty is CallDuty.DRIVER) != (self.vehicle_type_id is not None):
            raise ValueError(
                "vehicle_type_id:司机(driver)必填,其他人不填 / vehicle_type_id: name it of a driver, and only then"
            )
        return self


class CallRegister(Dto):
    """As a PUT: who is named is created or replaced, all or nobody; who is not named stays."""

    people: list[Person] = Field(min_length=1, max_length=5000)

    @model_validator(mode="after")
    def _once(self) -> Self:
        counted = Counter(one.id for one in self.people)
        twice = sorted(id for id, times in counted.items() if times > 1)
        if twice:
            names = ", ".join(twice)
            raise ValueError(f"people 编号重复:{names},每人一行 / people share the id {names}: one row each")
        return self


class RegisterChange(Dto):
    changed: int
    """Rows that are now other than before; 0 when the same is put again."""


class PersonView(Dto):
    id: str
    name: str
    duty: CallDuty
    place_id: str
    vehicle_type_id: str | None
    phone: str
    """Its first and last digits only, for those who do not call; empty some time after the person left."""
    arrive_min: int
    active: bool
    provenance: Provenance


class PersonPage(Dto):
    rows: list[PersonView]
    next_cursor: str | None = None


class OpenCallOut(Dto):
    """Whom to call. The id is the caller's; another call-out of the incident adds those who are not on its sheet."""

    id: UUID
    places: list[Id] | None = Field(default=None, max_length=1000)
    """Whose keepers and loaders; all that anybody active is registered for, where not given. [] calls none."""
    vehicle_types: list[VehicleTypeId] | None = Field(default=None, max_length=1000)
    """Whose drivers; [] calls none, and leaves the fleet as it stands."""
    answer_within_min: Within = 10
    """Who was called and has not answered for so long is shown as overdue."""


class CallState(StrEnum):
    TO_CALL = "to_call"
    CALLED = "called"
    ANSWERED = "answered"
    UNREACHABLE = "unreachable"
    DECLINED = "declined"
    PRESENT = "present"
    RELEASED = "released"


CallMove = Literal["call", "answer", "unreachable", "decline", "present", "release"]


class CallStep(Dto):
    """What a caller heard, or saw. The id is the caller's: the same again gives the same answer."""

    id: UUID
    move: CallMove
    expected_min: Minutes | None = None
    """Of an answer: the minute since it happened at which the person will be there; by the usual time if not given."""
    note: Text = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.expected_min is not None and self.move != "answer":
            raise ValueError(
                "expected_min:只在接听(answer)时填 / expected_min: give it of an answer, and only then"
            )
        return self


class CallChange(Dto):
    id: UUID
    move: CallMove
    state: CallState
    """After it."""
    expected_min: int | None
    note: str
    at: Utc
    by: str


class CallView(Dto):
    """One person on the sheet."""

    id: UUID
    incident_id: UUID
    exercise: bool
    person_id: str
    name: str
    duty: CallDuty
    place_id: str
    vehicle_type_id: str | None
    phone: str
    arrive_min: int
    state: CallState
    state_at: Utc
    state_by: str
    expected_min: int | None
    overdue: bool
    """Called, and not answered in time."""


class CallRecord(CallView):
    history: list[CallChange]


class Arrivals(Dto):
    """So many people from this minute on, those before included; who is present is so from minute 0."""

    from_min: int
    people: int


class Team(Dto):
    """Those of one duty at a place; drivers by what they drive."""

    place_id: str
    duty: CallDuty
    vehicle_type_id: str | None
    needed: int
    """For all docks, or vehicles, that the network has."""
    on_sheet: int
    present: int
    expected: list[Arrivals]


class CallOutOpening(Dto):
    id: UUID
    places: list[str]
    vehicle_types: list[str]
    answer_within_min: int
    opened_at: Utc
    opened_by: str


class CallOutView(Dto):
    """The sheet of an incident; without an opening nobody was called out, and plans count the standing crews."""

    incident_id: UUID
    exercise: bool
    minutes_left: int
    openings: list[CallOutOpening]
    counts: dict[CallState, int]
    overdue: int
    teams: list[Team]
    rows: list[CallView]
