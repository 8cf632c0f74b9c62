"""Reports of an incident (速报, 时报, 需求报告): drafted from the books, then signed (owned by allocation)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chubei_shared.contracts.base import Dto, Id, ItemCode, Name, Reason, Text, Units, Utc

Prose = Annotated[str, StringConstraints(max_length=8000, pattern=r"^[^\x00]*$")]


class ReportKind(StrEnum):
    FIRST = "first"
    """速报: what happened, who is affected, what was begun."""
    HOURLY = "hourly"
    """时报: 应到、已到、已发 by street and item."""
    CITY_REQUEST = "city_request"
    """需求报告: the request for the city's goods."""


class ReportStatus(StrEnum):
    DRAFT = "draft"
    SIGNED = "signed"
    """It can not be changed any more: a new version may supersede it."""
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


class ItemFigures(Dto):
    """Units of an item, of a street or in all."""

    item_code: str
    name_zh: str
    name_en: str
    due: int
    """应到: by the kits of the people who are there, and demands in fixed numbers."""
    arrived: int
    """已到: received sound from this incident's orders."""
    on_the_way: int
    """Loaded, and not received yet."""
    handed_out: int | None
    """已发; none: nobody records it."""
    gap: int
    """What is due and has not arrived."""


class StockFigures(Dto):
    """The district's own reserves of an item, at `stock_at`, and what this incident has used of them."""

    item_code: str
    name_zh: str
    name_en: str
    in_store: int
    """Free on the shelves of the places where the district can load."""
    agreed: int
    """Firm by contract, capacity and fund."""
    used: int
    """Loaded for this incident, of whatever mode."""


class StreetFigures(Dto):
    subdistrict_id: str
    name_zh: str
    name_en: str
    people: int
    served: int
    """Fully supported (tier 1) by what has arrived."""
    items: list[ItemFigures]


class Facts(Dto):
    """What the books said when the draft was made. Nobody edits them; `facts_hash` is of their canonical JSON."""

    data_at: Utc
    minute: int
    """Since it happened."""
    minutes_left: int
    incident_kind: str
    level: int
    name: str
    place: str
    occurred_at: Utc
    declared_at: Utc
    deadline_at: Utc
    exercise: bool
    people: int
    groups: dict[str, int]
    shelters: int
    """Where people are."""
    served: int
    planned: int
    """Served at the deadline by the plan in force; 0 while there is none."""
    plan_id: UUID | None
    plan_hash: str | None
    orders: dict[str, int]
    """By status."""
    streets: list[StreetFigures]
    items: list[ItemFigures]
    stock_at: Utc | None
    """None: inventory was away, and nothing is known of the stock."""
    stock: list[StockFigures]
    notes: list[str]
    """What is not known, and why; Chinese / English."""

    def names(self) -> dict[str, tuple[str, str]]:
        """Of its items, in Chinese and English."""
        rows: list[ItemFigures | StockFigures] = [*self.items, *self.stock]
        return {row.item_code: (row.name_zh, row.name_en) for row in rows}


class Receiver(Dto):
    """Who takes over what the city sends, and where."""

    place: Text = ""
    name: Text = ""
    phone: Annotated[str, StringConstraints(pattern=r"^[0-9+ -]{0,30}$")] = ""


class RequestLine(Dto):
    item_code: ItemCode
    quantity: Units
    spec: Text = ""


class CityRequest(Dto):
    """What is asked of the city, beside the facts: time, place, kind, people, own stock and what is used of it."""

    reason: Prose = ""
    lines: list[RequestLine] = Field(default_factory=list, max_length=500)
    receiver: Receiver = Receiver()
    needed_by: Utc | None = None
    phoned_at: Utc | None = None
    """In urgency by phone first, papers after."""
    phoned_to: Text = ""


class Told(Dto):
    """What people say in a report; the system writes the first version of it."""

    title: Name
    to: Name
    copied_to: list[Name] = Field(default_factory=list, max_length=20)
    summary: Prose
    summary_en: Prose = ""
    measures: Prose = ""
    """What was done, and what comes next."""
    request: CityRequest | None = None
    """Of a city request, and of no other."""


class ReportRequest(Dto):
    """Have a draft made. The id is the caller's: the same again gives the same answer."""

    id: UUID
    kind: ReportKind
    replaces: UUID | None = None
    """The signed report of which this is to be the next version."""


class ReportEdit(Dto):
    revision: Annotated[int, Field(strict=True, ge=0)]
    """Of the draft that was edited: 409 when somebody else has changed it since."""
    told: Told


class ReportSignature(Dto):
    seen: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """The `hash` of what was read: 409 where it is another by now."""


class Arrival(Dto):
    """Something that the city sent has come. The stock itself moves in inventory (`movement_id`)."""

    id: UUID
    item_code: ItemCode
    quantity: Units
    arrived_at: Utc
    place_id: Id
    sender: Name
    movement_id: UUID | None = None
    note: Text = ""


class ArrivalView(Arrival):
    report_id: UUID
    """The version that it was booked against."""
    recorded_at: Utc
    recorded_by: str


class RequestAccount(Dto):
    """An item of a city request: asked for in this version, and arrived under all of its versions."""

    item_code: str
    name_zh: str
    name_en: str
    asked: int
    arrived: int
    open: int


class ReportSummary(Dto):
    id: UUID
    incident_id: UUID
    exercise: bool
    kind: ReportKind
    number: str
    """e.g. 20261121-SB01; versions of a report share it."""
    version: int
    replaces: UUID | None
    status: ReportStatus
    revision: int
    title: str
    drafted_at: Utc
    drafted_by: str
    edited_at: Utc | None
    edited_by: str | None
    signed_at: Utc | None
    signed_by: str | None
    data_at: Utc
    data_age_min: int
    """How old the facts are; of a signed report, how old they were when it was signed."""
    facts_hash: str
    hash: str
    """SHA-256 over number, version, facts and what is told: what a signature is for."""


class ReportView(ReportSummary):
    facts: Facts
    told: Told
    account: list[RequestAccount]
    arrivals: list[ArrivalView]


class ReportPage(Dto):
    """The latest first."""

    rows: list[ReportSummary]
    next_cursor: str | None = None


class Discard(Dto):
    reason: Reason
