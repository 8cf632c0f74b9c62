"""PURE: an incident as it stands, folded from its declaration, amendments and headcounts.

Each is applied in the order in which it happened, so that it does not matter in which order they came in; of one
moment, amendments come first, then what was recorded first. Every step is total: what no longer applies changes
nothing, because something that happened earlier may be told of later.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chubei_shared.contracts import amendments as change
from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.contracts.catalogue import Season, Setting
from chubei_shared.contracts.demands import AbsoluteDemand

from chubei_allocation.incidents import people

MOVES: Mapping[IncidentStatus, Mapping[str, IncidentStatus]] = {
    IncidentStatus.DECLARED: {"ended": IncidentStatus.ENDED},
    IncidentStatus.ENDED: {"reopened": IncidentStatus.REOPENED},
    IncidentStatus.REOPENED: {"ended": IncidentStatus.ENDED},
}
"""Which kind of amendment leads from one status to another; everything else is refused."""

Groups = Mapping[str, int]


@dataclass(frozen=True)
class Ground:
    """What the fold has to know of a shelter."""

    subdistrict_id: str
    capacity: int
    candidate: bool = False


@dataclass(frozen=True)
class Known:
    """The district behind the incident: shelters by id, and each group's share of the people."""

    shelters: Mapping[str, Ground]
    group_shares: Mapping[str, float]

    def of(self, subdistrict_id: str) -> list[str]:
        return [one for one, ground in self.shelters.items() if ground.subdistrict_id == subdistrict_id]


@dataclass(frozen=True)
class Amended:
    """An amendment; `order` is where it stands among the recorded."""

    at: datetime
    order: int
    change: change.Change


@dataclass(frozen=True)
class Counted:
    """A headcount; without groups the district's shares hold."""

    at: datetime
    order: int
    shelter_id: str
    people: int
    groups: Groups | None


Event = Amended | Counted


@dataclass(frozen=True)
class More:
    """Units of an item that a shelter gets beyond its kits, and what they are worth outside a kit."""

    units: int
    worth: float


@dataclass(frozen=True)
class Standing:
    """People and groups are by shelter; only those of `opened` are shared out anew."""

    level: int
    setting: Setting
    season: Season
    opened: frozenset[str]
    people: Mapping[str, int]
    groups: Mapping[str, Groups]
    closures: tuple[tuple[str, str], ...] = ()
    demands: tuple[AbsoluteDemand, ...] = ()
    granted: Mapping[tuple[str, str], More] = field(default_factory=dict)
    """By shelter and item."""
    opens_min: Mapping[str, int] = field(default_factory=dict)
    counted_at: Mapping[str, datetime] = field(default_factory=dict)
    status: IncidentStatus = IncidentStatus.DECLARED
    moved_at: datetime | None = None
    """When the status last changed."""


def fold(start: Standing, events: Iterable[Event], known: Known) -> Standing:
    """The incident after all events, in whichever order they are given."""
    standing = start
    for event in sorted(events, key=_in_time):
        standing = apply(standing, event, known)
    return standing


def before(events: Iterable[Event], at: datetime) -> list[Event]:
    """The events that an amendment of this moment, recorded last, comes after."""
    return [e for e in events if e.at < at or (e.at == at and isinstance(e, Amended))]


def apply(standing: Standing, event: Event, known: Known) -> Standing:
    """The incident after one more event."""
    if isinstance(event, Counted):
        return _counted(standing, event, known)
    told = event.change
    if told.kind in ("ended", "reopened"):
        status = MOVES[standing.status].get(told.kind)
        return replace(standing, status=status, moved_at=event.at) if status else standing
    return _STEPS[type(told)](standing, told, known)


def _in_time(event: Event) -> tuple[datetime, bool, int]:
    return event.at, isinstance(event, Counted), event.order


def _counted(standing: Standing, event: Counted, known: Known) -> Standing:
    groups = people.members([event.people], known.group_shares)[0] if event.groups is None else event.groups
    return replace(
        standing,
        people={**standing.people, event.shelter_id: event.people},
        groups={**standing.groups, event.shelter_id: groups},
        counted_at={**standing.counted_at, event.shelter_id: event.at},
    )


def share_anew(
    standing: Standing,
    subdistrict_id: str,
    known: Known,
    number: int | None = None,
    groups: Groups | None = None,
) -> Standing:
    """A sub-district's people (`number`, or as many as are there) over its open shelters, by capacity.

    The groups are `groups`, or stay in proportion; by the district's shares where nobody was. People at shelters
    that are closed are counted in, and moved, when there is a new number. Without an open shelter nothing changes.
    """
    inside = known.of(subdistrict_id)
    places = [one for one in inside if one in standing.opened]
    if not places:
        return standing
    among = places if number is None else inside
    had = sum(standing.people.get(one, 0) for one in among)
    total = had if number is None else number
    if groups is None:
        groups = _in_proportion(_sum(standing.groups.get(one, {}) for one in among), had, total, known)
    shares = people.share_out(total, _weights(places, known))
    members = people.spread(shares, groups)
    return replace(
        standing,
        counted_at=_without(standing.counted_at, among),
        people={**standing.people, **dict.fromkeys(among, 0), **dict(zip(places, shares, strict=True))},
        groups={**standing.groups, **{one: {} for one in among}, **dict(zip(places, members, strict=True))},
    )


