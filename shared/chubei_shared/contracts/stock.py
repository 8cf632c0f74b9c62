"""Movements and stock (owned by inventory)."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Mode, Text, Units, UnitsOrNone, Utc
from chubei_shared.contracts.catalogue import Lot


class _Movement(Dto):
    id: UUID
    """Minted by the client, so that a retry is the same request: same body, same answer; other body, 409."""
    occurred_at: Utc
    voucher: Text = ""
    reason: Text = ""


class ReceiveLine(Dto):
    item_code: ItemCode
    lot: Lot
    quantity: Units


class Receive(_Movement):
    """Goods come in from outside (入库)."""

    kind: Literal["receive"]
    place_id: Id
    lines: list[ReceiveLine] = Field(min_length=1, max_length=500)


class IssueLine(Dto):
    item_code: ItemCode
    quantity: Units
    lot_id: UUID | None = None
    """Without it: first expired, first out; with a hold: the lots that it holds."""
    mode: Mode = Mode.PHYSICAL


class Issue(_Movement):
    """Goods go out (出库): aboard for a dispatch order, or to outside. With `hold_id` the hold is drawn down.

    Without a hold only what is available can go, and only from the shelf. Expired goods go only by `lot_id`
    and with a `reason`.
    """

    kind: Literal["issue"]
    place_id: Id
    order_id: UUID | None = None
    hold_id: UUID | None = None
    lines: list[IssueLine] = Field(min_length=1, max_length=500)


class DeliverLine(Dto):
    item_code: ItemCode
    received: UnitsOrNone
    damaged: UnitsOrNone = 0
    short: UnitsOrNone = 0


class Deliver(_Movement):
    """Goods aboard for an order reach a demand point (接收): received, damaged and short are counted."""

    kind: Literal["deliver"]
    order_id: UUID
    place_id: Id
    lines: list[DeliverLine] = Field(min_length=1, max_length=500)


class TransferLine(Dto):
    item_code: ItemCode
    quantity: Units
    lot_id: UUID | None = None


class Transfer(_Movement):
    """Goods go from one place to another (移库)."""

    kind: Literal["transfer"]
    from_place_id: Id
    to_place_id: Id
    lines: list[TransferLine] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _elsewhere(self) -> Self:
        if self.from_place_id == self.to_place_id:
            raise ValueError(
                "to_place_id 与 from_place_id 相同,请另选地点 / to_place_id is from_place_id: name another place"
            )
        return self


class AdjustLine(Dto):
    lot_id: UUID
    change: Annotated[int, Field(strict=True, ge=-(10**9), le=10**9)]
    """What the count found more (+) or less (-) than the books; never 0."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.change:
            raise ValueError(
                "change 为 0,账实相符的行不必填写 / change is 0: leave out lines whose count agrees with the books"
            )
        return self


class Adjust(_Movement):
    """The books follow a count (盘点调整); `reason` says why."""

    kind: Literal["adjust"]
    place_id: Id
    lines: list[AdjustLine] = Field(min_length=1, max_length=500)


class Reverse(_Movement):
    """Undo a movement by its mirror image (冲正); nothing is ever edited."""

    kind: Literal["reverse"]
    reverses_id: UUID
    """A hold that the movement drew on is not restored: what comes back is available."""


Movement = Annotated[Receive | Issue | Deliver | Transfer | Adjust | Reverse, Field(discriminator="kind")]


class EntryView(Dto):
    """One leg: `quantity` is positive where goods come in, negative where they go out."""

    place_id: str
    item_code: str
    lot_id: UUID
    quantity: int


class MovementView(Dto):
    id: UUID
    kind: str
    place_id: str
    """Where it was done: the store, supplier or point, for a transfer the place that the goods left."""
    occurred_at: Utc
    recorded_at: Utc
    recorded_by: str
    voucher: str
    reason: str
    order_id: UUID | None
    hold_id: UUID | None
    reverses_id: UUID | None
    entries: list[EntryView]


class MovementPage(Dto):
    rows: list[MovementView]
    next_cursor: str | None = None


class StockRow(Dto):
    """Stock of one lot at one place; available = on hand - held, judged at the time of the answer."""

    place_id: str
    item_code: str
    lot_id: UUID
    lot_no: str
    maker: str
    made_on: date | None
    expires_on: date | None
    quality: str
    on_hand: int
    held: int
    available: int


class StockPage(Dto):
    rows: list[StockRow]
    next_cursor: str | None = None


class BooksReport(Dto):
    """Do the books balance? `faults` names each row that does not."""

    movements: int
    entries: int
    faults: list[str]
