"""Dispatch orders from the shelf to people's hands: in order, by the right person, once, and the books balance."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from chubei_allocation import steps, sweeping
from chubei_shared.contracts.holds import HoldStatus
from chubei_shared.contracts.orders import OrderStatus, Step, StepKind, StepState
from chubei_shared.contracts.plans import PlanRequest
from chubei_shared.contracts.stock import DeliverLine
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from chubei_shared.tokens import Caller, Role
from sqlalchemy import text

WATER, QUILT, BED = "1020101", "1040101", "1010201"
PICKED, LOADED, DEPARTED = StepKind.PICKED, StepKind.LOADED, StepKind.DEPARTED
ARRIVED, RECEIVED = StepKind.ARRIVED, StepKind.RECEIVED


class Night:
    """An approved plan of a stocked district, and who reports what."""

    def __init__(self, stocked, exercise: bool = True) -> None:
        self.world = stocked
        self.incident = stocked.declare(exercise=exercise)
        self.plan = stocked.proposed(self.incident)
        stocked.approver.approve(self.plan.id)
        self.orders = list(stocked.commander.orders(self.incident.id))

    def order(self, *, at: str):
        """An order whose first load is at a place."""
        return next(order for order in self.orders if order.stops[0].place_id == at)

    def by(self, stop):
        """Who picks and loads there."""
        return self.world.clerks.get(stop.place_id, self.world.commander)

    def body(self, stop: int, kind: StepKind, minute: int = 60, **more) -> Step:
        at = self.incident.occurred_at + timedelta(minutes=minute)
        return Step(id=uuid4(), stop=stop, step=kind, occurred_at=at, **more)

    def load(self, order) -> None:
        """Everything up to the first delivery."""
        for stop in order.stops:
            if stop.deliver:
                return
            for kind in (PICKED, LOADED):
                self.by(stop).step(order.id, self.body(stop.stop, kind, stop.end_min))
            self.world.commander.step(order.id, self.body(stop.stop, DEPARTED, stop.end_min))

    def run(self, order, receipts=None) -> None:
        """The whole trip at the minutes of the plan; `receipts` gives the lines of some stops."""
        self.load(order)
        for stop in order.stops:
            if stop.load:
                continue
            self.world.commander.step(order.id, self.body(stop.stop, ARRIVED, stop.arrive_min))
            lines = (receipts or {}).get(stop.stop, [])
            self.world.commander.step(
                order.id, self.body(stop.stop, RECEIVED, stop.end_min, lines=lines, signed_by="王主任")
            )
            if stop.stop < len(order.stops) - 1:
                self.world.commander.step(order.id, self.body(stop.stop, DEPARTED, stop.end_min))


@pytest.fixture
def night(stocked):
    return Night(stocked)


def test_from_the_shelf_to_peoples_hands(night):
    world = night.world
    victim = next(o for o in night.orders if any(s.deliver.get(BED, 0) >= 5 for s in o.stops))
    stop = next(s for s in victim.stops if s.deliver.get(BED, 0) >= 5)
    lines = [
        DeliverLine(item_code=item, received=units) for item, units in stop.deliver.items() if item != BED
    ]
    lines.append(DeliverLine(item_code=BED, received=stop.deliver[BED] - 5, damaged=2, short=3))
    for order in night.orders:
        night.run(order, {stop.stop: lines} if order.id == victim.id else None)

    assert {order.status for order in world.commander.orders(night.incident.id)} == {OrderStatus.DONE}
    assert world.books.get_hold(night.orders[0].hold_id).status is HoldStatus.ISSUED
    delivered = {shelter: world.on_hand(shelter) for shelter in world.shelters}
    assert sum(goods[BED] for goods in delivered.values()) == 300 - 5
    assert sum(goods[WATER] for goods in delivered.values()) == 300
    assert world.on_hand(world.south).get(BED, 0) == 400 - 300
    assert world.books.books().faults == []

    account = world.commander.served(night.incident.id)
    assert (account.people, account.served, account.planned) == (300, 300, 300)  # beds are not basic relief
    assert account.served_by_hour == account.planned_by_hour == night.plan.served_by_hour
    assert [(row.shelter_id, row.people) for row in account.rows] == list(
        zip(world.shelters, (150, 50, 100), strict=True)
    )
    shown = world.commander.order(victim.id)
    receipt = next(s for s in shown.steps if s.stop == stop.stop and s.step is RECEIVED)
    assert (receipt.signed_by, receipt.recorded_by) == ("王主任", "the-commander")
    assert sorted(receipt.lines, key=str) == sorted(lines, key=str)
    movements = world.books.movements(order_id=victim.id).rows
    assert {movement.voucher for movement in movements} == {victim.number}
    loaded = [movement for movement in movements if movement.kind == "issue"]
    assert loaded[0].recorded_by == f"clerk-{loaded[0].place_id}" or loaded[0].place_id == world.supplier


def test_who_is_served_follows_what_was_received(night):
    world = night.world
    assert world.commander.served(night.incident.id).served == 0
    night.run(night.orders[0])
    account = world.commander.served(night.incident.id)
    assert sum(row.served for row in account.rows) == account.served <= account.planned
    assert account.planned_by_hour[-1] == 300


def test_nobody_is_served_before_there_is_a_plan(district):
    incident = district.declare()
    account = district.commander.served(incident.id)
    assert (account.people, account.served, account.planned, len(account.rows)) == (300, 0, 0, 3)
    assert account.served_by_hour == [0] * 13


def test_steps_out_of_order_say_what_comes_next(night):
    order = night.order(at=night.world.north)
    clerk, commander = night.world.clerks[night.world.north], night.world.commander
    for kind in (LOADED, RECEIVED):
        with pytest.raises(Conflict, match="next is arrived/picked at stop 0"):
            clerk.step(order.id, night.body(0, kind))
    clerk.step(order.id, night.body(0, ARRIVED))
    clerk.step(order.id, night.body(0, PICKED))
    with pytest.raises(Conflict) as refused:
        commander.step(order.id, night.body(1, ARRIVED))
    assert refused.value.more["next"] == {"stop": 0, "steps": ["loaded"]}
    assert commander.order(order.id).status is OrderStatus.UNDER_WAY


def test_a_finished_order_takes_no_more_steps(night):
    order = night.orders[0]
    night.run(order)
    with pytest.raises(Conflict, match="The order is done"):
        night.world.commander.step(order.id, night.body(len(order.stops) - 1, DEPARTED))


def test_each_step_is_for_those_who_do_it(night):
    world = night.world
    north, supplied = night.order(at=world.north), night.order(at=world.supplier)
    for stranger in (world.clerks[world.south], world.commander):
        with pytest.raises(Forbidden, match="Only a clerk of Example"):
            stranger.step(north.id, night.body(0, PICKED))
    with pytest.raises(Forbidden, match="reported by the command"):
        world.clerks[world.north].step(supplied.id, night.body(0, PICKED))
    world.commander.step(supplied.id, night.body(0, PICKED))
    for role in (Role.APPROVER, Role.AUDITOR, Role.ADMIN):
        with pytest.raises(Forbidden):
            world.house.as_(role).step(north.id, night.body(0, ARRIVED))
    assert len(world.commander.order(north.id).steps) == 0
    with pytest.raises(NotFound):
        world.commander.step(uuid4(), night.body(0, ARRIVED))


def test_a_step_sent_again_is_the_same_step(night):
    world = night.world
    order = night.order(at=world.north)
    clerk = world.clerks[world.north]
    clerk.step(order.id, night.body(0, PICKED))
    loaded = night.body(0, LOADED)
    before = world.on_hand(world.north)
    first, again = (clerk.step(order.id, loaded) for _ in range(2))
    assert first == again
    gone = {item: before[item] - world.on_hand(world.north).get(item, 0) for item in order.stops[0].load}
    assert gone == order.stops[0].load
    with pytest.raises(Conflict, match="mint a new one"):
        clerk.step(order.id, loaded.model_copy(update={"signed_by": "另一人"}))


def test_a_receipt_counts_every_unit(night):
    order = night.orders[0]
    night.load(order)
    stop = next(s for s in order.stops if s.deliver)
    commander = night.world.commander
    commander.step(order.id, night.body(stop.stop, ARRIVED))
    whole = [DeliverLine(item_code=item, received=units) for item, units in stop.deliver.items()]
    wrong = [
        whole[1:],
        [*whole, DeliverLine(item_code="9999999", received=1)],
        [whole[0].model_copy(update={"damaged": 1}), *whole[1:]],
        [*whole, whole[0]],
    ]
    for lines in wrong:
        if lines:
            with pytest.raises(Invalid, match="must be the load list"):
                commander.step(order.id, night.body(stop.stop, RECEIVED, lines=lines))
    commander.step(order.id, night.body(stop.stop, RECEIVED, lines=whole))


def test_lines_belong_to_receipts(night):
    order = night.orders[0]
    stop = order.stops[0]
    with pytest.raises(Invalid, match="belong to a receipt only"):
        night.by(stop).step(order.id, night.body(0, PICKED, lines=[DeliverLine(item_code=WATER, received=1)]))


def test_times_that_can_not_be_are_refused(stocked):
    live = stocked.declare(exercise=False, hours_ago=1)
    request = stocked.commander.request_plan(PlanRequest(id=uuid4(), incident_id=live.id, time_limit_s=1))
    stocked.solve(request.id)
    plan_id = stocked.commander.plan_request(request.id).plan_id
    stocked.approver.approve(plan_id)
    order = next(o for o in stocked.commander.orders(live.id) if o.stops[0].place_id == stocked.north)
    clerk = stocked.clerks[stocked.north]
    for minutes, told in ((-90, "before the incident"), (30, "lies in the future")):
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        with pytest.raises(Invalid, match=told):
            clerk.step(order.id, Step(id=uuid4(), stop=0, step=PICKED, occurred_at=at))
    picked_at = datetime.now(UTC)
    clerk.step(order.id, Step(id=uuid4(), stop=0, step=PICKED, occurred_at=picked_at))
    earlier = Step(id=uuid4(), stop=0, step=LOADED, occurred_at=picked_at - timedelta(minutes=1))
    with pytest.raises(Invalid, match="before the step before it"):
        clerk.step(order.id, earlier)


# What stops on the way


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


def test_orders_are_listed_by_number_and_by_state(night):
    http = night.world.house.http(Role.AUDITOR)
    incident = str(night.incident.id)
    numbers, cursor = [], None
    while True:
        query = {"incident_id": incident, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = http.get("/v1/orders", params=query).json()
        numbers += [row["number"] for row in page["rows"]]
        if not (cursor := page["next_cursor"]):
            break
    assert numbers == sorted(order.number for order in night.orders)
    assert http.get("/v1/orders", params={"cursor": "\0"}).json()["status"] == 422
    night.run(night.orders[0])
    done = list(night.world.commander.orders(night.incident.id, OrderStatus.DONE))
    assert [order.id for order in done] == [night.orders[0].id]
    planned = list(night.world.commander.orders(night.incident.id, OrderStatus.PLANNED))
    assert len(planned) == len(night.orders) - 1


def test_two_incidents_of_one_day_number_their_orders_on(stocked):
    stocked.receive(stocked.north, {WATER: 400, QUILT: 400})
    stocked.receive(stocked.south, {BED: 400})
    nights = [Night(stocked) for _ in range(2)]
    numbers = [order.number for night in nights for order in night.orders]
    assert len(set(numbers)) == len(numbers)
    assert sorted(numbers) == numbers
