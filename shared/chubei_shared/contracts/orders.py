"""Dispatch orders: one for each trip of an approved plan (owned by allocation)."""

from base64 import b64decode
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from chubei_shared.contracts.base import Dto, ItemCode, Mode, Text, UnitsOrNone, Utc
from chubei_shared.contracts.stock import DeliverLine


class StepKind(StrEnum):
    """What happens to an order at one of its stops, in this order."""

    PICKED = "picked"
    LOADED = "loaded"
    TAKEN_OVER = "taken_over"
    """The driver has the goods from the store: with a name, a signature or the driver's code. It may be left out."""
    DEPARTED = "departed"
    ARRIVED = "arrived"
    RECEIVED = "received"


class OrderStatus(StrEnum):
    PLANNED = "planned"
    UNDER_WAY = "under_way"
    DONE = "done"
    WITHDRAWN = "withdrawn"
    """Dropped by a replan before it began."""


class StepState(StrEnum):
    PENDING = "pending"
    """Recorded; its movement is under way, and is finished by itself if the service stops in between."""
    DONE = "done"
    REFUSED = "refused"
    """Inventory refused the movement, see `problem`; the step may be tried again under another id."""


_MOST_SIGNATURE = 64 * 1024
_PNG = b"\x89PNG\r\n\x1a\n"


def _png(text: str) -> str:
    image = b64decode(text)
    if not image.startswith(_PNG) or len(image) > _MOST_SIGNATURE:
        raise ValueError(
            "须为不超过 64 KiB 的 PNG 图片(base64) / must be a PNG image of 64 KiB at most, in base64"
        )
    return text


BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
Signature = Annotated[
    str,
    StringConstraints(max_length=_MOST_SIGNATURE * 4 // 3 + 4, pattern=BASE64),
    AfterValidator(_png),
]
"""What somebody drew with a finger: a PNG image in base64."""
ProofCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class Proof(StrEnum):
    """What shows who took goods over, or received them."""

    NAME = "name"
    SIGNATURE = "signature"
    CODE = "code"


class Step(Dto):
    """A step at stop number `stop` (from 0). Loading and receipt move stock."""

    id: UUID
    """Minted by the client, so that a retry is the same request."""
    stop: Annotated[int, Field(strict=True, ge=0, le=200)]
    step: StepKind
    occurred_at: Utc
    lines: list[DeliverLine] = Field(default_factory=list, max_length=500)
    """For a receipt: what was received, damaged and short. Left out: all that was loaded for the stop."""
    loaded: dict[ItemCode, UnitsOrNone] = Field(default_factory=dict, max_length=500)
    """For loading: {item: units put aboard} where they are fewer than planned (0: none). Left out: all as planned.

    What was not loaded is not waited for: the first stops get theirs as planned, while it lasts.
    """
    signed_by: Text = ""
    """Who took over or received. Left out by a driver or keeper who takes over or receives by a link: the holder."""
    signature_png: Signature | None = None
    code: ProofCode | None = None
    """The driver's code for taking over at this stop, or the receiver's for a receipt: see OrderCodes."""


class StopCode(Dto):
    stop: int
    place_id: str
    code: ProofCode


class OrderCodes(Dto):
    """Six figures, good once each. The driver tells the store's clerk the one for taking over; the receiver tells the
    driver the one for the receipt, when the goods are there."""

    order_id: UUID
    number: str
    take_over: list[StopCode]
    receive: list[StopCode]
    """Empty for the driver."""


class Stop(Dto):
    """One stop of the trip as planned: load or deliver {item: units} between start and end minutes."""

    stop: int
    place_id: str
    kind: Literal["warehouse", "supplier", "producer", "point"]
    name_zh: str
    name_en: str
    arrive_min: int
    start_min: int
    end_min: int
    load: dict[str, int]
    modes: dict[str, Mode]
    """The reserve that each loaded item is taken from."""
    deliver: dict[str, int]


class StepView(Dto):
    id: UUID
    stop: int
    step: StepKind
    state: StepState
    occurred_at: Utc
    recorded_at: Utc
    recorded_by: str
    lines: list[DeliverLine]
    """Of a receipt, what was counted; of a loading, what was put aboard (received) and what was not (short)."""
    signed_by: str
    proofs: list[Proof] = Field(default_factory=list)
    """Of a take-over or a receipt. A signature: GET /v1/orders/{id}/steps/{step_id}/signature."""
    problem: dict[str, Any] | None


class OrderView(Dto):
    id: UUID
    number: str
    """What people say on the phone: incident's day and a count, e.g. 20261121-007."""
    plan_id: UUID
    incident_id: UUID
    hold_id: UUID
    vehicle: str
    exercise: bool
    status: OrderStatus
    minutes_left: int = 0
    """To the incident's deadline."""
    revision: int = 0
    """How often a replan has changed its stops: papers of an earlier revision are out of date."""
    stops: list[Stop]
    steps: list[StepView]


class ItemName(Dto):
    """What an item is called, for who may not read the catalogue."""

    item_code: str
    name_zh: str
    name_en: str
    returnable: bool
    """People give it back after use."""


class OrderTurn(Dto):
    """An order as its driver needs it: where it stands, and what may be reported next."""

    order: OrderView
    vehicle_zh: str
    """What the vehicle is called, with its number."""
    vehicle_en: str
    incident_name: str
    occurred_at: Utc
    """The minutes of the stops are counted from here."""
    stop: int
    """The stop whose turn it is."""
    next: list[StepKind]
    """What may be reported there; empty: the order is done."""
    due: list[dict[str, int]]
    """{item: units} that each stop is to receive, by what was loaded."""
    items: list[ItemName]


class OrderPage(Dto):
    rows: list[OrderView]
    next_cursor: str | None = None


class ServedRow(Dto):
    """People served (tier 1) at a point by the deadline: by what has been received so far, and as planned."""

    shelter_id: str
    name_zh: str
    name_en: str
    people: int
    served: int
    planned: int


class ServedView(Dto):
    """The account of an incident so far; `planned` figures are 0 while no plan is approved."""

    incident_id: UUID
    minutes_left: int
    people: int
    served: int
    planned: int
    served_by_hour: list[int]
    """People served by the end of hour 0, 1, … up to the deadline, by what has been received."""
    planned_by_hour: list[int]
    rows: list[ServedRow]
