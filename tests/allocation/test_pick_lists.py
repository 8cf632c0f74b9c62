"""Pick lists: the lots that an order's hold keeps, by bin in the order in which one walks."""

from collections import Counter

import pytest
from chubei_allocation.dispatch import pick_lists
from chubei_shared.contracts.bins import Bin
from chubei_shared.errors import Unavailable
from chubei_shared.tokens import Role
from nights import LOADED, PICKED, Night

WATER, QUILT = "1020101", "1040101"


def test_lots_by_bin_in_walking_order_each_taken_once(stocked):
    night = Night(stocked)
    place = stocked.north
    rows = [("B-1", 20, WATER), ("A-9", 10, QUILT), ("A-1", 5, None), ("C-1", 30, QUILT), ("A-0", 1, QUILT)]
    for code, walk_order, item in rows:
        stocked.books._put(
            f"/v1/places/{place}/bins/{code}",
            Bin(place_id=place, code=code, walk_order=walk_order, item_code=item, closed=code == "A-0"),
        )
    here = [order for order in night.orders if any(stop.place_id == place for stop in order.stops)]
    lists = {order.id: stocked.commander.pick_list(order.id) for order in here}
    held = Counter()
    for line in stocked.books.get_hold(here[0].hold_id).lines:
        held[line.lot_id] += line.outstanding
    taken = Counter()
    for order in here:
        for stop, shown in zip([s for s in order.stops if s.load], lists[order.id].stops, strict=True):
            units = Counter()
            for line in shown.lines:
                units[line.item_code] += line.units
            assert (units, shown.short) == (Counter(stop.load), {})
            if stop.place_id == place:
                taken.update({line.lot_id: line.units for line in shown.lines})
                walk = [line.walk_order for line in shown.lines]
                assert walk == sorted(walk)
                assert {line.item_code: line.bin for line in shown.lines}.items() <= {
                    (WATER, "B-1"),
                    (QUILT, "A-9"),
                }
                assert all(line.lot_no == f"L-{line.item_code}" and line.expires_on for line in shown.lines)
    assert all(units <= held[lot] for lot, units in taken.items())
    assert sum(taken.values()) > 0
    first = here[0]
    stop = first.stops[0]
    for kind in (PICKED, LOADED):
        night.by(stop).step(first.id, night.body(0, kind))
    assert stocked.commander.pick_list(first.id).stops[0].loaded
    with pytest.raises(Unavailable):
        pick_lists.show(stocked.house.tx, stocked.house.lost_gate, first.id)
    for role in (Role.CLERK, Role.APPROVER, Role.AUDITOR, Role.ADMIN):
        assert stocked.house.as_(role).pick_list(first.id).number == first.number
