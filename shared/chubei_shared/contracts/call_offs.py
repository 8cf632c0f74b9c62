"""Call-offs: what is asked of a supplier, a maker or a fund, from the order to the collection (owned by inventory)."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, Name, Text, Units, Utc
from chubei_shared.contracts.reserves import Fen

_ConfirmMin = Annotated[int, Field(strict=True, ge=1, le=60 * 24)]


class CallOffState(StrEnum):
    """ordered → confirmed → ready → collected; failed (theirs) or withdrawn (ours) before that."""

    ORDERED = "ordered"
    CONFIRMED = "confirmed"
    READY = "ready"
    COLLECTED = "collected"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class CallOff(Dto):
    """An order to a reserve (调用通知). What is not confirmed by `confirm_within_min` counts no more.

    With `hold_id` it asks for what that hold keeps of the reserve, for a plan. Without it the call-off holds
    its units by itself.
    """

    id: UUID
    """Minted by the client, so that a retry is the same request."""
    reserve_id: Id
    quantity: Units
    ordered_at: Utc
    hold_id: UUID | None = None
    confirm_within_min: _ConfirmMin = 30
    """On the night what is not confirmed in 30 minutes leaves the plan."""
    voucher: Text = ""
    note: Text = ""


class CallOffStep(Dto):
    """What happened next. `quantity`, where it is told, is what still counts: never more than before."""

    id: UUID
    """Minted by the client."""
    state: Literal["confirmed", "ready", "collected", "failed", "withdrawn"]
    happened_at: Utc
    quantity: Units | None = None
    """What is confirmed, ready or collected; None: all that counted before."""
    ready_at: Utc | None = None
    """With `confirmed`: when they say it will be ready."""
    amount_fen: Fen | None = None
    """What is to be paid for it in all; None: by the price of the step before."""
    told_by: Name | None = None
    """Who said so, at the supplier's."""
    note: Text = ""

    @model_validator(mode="after")
    def _as_its_state_asks(self) -> Self:
        if self.state in ("failed", "withdrawn") and not (self.quantity is None and self.amount_fen is None):
            raise ValueError(
                "failed、withdrawn 不带 quantity 和 amount_fen,请去掉;只来一部分时登记 collected / "
                "failed and withdrawn have no quantity and amount_fen: "
                "take them out, or record what came as collected"
            )
        if self.ready_at and self.state != "confirmed":
            raise ValueError("ready_at 只用于 confirmed,请去掉 / ready_at belongs to confirmed: take it out")
        return self


class CallOffStepView(Dto):
    id: UUID
    seq: int
    state: CallOffState
    happened_at: Utc
    recorded_at: Utc
    recorded_by: str
    quantity: int
    """What counted from then on."""
    ready_at: Utc | None
    amount_fen: int
    told_by: str | None
    note: str


class CallOffView(Dto):
    id: UUID
    reserve_id: str
    place_id: str
    item_code: str
    mode: str
    hold_id: UUID
    """What keeps its units: the plan's hold, or its own (then the call-off's id)."""
    quantity: int
    """As ordered."""
    state: CallOffState
    counted: int
    """What may be counted on now: 0 once it is overdue, failed or withdrawn."""
    overdue: bool
    """Ordered, and not confirmed in time."""
    ordered_at: Utc
    confirm_by: Utc
    due_at: Utc
    """When it is to be ready, as agreed, or as confirmed."""
    amount_fen: int
    voucher: str
    may_become: list[CallOffState]
    steps: list[CallOffStepView]


class CallOffPage(Dto):
    rows: list[CallOffView]
    next_cursor: str | None = None
