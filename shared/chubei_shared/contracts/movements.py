"""What can happen to stock: every kind of movement, as clerks and services report it (owned by inventory)."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, TypeAdapter, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Mode, Reason, Text, Units, UnitsOrNone, Utc
from chubei_shared.contracts.catalogue import Lot

_MOST_UNITS = 10**9


class Reported(Dto):
    """What all movements have in common."""

    id: UUID
    """Minted by the client, so that a retry is the same request: same body, same answer; other body, 409."""
    occurred_at: Utc
    voucher: Text = ""
    reason: Text = ""


class OfLot(Dto):
    """A line that may name its lot: by id, or by what stands on the box, for who has no network."""

    lot_id: UUID | None = None
    lot: Lot | None = None

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.lot_id and self.lot:
            raise ValueError(
                "lot_id 与 lot 都填了,请只填一个 / lot_id and lot are both there: give one of them"
            )
        return self


class Counted(Dto):
    """A number of units, or of packs: `quantity` packs of `units_per_pack` each, as printed on the box."""

    quantity: Units
    units_per_pack: Units = 1

    @property
    def units(self) -> int:
        return self.quantity * self.units_per_pack

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if self.units > _MOST_UNITS:
            raise ValueError("数量超过 10 亿,请核对 / more than 1,000,000,000 units: check the quantity")
        return self


class ReceiveLine(Counted):
    item_code: ItemCode
    lot: Lot


class Receive(Reported):
    """Goods come in from outside (入库)."""

    kind: Literal["receive"]
    place_id: Id
    lines: list[ReceiveLine] = Field(min_length=1, max_length=500)


class ItemLine(Counted, OfLot):
    """So much of an item; where no lot is named, first expired, first out."""

    item_code: ItemCode


class IssueLine(ItemLine):
    """With a hold and without a lot: the lots that it holds."""

    mode: Mode = Mode.PHYSICAL


class Issue(Reported):
    """Goods go out (出库): aboard for a dispatch order, lent where they are to come back, else to outside.

    With `hold_id` the hold is drawn down. Without it only what is available can go, and only from the shelf.
    What expires before it arrives goes only by name and with a `reason`.
    """

    kind: Literal["issue"]
    place_id: Id
    order_id: UUID | None = None
    hold_id: UUID | None = None
    arrives_at: Utc | None = None
    """When the goods are to be where they are used; without it, when they leave."""
    recipient: Text = ""
    lines: list[IssueLine] = Field(min_length=1, max_length=500)


class DeliverLine(OfLot):
    item_code: ItemCode
    received: UnitsOrNone
    damaged: UnitsOrNone = 0
    short: UnitsOrNone = 0


class Deliver(Reported):
    """Goods aboard for an order reach a demand point (接收): received, damaged and short are counted."""

    kind: Literal["deliver"]
    order_id: UUID
    place_id: Id
    lines: list[DeliverLine] = Field(min_length=1, max_length=500)


class TransferLine(ItemLine):
    pass


class _Between(Reported):
    from_place_id: Id
    to_place_id: Id

    @model_validator(mode="after")
    def _elsewhere(self) -> Self:
        if self.from_place_id == self.to_place_id:
            raise ValueError(
                "to_place_id 与 from_place_id 相同,请另选地点 / to_place_id is from_place_id: name another place"
            )
        return self


class Transfer(_Between):
    """Goods go from one place to another, in one step (移库)."""

    kind: Literal["transfer"]
    lines: list[TransferLine] = Field(min_length=1, max_length=500)


class SendOff(_Between):
    """Goods leave for another place (移库发出): they are aboard until an `arrive` that names this id."""

    kind: Literal["send"]
    lines: list[TransferLine] = Field(min_length=1, max_length=500)


class Arrive(Reported):
    """Goods that were sent come in (移库接收): received, damaged and short are counted.

    At another place than they were sent to only with a `reason` (改送).
    """

    kind: Literal["arrive"]
    place_id: Id
    sent_id: UUID
    lines: list[DeliverLine] = Field(min_length=1, max_length=500)


class AdjustLine(OfLot):
    item_code: ItemCode | None = None
    """Needed where the lot is named by what stands on the box."""
    change: Annotated[int, Field(strict=True, ge=-_MOST_UNITS, le=_MOST_UNITS)]
    """What the count found more (+) or less (-) than the books; never 0."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.change:
            raise ValueError(
                "change 为 0,账实相符的行不必填写 / change is 0: leave out lines whose count agrees with the books"
            )
        if self.lot_id is None and (self.lot is None or self.item_code is None):
            raise ValueError(
                "缺少批次,请填 lot_id,或 item_code 与 lot / no lot is named: give lot_id, or item_code and lot"
            )
        return self


