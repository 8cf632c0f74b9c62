"""Catalogue items, kits and places (owned by inventory)."""

import json
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID, uuid5

from pydantic import Field, StringConstraints, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Lat, Lon, Mode, Name, Provenance, Text, Units


class Family(StrEnum):
    RELIEF = "relief"
    DAILY = "daily"
    MEDICINE = "medicine"
    FLOOD = "flood"


class Item(Dto):
    code: ItemCode
    name_zh: Name
    name_en: Name
    family: Family
    unit_zh: Name
    pack: Units
    """Units in a pack; only whole packs travel."""
    weight_g: Units
    volume_cm3: Units
    shelf_life_months: Units | None = None
    reserve_modes: list[Mode]
    managing_body: Name
    dispatch_authority: Name
    ref_price_cny: Annotated[int, Field(strict=True, ge=0, le=10**12)] | None = None
    returnable: bool = False
    provenance: Provenance


class KitNeed(Dto):
    item_code: ItemCode
    per_person: Annotated[Decimal, Field(gt=0, le=1000, max_digits=10, decimal_places=6)]
    """Units per person; 0.25 is one for four. With a group: per member of it."""
    tier: Annotated[int, Field(strict=True, ge=1, le=2)]
    """1 basic relief (基本救助), 2 settled (安置)."""
    group: Id | None = None


class Setting(StrEnum):
    """Where the people are whom a kit is for."""

    ANY = "any"
    INDOOR = "indoor"
    OUTDOOR = "outdoor"


class Season(StrEnum):
    ANY = "any"
    WINTER = "winter"
    SUMMER = "summer"


class Kit(Dto):
    """What a person needs (救助标准), by tier; needs with a group are for its members beside the others."""

    id: Id
    name_zh: Name
    name_en: Name
    setting: Setting = Setting.ANY
    season: Season = Season.ANY
    needs: list[KitNeed] = Field(min_length=1, max_length=200)
    """An item stands once in a kit."""
    provenance: Provenance

    @model_validator(mode="after")
    def _each_item_once(self) -> Self:
        codes = [need.item_code for need in self.needs]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            names = ", ".join(twice)
            raise ValueError(
                f"物资 {names} 在标准中重复,请并为一行 / item {names} stands twice in the kit: put it on one line"
            )
        return self


class Norm(Dto):
    """How much of an item is to be kept (储备定额): units for each 1,000 people of the duty."""

    item_code: ItemCode
    units_per_1000: Annotated[int, Field(strict=True, gt=0, le=10**9)]
    least_physical_pct: Annotated[int, Field(strict=True, ge=0, le=100)] = 100
    """The share of it that must lie in stores (实物); the rest may be agreed."""
    provenance: Provenance


class PlaceKind(StrEnum):
    STORE = "store"
    """A district store (区级库)."""
    SPECIAL = "special"
    """A special store (特殊物资储备库)."""
    STREET = "street"
    """A street's own stock (街道储备)."""
    DONATION = "donation"
    """Where donations are taken in (捐赠物资)."""
    SUPPLIER = "supplier"
    MAKER = "maker"
    POINT = "point"
    """A demand point; its stock is relief goods that are with the people or placed there beforehand."""
    TRANSIT = "transit"
    """Goods aboard for one dispatch order; opened by the first load."""
    OUTSIDE = "outside"
    """The world beyond the books: where goods come from and go to. May stand below zero."""
    STATE = "state"
    """What a place keeps off its shelves: sealed off, being tested, lent out, packed into a module."""


class Place(Dto):
    id: Id
    kind: PlaceKind
    name_zh: Name
    name_en: Name
    zone: Text = ""
    lon: Lon | None = None
    lat: Lat | None = None
    provenance: Provenance


class Owner(StrEnum):
    """Whose goods they are. Different owners, different lots: what is given is never mixed with state stock."""

    DISTRICT = "district"
    SUPERIOR = "superior"
    """The city's or the state's, lent downwards (上级调拨)."""
    STREET = "street"
    DONOR = "donor"
    """Given, on the night or before (捐赠)."""
    SOCIAL = "social"
    """A firm's or community's own (社会储备)."""


OnBox = Annotated[Name, StringConstraints(strip_whitespace=True)]
"""As it stands on the box: a scanner gun ends its line with a tab or a new line, and that makes no other lot."""


class Lot(Dto):
    """A batch: one item, one maker, one pair of dates, one owner."""

    lot_no: OnBox
    maker: OnBox
    made_on: date | None = None
    expires_on: date | None = None
    owner: Owner = Owner.DISTRICT

    @model_validator(mode="after")
    def _dates(self) -> Self:
        if self.made_on and self.expires_on and self.expires_on < self.made_on:
            raise ValueError(
                "expires_on 早于 made_on,请核对日期 / expires_on is before made_on: correct the dates"
            )
        return self


_LOTS = UUID("5b0c4b1e-6c0f-5d0a-9a52-3d0f1c7e8a21")


def lot_id(item_code: str, lot: Lot) -> UUID:
    """The id of a lot, from what stands on its box: whoever has no network mints the same as everyone else."""
    told = [item_code, lot.lot_no, lot.maker, str(lot.made_on), str(lot.expires_on), lot.owner.value]
    return uuid5(_LOTS, json.dumps(told))


class ItemPage(Dto):
    rows: list[Item]
    next_cursor: str | None = None


class KitPage(Dto):
    rows: list[Kit]
    next_cursor: str | None = None


class PlacePage(Dto):
    rows: list[Place]
    next_cursor: str | None = None
