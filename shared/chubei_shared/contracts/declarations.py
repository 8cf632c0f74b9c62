"""Social and household reserves: declared by others, counted apart and never planned with (owned by inventory)."""

from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Name, Provenance, Text, Units
from chubei_shared.contracts.reserves import Contact


class Sphere(StrEnum):
    """Whose reserve it is."""

    SOCIAL = "social"
    """A firm's or a community's (社会储备)."""
    HOUSEHOLD = "household"
    """Homes', as a street office tells of them together (家庭储备)."""


class Declaration(Dto):
    """What somebody says they have, or a survey found. It can be asked for on the night; nothing holds it."""

    id: Id
    sphere: Sphere
    item_code: ItemCode
    quantity: Units
    area: Id
    """The sub-district or place where it is."""
    party: Name
    """The firm, the community; for homes the street office that asked them."""
    households: Units | None = None
    """Of how many homes this is the sum, for household reserves."""
    contacts: list[Contact] = Field(default_factory=list, max_length=10)
    declared_on: date
    valid_until: date
    withdrawn: bool = False
    note: Text = ""
    provenance: Provenance

    @model_validator(mode="after")
    def _as_its_sphere_asks(self) -> Self:
        if (self.households is None) == (self.sphere is Sphere.HOUSEHOLD):
            raise ValueError(
                "households 只用于 household 且必填,请改正 / households belongs to household, and is needed there: "
                "correct it"
            )
        if self.valid_until < self.declared_on:
            raise ValueError(
                "valid_until 早于 declared_on,请给更晚的日期 / valid_until is before declared_on: give a later date"
            )
        return self


class DeclarationPage(Dto):
    rows: list[Declaration]
    next_cursor: str | None = None


class ApartRow(Dto):
    """Units of an item that others have, as of today; none of them is in the supply that is planned with."""

    item_code: str
    social: int
    household: int
    donated: int
    """Given, on hand in the books as donors' goods, less what is held."""
