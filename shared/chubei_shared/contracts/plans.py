"""Plan requests and plans (owned by allocation)."""

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.assumptions import Assumption, Words
from chubei_shared.contracts.authority import ApprovalView, Needed
from chubei_shared.contracts.base import Dto, Minutes, Mode, Reason, Utc
from chubei_shared.contracts.holds import Shortage

WorkLimit = Annotated[int, Field(strict=True, ge=1, le=10**12)]
"""Moves of the search. The same scenario, seed and work limit give the same plan where no time limit cuts in: for who
wants to see a plan made once more."""


class PlanRequest(Dto):
    id: UUID
    incident_id: UUID
    policy: Literal["fair", "total"] = "fair"
    time_limit_s: Annotated[int, Field(strict=True, ge=1, le=3600)] | None = None
    seed: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] = 0
    work_limit: WorkLimit | None = None
    now_min: Minutes | None = None
    """The minute the plan starts at. Only an exercise may choose it; else it is the minutes since it happened."""
    replaces: UUID | None = None
    """The plan in force that it is to replace. Left out: the one that is in force when this is asked, if any is."""
    modes: Annotated[list[Mode], Field(min_length=1, max_length=len(Mode))] | None = None
    """Draw on reserves of these modes only; none: on all."""
    assume: list[Assumption] = Field(default_factory=list, max_length=40)
    """What is not there, or may yet happen: the plan is a what-if then, and can not be approved."""


class Progress(Dto):
    """How far a solve is. `utility` and `bound` are None until there is one."""

    phase: str
    elapsed_s: float
    utility: float | None = None
    bound: float | None = None
    supported: int | None = None
    people: int | None = None


class RequestView(Dto):
    id: UUID
    incident_id: UUID
    requested_by: str
    policy: Literal["fair", "total"]
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    attempts: int
    time_limit_s: int
    seed: int
    work_limit: int | None = None
    replaces: UUID | None = None
    progress: Progress | None
    error: str | None
    plan_id: UUID | None
    what_if: bool = False
    created_at: Utc
    finished_at: Utc | None
    minutes_left: int = 0
    """To the incident's deadline."""


class RequestPage(Dto):
    rows: list[RequestView]
    next_cursor: str | None = None


class PlanStatus(StrEnum):
    PROPOSED = "proposed"
    APPROVING = "approving"
    APPROVED = "approved"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    """It was in force until a replan was approved."""


class TripFate(StrEnum):
    """What a replan does with a trip of the plan in force that has not begun, or that it adds one."""

    KEPT = "kept"
    CHANGED = "changed"
    DROPPED = "dropped"
    NEW = "new"


class TripChange(Dto):
    """One trip of a replan, or one that it drops, in words: which vehicle, where, what changes."""

    fate: TripFate
    order_id: UUID | None
    """The order that exists; None for a new trip."""
    number: str | None
    vehicle: str
    trip: int | None
    """Its place in the plan's trips; None where it is dropped."""
    zh: str
    en: str


class PlanSummary(Dto):
    """A plan without its trips: what a list shows."""

    id: UUID
    request_id: UUID
    incident_id: UUID
    replaces: UUID | None = None
    """The plan that it is a replan of."""
    status: PlanStatus
    requested_by: str
    approved_by: str | None
    created_at: Utc
    snapshot_hash: str
    """SHA-256 over the scenario's canonical JSON."""
    seed: int
    solver_status: str
    objective: float
    bound: float
    people: int
    supported: int
    settled: int
    mean_wait_min: float
    shortages: list[Shortage]
    """Why approval was refused, where it was: each short line."""
    refusal: str | None
    what_if: bool = False
    """It assumes what is not there, and can not be approved."""
    minutes_left: int = 0
    """To the incident's deadline."""
    approvals: list[ApprovalView] = Field(default_factory=list)
    """Recorded so far; where two are needed, the plan stays proposed after the first."""


class PlanPage(Dto):
    rows: list[PlanSummary]
    next_cursor: str | None = None


class Tightness(Dto):
    """A resource and the share of it that the plan uses."""

    kind: str
    id: str
    name_zh: str
    name_en: str
    used_share: float


class PlanView(PlanSummary):
    """A plan with its scenario (planning-scenario/1) and itself (planning-plan/1)."""

    catalogue_version: int | None = None
    """The version of the catalogue that it was made under: GET /v1/items and /v1/kits with ?version=."""

    scenario: dict[str, Any]
    plan: dict[str, Any]
    served_by_hour: list[int]
    """People served by the end of hour 0, 1, … up to the deadline."""
    tightest: list[Tightness]
    changes: list[TripChange] = Field(default_factory=list)
    """Of a replan: what becomes of each trip not yet begun. Trips under way go on, and are not named."""
    assumptions: list[Words] = Field(default_factory=list)
    """Of a what-if."""
    authority: Needed | None = None
    """Who may approve it, and why."""


class Lacking(Dto):
    """A shelter where somebody goes without, and the units by item that are short there."""

    point: str
    name_zh: str
    name_en: str
    not_supported: int
    not_settled: int
    short: dict[str, int]


class Held(Dto):
    """A resource that binds in a plan, in words; `points` are {shelter: people it concerns}, the most first."""

    kind: str
    id: str
    zh: str
    en: str
    share: float
    people: int
    points: dict[str, int]


class Reasons(Dto):
    """Why a plan does not serve more."""

    plan_id: UUID
    zh: str
    en: str
    people: int
    supported: int
    settled: int
    unmet: list[Lacking]
    binding: list[Held]


class Refusal(Dto):
    """Why an approver refuses a plan."""

    reason: Reason