def _in_proportion(groups: Groups, had: int, total: int, known: Known) -> Groups:
    if not had:
        return {group: people.portion(total, share) for group, share in known.group_shares.items()}
    return {group: (2 * n * total + had) // (2 * had) for group, n in groups.items()}


def _without(counted_at: Mapping[str, datetime], shelters: Iterable[str]) -> dict[str, datetime]:
    """From now on these shelters' people are expected, not counted."""
    gone = set(shelters)
    return {one: at for one, at in counted_at.items() if one not in gone}


def _weights(places: list[str], known: Known) -> list[int]:
    """Capacities; where there is none at all, people are shared out evenly rather than lost."""
    weights = [known.shelters[one].capacity for one in places]
    return weights if any(weights) else [1] * len(places)


def _sum(rows: Iterable[Groups]) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in rows:
        for group, number in row.items():
            total[group] = total.get(group, 0) + number
    return total


def _level(standing: Standing, told: change.LevelChange, _: Known) -> Standing:
    return replace(standing, level=told.level)


def _people(standing: Standing, told: change.PeopleChange, known: Known) -> Standing:
    for subdistrict_id, number in told.by_subdistrict.items():
        standing = share_anew(standing, subdistrict_id, known, number)
    for shelter_id, number in told.by_shelter.items():
        had = standing.people.get(shelter_id, 0)
        wanted = _in_proportion(standing.groups.get(shelter_id, {}), had, number, known)
        standing = replace(
            standing,
            people={**standing.people, shelter_id: number},
            groups={**standing.groups, shelter_id: people.spread([number], wanted)[0]},
            counted_at=_without(standing.counted_at, [shelter_id]),
        )
    return standing


def _groups(standing: Standing, told: change.GroupsChange, known: Known) -> Standing:
    found = dict(standing.groups)
    for subdistrict_id, wanted in told.by_subdistrict.items():
        places = known.of(subdistrict_id)
        numbers = [standing.people.get(one, 0) for one in places]
        found |= dict(zip(places, people.spread(numbers, wanted), strict=True))
    for shelter_id, wanted in told.by_shelter.items():
        found[shelter_id] = people.spread([standing.people.get(shelter_id, 0)], wanted)[0]
    return replace(standing, groups=found)


def _conditions(standing: Standing, told: change.ConditionsChange, _: Known) -> Standing:
    return replace(standing, setting=told.setting or standing.setting, season=told.season or standing.season)


def _opened(standing: Standing, told: change.SheltersOpened, known: Known) -> Standing:
    new = {one for one in told.shelter_ids if one in known.shelters} - standing.opened
    standing = replace(standing, opened=standing.opened | new)
    for subdistrict_id in sorted({known.shelters[one].subdistrict_id for one in new}):
        standing = share_anew(standing, subdistrict_id, known)
    return standing


def _closed(standing: Standing, told: change.SheltersClosed, known: Known) -> Standing:
    gone = [one for one in told.shelter_ids if one in standing.opened]
    standing = replace(standing, opened=standing.opened - set(gone))
    for shelter_id in gone:
        standing = _moved_on(standing, shelter_id, known)
    return standing


def _moved_on(standing: Standing, shelter_id: str, known: Known) -> Standing:
    """The people of a closed shelter go to the others of its sub-district; while none is open, they stay."""
    others = [one for one in known.of(known.shelters[shelter_id].subdistrict_id) if one in standing.opened]
    if not others:
        return standing
    shares = people.share_out(standing.people.get(shelter_id, 0), _weights(others, known))
    members = people.spread(shares, standing.groups.get(shelter_id, {}))
    moved = {one: standing.people.get(one, 0) + n for one, n in zip(others, shares, strict=True)}
    grouped = {
        one: _sum([standing.groups.get(one, {}), more]) for one, more in zip(others, members, strict=True)
    }
    return replace(
        standing,
        counted_at=_without(standing.counted_at, [*others, shelter_id]),
        people={**standing.people, **moved, shelter_id: 0},
        groups={**standing.groups, **grouped, shelter_id: {}},
    )


def _delayed(standing: Standing, told: change.ShelterDelayed, _: Known) -> Standing:
    return replace(standing, opens_min={**standing.opens_min, told.shelter_id: told.opens_min})


def _closures(standing: Standing, told: change.ClosuresChange, _: Known) -> Standing:
    passable = set(told.passable)
    kept = [way for way in (*standing.closures, *told.closed) if way not in passable]
    return replace(standing, closures=tuple(dict.fromkeys(kept)))


def _demanded(standing: Standing, told: change.DemandAdded, _: Known) -> Standing:
    others = [one for one in standing.demands if one.id != told.demand.id]
    return replace(standing, demands=(*others, told.demand))


def _removed(standing: Standing, told: change.DemandRemoved, _: Known) -> Standing:
    return replace(standing, demands=tuple(one for one in standing.demands if one.id != told.demand_id))


def _granted(standing: Standing, told: change.MoreGranted, _: Known) -> Standing:
    found = dict(standing.granted)
    for item, units in told.units.items():
        key = told.shelter_id, item
        total = units + (found[key].units if key in found else 0)
        found[key] = More(total, told.worth)
    return replace(standing, granted={key: more for key, more in found.items() if more.units > 0})


_STEPS: Mapping[type[Any], Callable[[Standing, Any, Known], Standing]] = {
    change.LevelChange: _level,
    change.PeopleChange: _people,
    change.GroupsChange: _groups,
    change.ConditionsChange: _conditions,
    change.SheltersOpened: _opened,
    change.SheltersClosed: _closed,
    change.ShelterDelayed: _delayed,
    change.ClosuresChange: _closures,
    change.DemandAdded: _demanded,
    change.DemandRemoved: _removed,
    change.MoreGranted: _granted,
}