class Adjust(Reported):
    """The books follow a count (盘点调整); `reason` says why."""

    kind: Literal["adjust"]
    place_id: Id
    lines: list[AdjustLine] = Field(min_length=1, max_length=500)


class Seal(Reported):
    """Goods are sealed off where they are (封存): they count as stock, and nobody can take or promise them."""

    kind: Literal["seal"]
    place_id: Id
    reason: Reason
    lines: list[ItemLine] = Field(min_length=1, max_length=500)


class Release(Reported):
    """What was sealed off goes back on the shelf (解封), or what was missing and has been found."""

    kind: Literal["release"]
    place_id: Id
    from_state: Literal["sealed", "missing"] = "sealed"
    lines: list[ItemLine] = Field(min_length=1, max_length=500)


class SendToTest(Reported):
    """Samples go to a test (送检)."""

    kind: Literal["test"]
    place_id: Id
    lines: list[ItemLine] = Field(min_length=1, max_length=500)


class TestedLine(OfLot):
    item_code: ItemCode
    returned: UnitsOrNone
    destroyed: UnitsOrNone = 0


class Tested(Reported):
    """What was tested comes back, or was used up by the test (检验结果). A lot that failed is sealed off everywhere."""

    kind: Literal["tested"]
    place_id: Id
    passed: bool
    lines: list[TestedLine] = Field(min_length=1, max_length=500)


class ReturnLine(OfLot):
    item_code: ItemCode
    good: UnitsOrNone
    """Back on the shelf."""
    repair: UnitsOrNone = 0
    """To be cleaned or repaired: sealed off until it is released."""
    lost: UnitsOrNone = 0


class GiveBack(Reported):
    """Lent goods come back (回收): who issues, recovers, so `issued_from` is the place that lent them."""

    kind: Literal["return"]
    place_id: Id
    issued_from: Id
    lines: list[ReturnLine] = Field(min_length=1, max_length=500)


class Scrap(Reported):
    """Goods are written off (报废; 盘亏 for what stayed missing). It waits until another person approves it."""

    kind: Literal["scrap"]
    place_id: Id
    reason: Reason
    from_state: Literal["sealed", "shelf", "missing"] = "sealed"
    lines: list[ItemLine] = Field(min_length=1, max_length=500)


class ShortPick(Reported):
    """A picker finds fewer units of a lot than the books have (短拣): `quantity` of each line is not there.

    They leave the shelf for missing:<place> until they are found (`release`) or written off (`scrap`), with another
    person's approval. Holds that kept them get other lots there, first expired first; what there is none for, is short.
    """

    kind: Literal["short_pick"]
    place_id: Id
    picked_for: UUID | None = None
    """The hold that is picked for: of what was found, it has its part first."""
    lines: list[ItemLine] = Field(min_length=1, max_length=500)


class Pack(Reported):
    """Goods go into a relief module (装舱) at the place where it stands."""

    kind: Literal["pack"]
    place_id: Id
    module_id: Id
    lines: list[ItemLine] = Field(min_length=1, max_length=500)


class Unpack(Reported):
    """A module's contents go back on the shelf (拆舱); without lines, all of them."""

    kind: Literal["unpack"]
    place_id: Id
    module_id: Id
    lines: list[ItemLine] = Field(default=[], max_length=500)


class MoveModule(_Between):
    """A module goes to another place, with all that is in it (移舱). Offline, `lines` say what is in it."""

    kind: Literal["move_module"]
    module_id: Id
    lines: list[ItemLine] = Field(default=[], max_length=500)


class Reverse(Reported):
    """Undo a movement by its mirror image (冲正); nothing is ever edited."""

    kind: Literal["reverse"]
    reverses_id: UUID
    """A hold that the movement drew on is not restored: what comes back is available."""


Movement = Annotated[
    Receive | Issue | Deliver | Transfer | SendOff | Arrive | Adjust | Seal | Release | SendToTest | Tested
    | GiveBack | Scrap | ShortPick | Pack | Unpack | MoveModule | Reverse,
    Field(discriminator="kind"),
]  # fmt: skip
MOVEMENT: TypeAdapter[Movement] = TypeAdapter(Movement)
