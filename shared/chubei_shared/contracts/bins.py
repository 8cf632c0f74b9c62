"""Bins: the register of where in a store things stand, in the order in which a picker walks (owned by inventory)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from chubei_shared.contracts.base import Dto, Id, ItemCode, Text

BinCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._#-]{0,39}$")]
"""What stands on the rack, such as A-03-2."""


class Bin(Dto):
    """One bin of a place. The books keep no quantities by bin: a lot is at a place."""

    place_id: Id
    code: BinCode
    aisle: Annotated[Text, Field(max_length=40)] = ""
    walk_order: Annotated[int, Field(strict=True, ge=0, le=10**6)]
    """Pickers pass bins in this order; those of one number by code."""
    item_code: ItemCode | None = None
    """What stands there by plan: slips are sorted by it, and its label needs no bin written on it."""
    closed: bool = False
    """Not in use any more; a bin is never deleted, for papers name it."""


class BinPage(Dto):
    rows: list[Bin]
    next_cursor: str | None = None
