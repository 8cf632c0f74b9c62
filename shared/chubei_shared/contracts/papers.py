"""Papers and labels: printed from what the books say, numbered, and each copy on record (owned by inventory)."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Text, Utc


class PaperForm(StrEnum):
    RECEIPT = "receipt"
    """Goods received into a store (入库单)."""
    ISSUE = "issue"
    """Goods issued from a store (出库单)."""
    LOAD = "load"
    """What is aboard a truck for one order, or one transfer (随车清单)."""
    ACCEPTANCE = "acceptance"
    """What arrived, with damage and shortage (接收单)."""


class Print(Dto):
    """Print a paper of a movement. The first print of one gives it its number, the next ones are copies of it."""

    id: UUID
    """Minted by the client; the same again is the same print."""
    movement_id: UUID
    form: PaperForm | None = None
    """Left out: the one that a movement of this kind has first."""


class PaperView(Dto):
    id: UUID
    number: str
    """What people say on the phone, e.g. CK20261121-0007."""
    form: PaperForm
    movement_id: UUID
    copy_no: int
    """0 the original; 1, 2, … copies (副本)."""
    printed_at: Utc
    printed_by: str


class PaperPage(Dto):
    rows: list[PaperView]
    next_cursor: str | None = None


class LotLabel(Dto):
    kind: Literal["lot"]
    lot_id: UUID


class BinLabel(Dto):
    """For a stack: an item at a place, and where in it (货位); left out: by the register of bins."""

    kind: Literal["bin"]
    place_id: Id
    item_code: ItemCode
    bin: Annotated[Text, Field(max_length=40)] = ""


class ModuleLabel(Dto):
    kind: Literal["module"]
    module_id: Id
    place_id: Id


Label = Annotated[LotLabel | BinLabel | ModuleLabel, Field(discriminator="kind")]
_Mm = Annotated[float, Field(ge=0, le=420, allow_inf_nan=False)]


class LabelSheet(Dto):
    """Labels to print: on A4 sheets, or one a page for a label printer."""

    labels: list[Label] = Field(min_length=1, max_length=500)
    copies: Annotated[int, Field(strict=True, ge=1, le=50)] = 1
    sheet: Literal["a4", "single"] = "a4"
    width_mm: Annotated[_Mm, Field(ge=30)] = 90
    height_mm: Annotated[_Mm, Field(ge=20)] = 62
    margin_mm: _Mm = 12
    """Of the sheet."""
    gap_mm: Annotated[_Mm, Field(le=50)] = 3

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.labels) * self.copies > 2000:
            raise ValueError(
                "超过 2000 张,请分次打印 / over 2,000 labels: print them in several runs",
            )
        wide, high = self.width_mm + 2 * self.margin_mm, self.height_mm + 2 * self.margin_mm
        if self.sheet == "a4" and (wide > 210 or high > 297):
            raise ValueError(
                "标签加页边距超出 A4,请改小尺寸 / "
                "label and margins are larger than A4: make width_mm, height_mm or margin_mm smaller"
            )
        return self
