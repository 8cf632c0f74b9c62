"""Who may approve what, as data (owned by allocation)."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from chubei_shared.contracts.base import Dto, Id, ItemCode, Mode, Name, Provenance, Units, Utc


class Tier(Dto):
    """What the holders of a tier may approve. A post has a tier by naming its id (`Post.tier`)."""

    id: Id
    name_zh: Name
    name_en: Name
    max_people: Annotated[int, Field(strict=True, ge=1, le=10**8)] | None = None
    """People that the plan serves; none: no limit."""
    max_units: dict[ItemCode, Units] = Field(default_factory=dict, max_length=1000)
    """Units of an item that the plan's trips load; an item that is not named has no limit."""
    cross_store: bool = False
    """Goods of more than one store."""
    modes: Annotated[list[Mode], Field(min_length=1, max_length=len(Mode))]
    requisition: bool = False
    """Vehicles or goods that are requisitioned."""
    approvers: Literal[1, 2] = 1
    """So many different persons of this tier or above."""

    def covers(self, other: Self) -> bool:
        """Whether it may approve whatever the other may."""
        return (
            _at_least(self.max_people, other.max_people)
            and all(_at_least(most, other.max_units.get(item)) for item, most in self.max_units.items())
            and (self.cross_store or not other.cross_store)
            and set(self.modes) >= set(other.modes)
            and (self.requisition or not other.requisition)
        )

    @property
    def unlimited(self) -> bool:
        return (
            self.max_people is None
            and not self.max_units
            and self.cross_store
            and set(self.modes) == set(Mode)
            and self.requisition
        )


def _at_least(limit: int | None, other: int | None) -> bool:
    return limit is None or (other is not None and limit >= other)


class Authority(Dto):
    """The tiers, the lowest first: each may approve what those below it may, and the highest anything."""

    tiers: Annotated[list[Tier], Field(min_length=1, max_length=20)]
    provenance: Provenance

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        ids = [tier.id for tier in self.tiers]
        if len(set(ids)) < len(ids):
            raise ValueError("tiers 编号重复,请改正 / tiers have one id twice: correct it")
        for below, above in pairwise(self.tiers):
            if not above.covers(below):
                raise ValueError(
                    f"tiers 应由低到高:{above.id} 须能批准 {below.id} 能批准的一切 / "
                    f"tiers go upwards: {above.id} must be allowed all that {below.id} is"
                )
        if not self.tiers[-1].unlimited:
            raise ValueError(
                f"最高一级 {ids[-1]} 不得有限额,否则有的方案无人能批 / "
                f"the highest tier, {ids[-1]}, must have no limits, or some plans could be approved by nobody"
            )
        return self


class Holder(Dto):
    """Somebody who holds a post or stands in for its holder."""

    tier: str
    post_id: str
    post_zh: str
    post_en: str
    person: str
    deputy: bool


class AuthorityView(Dto):
    version: int
    authority: Authority
    put_by: str
    put_at: Utc
    holders: list[Holder]
    """Who has which tier now."""
    in_force: bool
    """Whether approvals go by it: from when the first post is held."""


class Reason(Dto):
    """Why a plan is not for a lower tier."""

    tier: str
    zh: str
    en: str


class Needed(Dto):
    """The least tier that may approve a plan, and why.

    Without a document, or before any post was ever held, it is any approver but who asked.
    """

    by_tier: bool
    version: int | None
    tier: str | None
    name_zh: str
    name_en: str
    approvers: int
    reasons: list[Reason]
    who: list[Holder]
    """Who may approve now."""
    zh: str
    en: str


class Approval(Dto):
    """What an approver may say with an approval."""

    seen: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """The hash of the decision memo that was read; 409 where the memo is another by now."""


class ApprovalView(Dto):
    person: str
    post_id: str | None
    tier: str | None
    authority_version: int | None
    approved_at: Utc
    memo_hash: str
    """Of the memo as it was when this was approved."""
    seen: str | None
    """The hash that the approver named."""
    oral: bool
    """By word of mouth: somebody else entered it."""
    entered_by: str
    break_glass: bool
    """By somebody who had come in without the second factor (应急登录)."""
    stands: bool
    """Whether it counts: the person still holds a post of such a tier, or the plan was decided with it."""
