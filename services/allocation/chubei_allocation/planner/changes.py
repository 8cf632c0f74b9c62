"""How a plan differs from the one before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .scenario import Changes, Scenario, Trip


def changes(scenario: Scenario, previous: Iterable[Trip], trips: Iterable[Trip]) -> Changes:
    """How a plan differs from a previous one in the trips not yet begun (before scenario.now_min)."""
    begun = {trip.key() for trip in scenario.committed}
    old = [trip for trip in previous if trip.visits[0].start >= scenario.now_min and trip.key() not in begun]
    new = [trip for trip in trips if trip.key() not in begun]
    same = Counter(trip.key() for trip in old) & Counter(trip.key() for trip in new)
    kept = sum(same.values())
    old_first = _first_loads(old, Counter(same))
    new_first = _first_loads(new, Counter(same))
    changed = sum((old_first & new_first).values())
    return Changes(
        kept=kept, changed=changed, dropped=len(old) - kept - changed, new=len(new) - kept - changed
    )


def _first_loads(trips: Iterable[Trip], kept: Counter[tuple[object, ...]]) -> Counter[tuple[str, str]]:
    """(vehicle, place of the first load) of the trips that are not kept as they were."""
    first: Counter[tuple[str, str]] = Counter()
    for trip in trips:
        if kept[trip.key()] > 0:
            kept[trip.key()] -= 1
        else:
            first[trip.vehicle, trip.visits[0].node] += 1
    return first
