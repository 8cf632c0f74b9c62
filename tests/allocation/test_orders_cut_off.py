"""What stops a load on its way, or comes of two at once: it is done once, whatever was cut off."""

import threading

import pytest
from chubei_allocation import sweeping
from chubei_allocation.dispatch import steps
from chubei_shared.contracts.orders import StepKind, StepState
from chubei_shared.errors import Conflict, Unavailable
from chubei_shared.tokens import Caller, Role
from nights import Night
from sqlalchemy import text

PICKED, LOADED, DEPARTED = StepKind.PICKED, StepKind.LOADED, StepKind.DEPARTED


@pytest.fixture
def night(stocked):
    return Night(stocked)


def a_load_begun(night):
    """An order whose first load has been recorded by its clerk, with inventory not asked yet."""
    world = night.world
    order = night.order(at=world.north)
    clerk = Caller(f"clerk-{world.north}", frozenset({Role.CLERK}), places=frozenset({world.north}))
    world.clerks[world.north].step(order.id, night.body(0, PICKED))
    body = night.body(0, LOADED)
    world.house.tx(steps.record, order.id, body, clerk)
    return order, body


def stale(house):
    house.tx(
        lambda session: session.execute(
            text("UPDATE order_step SET recorded_at = recorded_at - interval '1 minute'")
        )
    )


def test_a_load_cut_off_before_its_movement_is_finished_by_the_sweeper(night):
    world, house = night.world, night.world.house
    order, body = a_load_begun(night)
    before = world.on_hand(world.north)
    assert world.commander.order(order.id).steps[-1].state is StepState.PENDING
    with pytest.raises(Conflict, match="is not finished yet"):
        world.commander.step(order.id, night.body(0, DEPARTED))
    sweeping.sweep(house.tx, house.gate)
    assert world.on_hand(world.north) == before  # not stale yet
    stale(house)
    for _ in range(2):
        sweeping.sweep(house.tx, house.gate)
    assert world.commander.order(order.id).steps[-1].state is StepState.DONE
    for item, units in order.stops[0].load.items():
        assert world.on_hand(world.north).get(item, 0) == before[item] - units
    assert world.clerks[world.north].step(order.id, body).steps[-1].state is StepState.DONE


def test_a_load_cut_off_after_its_movement_moves_nothing_twice(night):
    world, house = night.world, night.world.house
    order, body = a_load_begun(night)
    person, movement = house.tx(steps._movement, body.id)
    with house.gate.client(person) as client:
        client.record(movement)
    moved = world.on_hand(world.north)
    stale(house)
    sweeping.sweep(house.tx, house.gate)
    assert world.commander.order(order.id).steps[-1].state is StepState.DONE
    assert world.on_hand(world.north) == moved
    assert len(world.books.movements(order_id=order.id).rows) == 1


def test_a_load_while_inventory_is_away_is_kept_and_finished(night):
    world, house = night.world, night.world.house
    order = night.order(at=world.north)
    clerk = world.clerks[world.north]
    clerk.step(order.id, night.body(0, PICKED))
    body = night.body(0, LOADED)
    house.app.state.inventory = house.lost_gate
    try:
        with pytest.raises(Unavailable, match="the step is recorded"):
            clerk.step(order.id, body)
    finally:
        house.app.state.inventory = house.gate
    assert clerk.step(order.id, body).steps[-1].state is StepState.DONE


def test_a_load_that_inventory_refuses_can_be_tried_again(night):
    world, house = night.world, night.world.house
    order = night.order(at=world.north)
    clerk = world.clerks[world.north]
    clerk.step(order.id, night.body(0, PICKED))
    with house.gate.client("someone") as client:
        client.release(order.hold_id)
    body = night.body(0, LOADED)
    for _ in range(2):
        with pytest.raises(Conflict, match="Inventory refused this step") as refused:
            clerk.step(order.id, body)
        assert refused.value.more["problem"]["status"] == 409
    shown = world.commander.order(order.id)
    assert (shown.steps[-1].state, shown.steps[-1].problem) == (
        StepState.REFUSED,
        refused.value.more["problem"],
    )
    with pytest.raises(Conflict, match="Inventory refused this step"):  # and not: out of order
        clerk.step(order.id, night.body(0, LOADED))
    assert world.books.books().faults == []


def test_one_step_by_many_at_once_is_done_once(night):
    world = night.world
    order = night.order(at=world.north)
    clerk = world.clerks[world.north]
    clerk.step(order.id, night.body(0, PICKED))
    body, outcomes = night.body(0, LOADED), []
    together = threading.Barrier(4)

    def load(step):
        together.wait()
        try:
            outcomes.append(clerk.step(order.id, step).steps[-1].state)
        except Conflict:
            outcomes.append("conflict")

    threads = [
        threading.Thread(target=load, args=(step,)) for step in (body, body, body, night.body(0, LOADED))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "done" in outcomes
    assert len(world.books.movements(order_id=order.id).rows) == 1


def test_one_id_for_two_orders_at_once_is_one_orders(night):
    world = night.world
    first, second = [o for o in night.orders if o.stops[0].place_id == world.north][:2]
    clerk, step = world.clerks[world.north], night.body(0, PICKED)
    together, outcomes = threading.Barrier(2), []

    def pick(order):
        together.wait()
        try:
            outcomes.append(clerk.step(order.id, step).steps[-1].state)
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=pick, args=(order,)) for order in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "done"]
