"""Alternatives side by side, and the difference between two plans (owned by allocation)."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.assumptions import Assumption, Words
from chubei_shared.contracts.base import Dto, Id, ItemCode, Minutes, Mode, Name, Utc
from chubei_shared.contracts.plans import PlanStatus, Progress, WorkLimit


class Variant(Dto):
    """One of the alternatives. One that assumes what is not there is a what-if, and can not be approved."""

    name: Name
    policy: Literal["fair", "total"] = "fair"
    without_call_offs: bool = False
    """Draw on stock alone: not on contracts, capacity or funds."""
    extra_vehicles: dict[Id, Annotated[int, Field(strict=True, ge=1, le=1000)]] = Field(
        default_factory=dict, max_length=20
    )
    """So many more by type: an assumption."""
    assume: list[Assumption] = Field(default_factory=list, max_length=20)


class AlternativesRequest(Dto):
    """Two or three plans of one incident, asked for together."""

    id: UUID
    variants: Annotated[list[Variant], Field(min_length=2, max_length=3)]
    time_limit_s: Annotated[int, Field(strict=True, ge=1, le=3600)] | None = None
    """Of each."""
    seed: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] = 0
    work_limit: WorkLimit | None = None
    now_min: Minutes | None = None
    """As in a plan request."""

    @model_validator(mode="after")
    def _different(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("variants 名称重复,请改名 / variants have one name twice: rename one")
        rest = [variant.model_dump(exclude={"name"}) for variant in self.variants]
        if any(row in rest[:n] for n, row in enumerate(rest)):
            raise ValueError(
                "variants 中有两个内容相同,请改其一 / two variants are the same but for the name: change one"
            )
        return self


class CallOff(Dto):
    """Units that a plan takes from what has to be called off: an agreement, a line, a fund."""

    place_id: str
    name_zh: str
    name_en: str
    item_code: ItemCode
    item_zh: str
    item_en: str
    mode: Mode
    units: int


class WorseOff(Dto):
    """A shelter where somebody goes without, by the share that does."""

    point: str
    name_zh: str
    name_en: str
    people: int
    supported: int
    settled: int


class Outcome(Dto):
    """What one plan comes to; times in minutes since the incident."""

    plan_id: UUID
    status: PlanStatus
    people: int
    supported: int
    """Basic relief by the deadline: tier 1."""
    settled: int
    """Settled too: tier 2."""
    served_by_hour: list[int]
    worst_off: list[WorseOff]
    """At most five, the worst first."""
    mean_wait_min: float
    last_delivery_min: int | None
    call_offs: list[CallOff]
    vehicles: dict[str, int]
    """Used, by type."""
    trips: int
    objective: float
    bound: float
    gap: float
    """(bound - objective) / bound."""
    binding: list[Words]
    """What holds it up, the most people first; at most six."""


class VariantView(Dto):
    variant: Variant
    what_if: bool
    assumptions: list[Words]
    request_id: UUID
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: Progress | None
    error: str | None
    outcome: Outcome | None
    """None until its plan is made."""


class AlternativesView(Dto):
    id: UUID
    incident_id: UUID
    asked_by: str
    asked_at: Utc
    minutes_left: int
    """Until the incident's deadline."""
    variants: list[VariantView]
    zh: str
    en: str
    """Which serves the most people, in a sentence."""


class AlternativesPage(Dto):
    """Of an incident, the latest first."""

    rows: list[AlternativesView]
    next_cursor: str | None = None


class PointDifference(Dto):
    """People of a shelter in the two plans; where it is in one only, the other has 0."""

    point: str
    name_zh: str
    name_en: str
    supported_from: int
    supported_to: int
    settled_from: int
    settled_to: int


class ItemDifference(Dto):
    """Units brought by trips."""

    item_code: str
    name_zh: str
    name_en: str
    units_from: int
    units_to: int


class CallOffDifference(Dto):
    place_id: str
    name_zh: str
    name_en: str
    item_code: str
    item_zh: str
    item_en: str
    mode: Mode
    units_from: int
    units_to: int


class TripDifference(Dto):
    """Of trips not yet begun; `changed`: the same vehicle and first loading place."""

    kept: int
    changed: int
    dropped: int
    new: int


class PlanDifference(Dto):
    """From one plan of an incident to another; `zh` and `en` are one paragraph to be read aloud."""

    from_plan: UUID
    to_plan: UUID
    zh: str
    en: str
    supported_from: int
    supported_to: int
    settled_from: int
    settled_to: int
    mean_wait_min_from: float
    mean_wait_min_to: float
    last_delivery_min_from: int | None
    last_delivery_min_to: int | None
    points: list[PointDifference]
    """Only where they differ, those that lose the most first; so are the rows below."""
    items: list[ItemDifference]
    call_offs: list[CallOffDifference]
    trips: TripDifference
