"""The decision memo of a plan (应急项目决策备忘录; owned by allocation): what was decided on what ground."""

from typing import Any
from uuid import UUID

from chubei_shared.contracts.alternatives import CallOff
from chubei_shared.contracts.assumptions import Words
from chubei_shared.contracts.authority import Reason
from chubei_shared.contracts.base import Dto, Utc
from chubei_shared.contracts.holds import Shortage
from chubei_shared.contracts.plans import PlanStatus


class MemoIncident(Dto):
    id: UUID
    kind: str
    level: int
    name: str
    place: str
    occurred_at: Utc
    declared_by: str
    deadline_at: Utc
    exercise: bool


class MemoInputs(Dto):
    """What the plan was made of; `snapshot_hash` is the SHA-256 over the scenario's canonical JSON."""

    request_id: UUID
    requested_by: str
    requested_at: Utc
    asked: dict[str, Any]
    """The plan request as it came."""
    snapshot_hash: str
    snapshot_at: Utc | None
    catalogue_version: int | None
    now_min: int
    left_out: int
    """Rows that could not take part; the scenario says which and why."""
    assumptions: list[Words]


class MemoResult(Dto):
    people: int
    supported: int
    settled: int
    mean_wait_min: float
    trips: int
    vehicles: dict[str, int]
    stores: list[str]
    units: dict[str, int]
    """Loaded, by item."""
    call_offs: list[CallOff]
    objective: float
    bound: float
    gap: float
    """(bound - objective) / bound: so far it may be from the best that there could be."""
    binding: list[Words]
    zh: str
    en: str
    """What holds it up, in a sentence."""


class MemoAlternative(Dto):
    """Another plan of the incident that was there to be chosen."""

    plan_id: UUID
    status: PlanStatus
    name: str | None
    """As a variant of alternatives asked for together."""
    policy: str
    what_if: bool
    supported: int
    settled: int
    mean_wait_min: float


class MemoAuthority(Dto):
    by_tier: bool
    version: int | None
    tier: str | None
    name_zh: str
    name_en: str
    approvers: int
    reasons: list[Reason]
    zh: str
    en: str


class MemoApproval(Dto):
    person: str
    post_id: str | None
    tier: str | None
    authority_version: int | None
    approved_at: Utc
    oral: bool
    entered_by: str
    memo_hash: str
    """Of the memo that was shown then: GET …/memo?hash= has it as it was."""
    seen: str | None
    break_glass: bool = False
    """By somebody who had come in without the second factor (应急登录)."""


class MemoBody(Dto):
    """All that the hash is over."""

    plan_id: UUID
    replaces: UUID | None
    """The plan in force that it is a replan of."""
    created_at: Utc
    incident: MemoIncident
    inputs: MemoInputs
    result: MemoResult
    alternatives: list[MemoAlternative]
    authority: MemoAuthority
    approvals: list[MemoApproval]
    status: PlanStatus
    decided_by: str | None
    decided_at: Utc | None
    refusal: str | None
    shortages: list[Shortage]


class Memo(Dto):
    """`hash`: SHA-256 over the canonical JSON of `memo` (sorted keys, no spaces, UTF-8)."""

    hash: str
    memo: MemoBody
