"""What a what-if assumes (owned by allocation): each one change to what a plan is made of, and to nothing else."""

from typing import Annotated, Literal

from pydantic import Field

from chubei_shared.contracts.base import Dto, Id, ItemCode, Minutes, Units


class Words(Dto):
    """A text for people in both languages."""

    zh: str
    en: str


Few = Annotated[int, Field(strict=True, ge=1, le=1000)]


class MoreVehicles(Dto):
    """`count` more vehicles of a type that the district has, from where and when its others start."""

    kind: Literal["more_vehicles"]
    type: Id
    count: Few


class MoreGoods(Dto):
    """`units` more of an item at a loading site: there as its others of that item are, else from the start."""

    kind: Literal["more_goods"]
    place_id: Id
    item_code: ItemCode
    units: Units


class GoodsEarlier(Dto):
    """All goods of a loading site are ready so many minutes earlier."""

    kind: Literal["goods_earlier"]
    place_id: Id
    minutes: Minutes


class MoreDocks(Dto):
    """So many more docks of a loading site, whenever any is manned."""

    kind: Literal["more_docks"]
    place_id: Id
    docks: Few


class CrewsEarlier(Dto):
    """The loading crews of a site come so many minutes earlier."""

    kind: Literal["crews_earlier"]
    place_id: Id
    minutes: Minutes


class MoreBays(Dto):
    """So many more bays of a shelter."""

    kind: Literal["more_bays"]
    shelter_id: Id
    bays: Few


class FasterHandOut(Dto):
    """So many more people an hour are handed out to at a shelter whose rate is limited."""

    kind: Literal["faster_hand_out"]
    shelter_id: Id
    people_per_hour: Annotated[int, Field(strict=True, ge=1, le=100_000)]


class MorePeople(Dto):
    """So many more people at a shelter of the incident."""

    kind: Literal["more_people"]
    shelter_id: Id
    people: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class WayOpen(Dto):
    """A closed way is open, both ways."""

    kind: Literal["way_open"]
    a: Id
    b: Id


class WayClosed(Dto):
    """A way is closed, both ways."""

    kind: Literal["way_closed"]
    a: Id
    b: Id


class LostSite(Dto):
    """Nothing more can be loaded at a site."""

    kind: Literal["lost_site"]
    place_id: Id


class FewerVehicles(Dto):
    """So many vehicles of a type less, none at the least."""

    kind: Literal["fewer_vehicles"]
    type: Id
    count: Few


Assumption = Annotated[
    MoreVehicles
    | MoreGoods
    | GoodsEarlier
    | MoreDocks
    | CrewsEarlier
    | MoreBays
    | FasterHandOut
    | MorePeople
    | WayOpen
    | WayClosed
    | LostSite
    | FewerVehicles,
    Field(discriminator="kind"),
]
