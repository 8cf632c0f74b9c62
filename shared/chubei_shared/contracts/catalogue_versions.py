"""The catalogue's versions: what was in force when, drafts, and what differs (owned by inventory)."""

from enum import StrEnum
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Name, Text, Utc
from chubei_shared.contracts.catalogue import Item, Kit, Norm


class EntryKind(StrEnum):
    ITEM = "item"
    KIT = "kit"
    NORM = "norm"


class Draft(Dto):
    """What is to change against the catalogue in force: what is put in or altered, and what is withdrawn.

    Withdrawn items stay in the books as long as there is stock; no new version names them.
    """

    id: UUID
    """Minted by the client."""
    name: Name
    """Such as 目录 2027-1."""
    note: Text = ""
    items: list[Item] = Field(default_factory=list, max_length=5000)
    kits: list[Kit] = Field(default_factory=list, max_length=500)
    norms: list[Norm] = Field(default_factory=list, max_length=5000)
    withdraw_items: list[ItemCode] = Field(default_factory=list, max_length=5000)
    withdraw_kits: list[Id] = Field(default_factory=list, max_length=500)
    withdraw_norms: list[ItemCode] = Field(default_factory=list, max_length=5000)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        named = {
            "items": [item.code for item in self.items] + self.withdraw_items,
            "kits": [kit.id for kit in self.kits] + self.withdraw_kits,
            "norms": [norm.item_code for norm in self.norms] + self.withdraw_norms,
        }
        for field, keys in named.items():
            if len(set(keys)) < len(keys):
                twice = sorted({key for key in keys if keys.count(key) > 1})[0]
                raise ValueError(
                    f"{field} 中 {twice} 出现两次,请只留一处 / {twice} stands twice in {field}: leave it once"
                )
        return self


class Change(Dto):
    """What a version did to one entry."""

    kind: EntryKind
    key: str
    change: Literal["added", "changed", "withdrawn"]
    fields: list[str]
    """The members that differ, where it was changed."""
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class DraftView(Dto):
    draft: Draft
    status: Literal["open", "published", "discarded"]
    base: int
    """The version in force when it was last written; 0: none."""
    changed_by: str
    published_as: int | None
    changes: list[Change]
    """Against the catalogue in force now; none once it is over."""


class DraftPage(Dto):
    rows: list[DraftView]
    next_cursor: str | None = None


class Version(Dto):
    """A published state of the catalogue; plans name the one that they were made under."""

    number: int
    name: str
    note: str
    published_at: Utc
    published_by: str


class VersionPage(Dto):
    rows: list[Version]
    next_cursor: str | None = None


class Changes(Dto):
    """What differs between two versions, by kind and key."""

    since: int
    until: int
    changes: list[Change]


class NormPage(Dto):
    rows: list[Norm]
    next_cursor: str | None = None
