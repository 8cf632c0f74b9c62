"""A check between the nights: after a large change of what can be had, once it has come to rest."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from checks import light
from chubei_allocation.readiness import changes, work
from chubei_shared.china import CHINA
from chubei_shared.contracts import catalogue, stock
from chubei_shared.errors import Unavailable
from chubei_shared.tokens import Role
from goods import item
from sqlalchemy import text

WATER, PUMP = "1020101", "3010201"


@pytest.fixture
def checked(stocked):
    """A check has read its inputs, and is over; goods have to last for two days."""
    light(stocked)
    known = stocked.network()
    later = known.district.model_copy(update={"deadline_min": 2 * 24 * 60})
    stocked.house.as_(Role.ADMIN).put_network(known.model_copy(update={"district": later}))
    run_id = uuid4()
    answer = stocked.house.http(Role.COMMANDER).post("/v1/readiness:run", json={"id": str(run_id)})
    assert answer.status_code == 202, answer.text
    work.go_on(stocked.house.tx, stocked.house.gate, run_id)
    over(stocked.house)
    return stocked


def over(house) -> None:
    house.tx(
        lambda s: s.execute(
            text("UPDATE readiness_run SET status = 'failed', error = 'over', finished_at = now()")
        )
    )


def asked(house) -> int:
    return house.tx(lambda s: s.scalar(text("SELECT count(*) FROM readiness_run WHERE reason = 'changed'")))


def looks(house, times: int = 2) -> None:
    seen = None
    for _ in range(times):
        seen = changes.look(house.tx, house.gate, seen)


def expiring_tomorrow(world, units: int) -> None:
    """On the shelf now, and of no use at the deadline."""
    tomorrow = datetime.now(CHINA).date() + timedelta(days=1)
    world.books.record(
        stock.Receive(
            kind="receive", id=uuid4(), occurred_at=world.books.snapshot().taken_at - timedelta(minutes=5),
            place_id=world.north,
            lines=[
                stock.ReceiveLine(
                    item_code=WATER, quantity=units,
                    lot=catalogue.Lot(lot_no="LAST", maker="示例厂", expires_on=tomorrow),
                )
            ],
        )
    )  # fmt: skip


def test_a_large_change_is_checked_once_it_has_come_to_rest(checked):
    house = checked.house
    looks(house)
    assert asked(house) == 0
    there = sum(
        r.quantity for r in checked.books.snapshot().supply if (r.item_code, r.mode) == (WATER, "physical")
    )
    part = there // 10 // 2
    seen = changes.look(house.tx, house.gate, None)
    checked.receive(checked.north, {WATER: part})  # within the set share, a tenth
    looks(house)
    assert asked(house) == 0
    checked.receive(checked.north, {WATER: there})
    seen = changes.look(house.tx, house.gate, seen)
    assert asked(house) == 0  # it may go on changing
    checked.receive(checked.north, {WATER: 1})
    seen = changes.look(house.tx, house.gate, seen)
    assert asked(house) == 0  # and did
    seen = changes.look(house.tx, house.gate, seen)
    assert asked(house) == 1
    looks(house)
    assert asked(house) == 1  # one is under way
    (run_id,) = house.tx(
        lambda s: s.scalars(text("SELECT id FROM readiness_run WHERE reason = 'changed'")).all()
    )
    work.go_on(house.tx, house.gate, run_id)
    over(house)
    looks(house, 3)
    assert asked(house) == 1  # it was checked with what there is now


def test_what_no_kit_needs_and_what_expires_before_the_deadline_are_no_change(checked):
    house = checked.house
    checked.books.put_item(item(PUMP, "水泵", "pumps", 9_000))
    checked.receive(checked.north, {PUMP: 5})
    looks(house)
    assert asked(house) == 0
    before = house.tx(changes._last)[0]
    expiring_tomorrow(checked, 10 * before[f"{WATER}/physical"])
    looks(house)
    assert asked(house) == 0


def test_without_a_check_to_compare_with_or_an_inventory_nothing_is_asked(stocked, checked):
    house = checked.house
    with pytest.raises(Unavailable):
        changes.look(house.tx, house.lost_gate, None)
    house.clear()
    assert changes.look(house.tx, house.gate, None) is None
    assert asked(house) == 0
