"""Holds: stock promised to an approved plan (owned by inventory)."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Mode, Text, Units, Utc


class HoldLine(Dto):
    """One supply row: an item of one mode at one place. Lines that name the same row, or lot, are summed."""

    place_id: Id
    item_code: ItemCode
    mode: Mode
    quantity: Units
    needed_at: Utc
    """When the goods are to arrive. Lots that expire before that day (in China) are passed over."""
    lot_id: UUID | None = None
    """Only of this lot; without it, first expired, first out."""
    consent: Text = ""
    """For a lot of a donor or a firm: who agreed, or the requisition's number. Nothing of theirs is held without."""

    @model_validator(mode="after")
    def _lots_lie_on_shelves(self) -> Self:
        if self.lot_id and self.mode is not Mode.PHYSICAL:
            raise ValueError(
                "lot_id 只用于实物储备,请去掉 / lot_id is for what lies on a shelf: leave it out"
            )
        return self


class HoldRequest(Dto):
    id: UUID
    """Minted by the client; the same request again gives the same answer."""
    purpose: Id
    """What it is for, e.g. plan:<id>."""
    expires_at: Utc
    lines: list[HoldLine] = Field(min_length=1, max_length=5000)


class HoldReplace(Dto):
    """Release some holds and take another, in one transaction: all of it or nothing."""

    release: list[UUID] = Field(max_length=50)
    hold: HoldRequest

    @model_validator(mode="after")
    def _another(self) -> Self:
        if self.hold.id in self.release:
            raise ValueError(
                "hold.id 也在 release 中,新的预留请换新编号 / "
                "hold.id stands in release too: mint a new id for the new hold"
            )
        return self


class HoldStatus(StrEnum):
    OPEN = "open"
    ISSUED = "issued"
    RELEASED = "released"
    EXPIRED = "expired"


class HeldLine(Dto):
    """What is held of one lot, or of one reserve record; `issued` of it has gone out."""

    place_id: str
    item_code: str
    mode: Mode
    lot_id: UUID | None
    reserve_id: str | None
    quantity: int
    issued: int
    outstanding: int = 0
    """Still kept: what was given back or found missing is neither issued nor kept."""
    needed_on: date | None = None
    """The last day (in China) on which any of it is to arrive."""
    firm: int | None = None
    """Of `quantity`, what could be counted on when it was held: all of what lies on a shelf."""
    consent: str = ""


class Why(StrEnum):
    """Why units were passed over."""

    EXPIRED = "expired"
    """By the day of arrival."""
    SEALED = "sealed"
    RECALLED = "recalled"
    TEST_DUE = "test_due"
    GIVEN = "given"
    """A donor's or a firm's, not named, or without its owner's consent."""
    HELD = "held"
    """For others."""
    DISPUTED = "disputed"
    TESTING = "testing"
    MISSING = "missing"
    """Not found where the books have it."""
    PACKED = "packed"
    """In a relief module."""
    UNCONFIRMED = "unconfirmed"
    """Called off from a reserve, and not confirmed in time or in full."""
    NOT_VALID = "not_valid"
    """A reserve outside its validity."""


class PassedOver(Dto):
    """Units of a lot (or reserve) that FEFO would have taken, and why they were not."""

    place_id: str
    lot_id: UUID
    lot_no: str
    reason: Why | None = None
    units: int | None = None
    why: str
    why_en: str


class Repicked(Dto):
    """Units of a lot that a hold gave up, and whether it got others there instead."""

    at: Utc
    place_id: str
    item_code: str
    lot_id: UUID
    lot_no: str
    reason: Why
    units: int
    moved: int
    """To other lots, which stand in the hold's lines."""
    short: int
    movement_id: UUID | None = None
    """The short pick, where it was one."""


class HoldView(Dto):
    id: UUID
    purpose: str
    status: HoldStatus
    expires_at: Utc
    lines: list[HeldLine]
    passed_over: list[PassedOver]
    repicked: list[Repicked] = Field(default_factory=list)
    """What became of lots that were held and could not be had: in the order in which it was noticed."""


class Shortage(Dto):
    """A line that can not be held in full; a refused hold names all of them, and what was passed over there."""

    place_id: str
    item_code: str
    mode: Mode
    lot_id: UUID | None = None
    """Where a lot was named."""
    asked: int
    available: int
    passed_over: list[PassedOver] = Field(default_factory=list)


def short_in_words(short: Sequence[Shortage]) -> tuple[str, str]:
    """How many lines are short, and the first of them, in Chinese and English."""
    first = short[0]
    return (
        f"{len(short)} 行不足,如 {first.place_id} 的 {first.item_code}:需 {first.asked},可用 {first.available}",
        f"{len(short)} short, such as {first.item_code} at {first.place_id}: "
        f"asked {first.asked}, available {first.available}",
    )
