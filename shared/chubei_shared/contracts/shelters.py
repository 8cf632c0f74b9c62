"""What a shelter's keeper does besides counting people: receives, hands out by list, asks for more, gives back
(owned by allocation). A keeper without an account comes by the link for headcounts of that shelter.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Reason, Text, Units, UnitsOrNone, Utc
from chubei_shared.contracts.demands import Worth
from chubei_shared.contracts.links import Phone
from chubei_shared.contracts.orders import ItemName, OrderStatus, ProofCode, Step, StepKind

People = Annotated[int, Field(strict=True, ge=1, le=100_000)]


class Delivery(Dto):
    """A dispatch order's stop at the shelter: when it comes, with what, and what the keeper may report next."""

    order_id: UUID
    number: str
    vehicle: str
    vehicle_zh: str
    """What it is called, with its number."""
    vehicle_en: str
    status: OrderStatus
    stop: int
    planned_at: Utc
    """When the vehicle is to be there by the plan."""
    expected_at: Utc | None
    """As things stand; when it was there. None: it can not come any more."""
    goods: dict[str, int]
    """{item: units} to be received, received + damaged + short."""
    received: bool
    next: list[StepKind]
    """What may be reported at this stop now; empty: it is not yet the turn, or is over."""
    code: ProofCode
    """To be told to the driver when the goods are there, where the driver reports the receipt."""


class StoreName(Dto):
    """What a store is called, for who may not read the places."""

    place_id: str
    name_zh: str
    name_en: str


class DeliveryList(Dto):
    incident_id: UUID
    shelter_id: str
    minutes_left: int
    exercise: bool
    rows: list[Delivery]
    items: list[ItemName]
    """What goods are called: of all items of the newest approved plan."""
    return_to: list[StoreName]
    """Where what was not needed goes back to: the stores from which goods were sent here."""


class KeeperStep(Step):
    """An arrival or a receipt at the shelter, of one order."""

    order_id: UUID


class HandOutLine(Dto):
    item_code: ItemCode
    units: Units


class Recipient(Dto):
    """A row of the list: a household or a person by name, or just how many people got the goods.

    What tells who it was is kept masked only, and only as long as it is set (CHUBEI_PERSONAL_DATA_DAYS).
    """

    name: Annotated[Text, Field(max_length=80)] = ""
    """Left out: a count."""
    id_no: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z]{4,30}$")] | None = None
    phone: Phone | None = None
    household: Annotated[Text, Field(max_length=80)] = ""
    """Where in the shelter, such as 3-201."""
    people: People = 1
    lines: list[HandOutLine] = Field(min_length=1, max_length=50)
    signed: bool = False
    """On the paper list."""


class HandOut(Dto):
    """Goods handed out to people at a shelter (发放登记)."""

    id: UUID
    """Minted by the client, so that a retry is the same request."""
    occurred_at: Utc
    rows: list[Recipient] = Field(min_length=1, max_length=500)
    note: Text = ""


class AskForMore(Dto):
    """A shelter asks for more than comes."""

    id: UUID
    occurred_at: Utc
    lines: list[HandOutLine] = Field(min_length=1, max_length=100)
    reason: Reason


class Decision(StrEnum):
    ACCEPT = "accept"
    """The goods are wanted from now on: the next plan counts them."""
    DECLINE = "decline"
    """They do not come; the reply says why."""
    ANSWER = "answer"
    """Nothing changes, such as for goods that are on the way already."""


class Answer(Dto):
    """What command says to it."""

    reply: Reason
    decision: Decision = Decision.ANSWER
    lines: Annotated[list[HandOutLine], Field(max_length=100)] | None = None
    """What is accepted, where it is not just what was asked for."""
    worth: Worth = 10
    """Of accepted goods that are not in the shelter's kit."""

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.lines is not None and (self.decision is not Decision.ACCEPT or not self.lines):
            raise ValueError(
                "lines:只在接受(accept)时填写,且至少一行 / lines: belong to accept only, and are one at least"
            )
        return self


class ReturnedLine(Dto):
    item_code: ItemCode
    good: UnitsOrNone
    repair: UnitsOrNone = 0
    """To be cleaned or repaired."""
    lost: UnitsOrNone = 0


class GivenBack(Dto):
    """What comes back: from the people it was lent to, to the shelter; or what was not needed, to a store.

    Sent to a store it is on the way until the store's clerk records its arrival.
    """

    id: UUID
    occurred_at: Utc
    of: Literal["people", "unused"]
    to_place_id: Id | None = None
    """The store; only of what was not needed."""
    lines: list[ReturnedLine] = Field(min_length=1, max_length=100)
    note: Text = ""

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if (self.of == "unused") != (self.to_place_id is not None):
            raise ValueError(
                "to_place_id:退库(unused)须填收货库,其他不填 / to_place_id: names the store for unused, else left out"
            )
        if self.of == "unused" and any(line.repair or line.lost or not line.good for line in self.lines):
            raise ValueError(
                "lines:退库只填 good 且大于 0 / lines: what was not needed has good units only, and some"
            )
        if not all(line.good + line.repair + line.lost for line in self.lines):
            raise ValueError("lines:每行至少一件 / lines: each has at least one unit")
        return self


class RecordKind(StrEnum):
    HAND_OUT = "hand_out"
    REQUEST = "request"
    RETURN = "return"


class RecordState(StrEnum):
    PENDING = "pending"
    """Recorded; its movement is under way, and is finished by itself."""
    DONE = "done"
    REFUSED = "refused"
    """Inventory refused the movement, see `problem`: record it again under another id."""
    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    ANSWERED = "answered"


class RecipientView(Dto):
    """Masked; empty once the time is over for which personal data are kept."""

    name: str
    id_no: str
    phone: str
    household: str
    people: int
    lines: list[HandOutLine]
    signed: bool
    before: int
    """How often the same person stands on the incident's lists before this row."""


class RecordView(Dto):
    id: UUID
    kind: RecordKind
    state: RecordState
    incident_id: UUID
    shelter_id: str
    exercise: bool
    occurred_at: Utc
    recorded_at: Utc
    recorded_by: str
    people: int
    """Of a list of handing out."""
    units: dict[str, int]
    """{item: units} handed out, asked for, or given back."""
    recipients: list[RecipientView]
    text: str
    """Note, or reason."""
    reply: str
    replied_by: str | None
    granted: dict[str, int]
    """{item: units} of a request that was accepted: an amendment of the incident says so, too."""
    movement_id: UUID | None
    problem: dict[str, Any] | None


class RecordPage(Dto):
    minutes_left: int
    rows: list[RecordView]
    next_cursor: str | None = None
