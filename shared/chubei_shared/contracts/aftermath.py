"""Afterwards (复盘): what happened when, planned against actual, the minutes, what is owed (owned by allocation)."""

from enum import StrEnum
from uuid import UUID

from chubei_shared.contracts.base import Dto, Mode, Utc
from chubei_shared.contracts.cards import LoanRow
from chubei_shared.contracts.reserves import PriceRule


class EventKind(StrEnum):
    INCIDENT = "incident"
    AMENDMENT = "amendment"
    HEADCOUNT = "headcount"
    TASK = "task"
    NOTICE = "notice"
    CALL = "call"
    CONFIRMATION = "confirmation"
    PLAN = "plan"
    DECISION = "decision"
    ORDER = "order"
    RECEIPT = "receipt"
    SHELTER = "shelter"
    """Handing out, a request for more, what is given back."""
    DEVIATION = "deviation"
    REPORT = "report"


class Event(Dto):
    at: Utc
    """When it happened, as it was told."""
    minute: int
    """Since the incident happened."""
    recorded_at: Utc
    kind: EventKind
    zh: str
    en: str
    by: str
    subject_id: UUID | None = None
    """The amendment, plan, order, … that it is about."""


class Moved(Dto):
    """Units as planned by the orders that were carried out, and as reported."""

    planned: int
    loaded: int
    received: int
    """Sound."""
    damaged: int
    short: int


class ItemAccount(Moved):
    item_code: str
    name_zh: str
    name_en: str


class StoreAccount(Dto):
    """What a store, supplier or maker was to load and did."""

    place_id: str
    name_zh: str
    name_en: str
    trips: int
    planned: int
    loaded: int
    planned_end_min: int
    """Of its last loading."""
    end_min: int | None
    late_min: int | None


class Phase(StrEnum):
    DECIDING = "deciding"
    """From the disaster to its declaration."""
    CALLING = "calling"
    """From the first call to the last person who came."""
    PLANNING = "planning"
    """From the request to the checked plan, of plans that were approved."""
    APPROVING = "approving"
    """From the checked plan to the decision."""
    PICKING = "picking"
    LOADING = "loading"
    DRIVING = "driving"
    WAITING = "waiting"
    """At a store or shelter, for anything but work."""
    UNLOADING = "unloading"


class PhaseMinutes(Dto):
    phase: Phase
    zh: str
    en: str
    minutes: int
    """Of all together: of trips, the vehicles' minutes summed."""
    times: int
    longest: int
    planned: int | None
    """Of loading, driving and unloading, as the plan had it for the same stretches."""


class TripAccount(Dto):
    order_id: UUID
    number: str
    vehicle: str
    status: str
    planned_start_min: int
    start_min: int | None
    planned_end_min: int
    end_min: int | None
    """None: its last receipt was not reported."""
    late_min: int | None
    minutes: dict[Phase, int]
    planned_units: int
    received_units: int


class Replenish(Dto):
    """Stock that went out and is to be bought again."""

    place_id: str
    item_code: str
    name_zh: str
    name_en: str
    units: int


class ReturnsDue(Dto):
    """Returnable goods that were brought to points, and what the ledger of loans says."""

    item_code: str
    name_zh: str
    name_en: str
    brought: int
    lent_open: int
    """On loan and not back."""


class Compensation(Dto):
    """What is owed for goods that were not the state's own."""

    source: Mode | None
    """None: a firm's, a donor's or a requisitioned lot."""
    party: str
    """Who is to be paid, as the reserve's record or the consent says."""
    reserve_id: str | None
    place_id: str
    item_code: str
    name_zh: str
    name_en: str
    units: int
    price_rule: PriceRule | None
    unit_price_fen: int | None
    amount_fen: int | None
    """None: no price is on record, it is to be agreed."""
    zh: str
    en: str
    """How the amount is meant: fixed, at most, an estimate, to be agreed."""


class Aftermath(Dto):
    incident_id: UUID
    name: str
    exercise: bool
    ended: bool
    occurred_at: Utc
    declared_at: Utc
    deadline_min: int
    made_at: Utc
    people: int
    planned: int
    served: int
    """By the deadline, as all below: by what was received and how fast it can be handed out."""
    planned_by_hour: list[int]
    """By the end of hour 0, 1, … up to the deadline, by the plan in force."""
    served_by_hour: list[int]
    events: list[Event]
    items: list[ItemAccount]
    stores: list[StoreAccount]
    trips: list[TripAccount]
    phases: list[PhaseMinutes]
    replenish: list[Replenish]
    returns: list[ReturnsDue] | None
    """None, as of those below: inventory was away."""
    loans: list[LoanRow] | None
    compensation: list[Compensation] | None
    compensation_fen: int | None
    """The sum of what has a price; `notes` says what has none."""
    notes: list[str]
