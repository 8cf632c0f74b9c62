"""Dispatch orders from the shelf to people's hands: in order, by the right person, once, and the books balance."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from chubei_shared.contracts.holds import HoldStatus
from chubei_shared.contracts.movements import ItemLine, ShortPick
from chubei_shared.contracts.orders import OrderStatus, Step, StepKind, StepState
from chubei_shared.contracts.plans import PlanRequest
from chubei_shared.contracts.stock import DeliverLine
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import Role
from nights import Night

from tests.effort import EFFORT

WATER, QUILT, BED = "1020101", "1040101", "1010201"
PICKED, LOADED, DEPARTED = StepKind.PICKED, StepKind.LOADED, StepKind.DEPARTED
ARRIVED, RECEIVED = StepKind.ARRIVED, StepKind.RECEIVED


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
    beds, water = (
        sum(s.deliver.get(item, 0) for o in night.orders for s in o.stops) for item in (BED, WATER)
    )
    assert min(beds, water) >= 300, "a plan may bring a few more"
    assert sum(goods[BED] for goods in delivered.values()) == beds - 5
    assert sum(goods[WATER] for goods in delivered.values()) == water
    assert world.on_hand(world.south).get(BED, 0) == 400 - beds
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
        with pytest.raises(Conflict, match=f"next is arrived/picked at {night.world.north}"):
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


def missing(night, order, code: str, found: int) -> None:
    """The picker finds only so many units of an item that the order is to load."""
    place_id = order.stops[0].place_id
    rows = [row for row in night.world.books.stock(place_id=place_id, item_code=code).rows if row.on_hand]
    short = sum(row.on_hand for row in rows) - found
    lines = []
    for row in rows:
        if units := min(short, row.on_hand):
            lines.append(ItemLine(item_code=code, lot_id=row.lot_id, quantity=units))
            short -= units
    night.world.books.record(
        ShortPick(
            kind="short_pick", id=uuid4(), occurred_at=datetime.now(UTC), place_id=place_id,
            picked_for=order.hold_id, lines=lines,
        )
    )  # fmt: skip


def test_after_a_short_pick_what_there_is_goes_aboard_and_is_received(night):
    world = night.world
    order = night.order(at=world.north)
    stop = order.stops[0]
    item, planned = max(stop.load.items(), key=lambda row: row[1])
    there = planned // 2
    missing(night, order, item, there)
    clerk = world.clerks[world.north]
    clerk.step(order.id, night.body(0, PICKED, stop.end_min))
    with pytest.raises(Conflict, match="What can be loaded now") as refused:
        clerk.step(order.id, night.body(0, LOADED, stop.end_min))
    assert refused.value.more["loadable"] == {item: there}
    for wrong in ({item: planned + 1}, {"9999999": 1}):
        with pytest.raises(Invalid, match="no more of it"):
            clerk.step(order.id, night.body(0, LOADED, stop.end_min, loaded=wrong))
    body = night.body(0, LOADED, stop.end_min, loaded=refused.value.more["loadable"])
    shown = clerk.step(order.id, body)
    assert clerk.step(order.id, body) == shown
    assert {line.item_code: line.short for line in shown.steps[-1].lines if line.short} == {
        item: planned - there
    }
    world.commander.step(order.id, night.body(0, DEPARTED, stop.end_min))
    received = 0
    for stop in order.stops[1:]:
        if stop.load:
            for kind in (PICKED, LOADED, DEPARTED):
                night.by(stop).step(order.id, night.body(stop.stop, kind, stop.end_min))
            continue
        world.commander.step(order.id, night.body(stop.stop, ARRIVED, stop.arrive_min))
        shown = world.commander.step(order.id, night.body(stop.stop, RECEIVED, stop.end_min))
        received += sum(line.received for line in shown.steps[-1].lines if line.item_code == item)
        if stop is not order.stops[-1]:
            world.commander.step(order.id, night.body(stop.stop, DEPARTED, stop.end_min))
    assert received == there
    assert shown.status is OrderStatus.DONE
    assert world.books.stock(place_id=f"transit:{order.id}").rows == []
    assert world.books.books().faults == []


def test_a_truck_that_finds_nothing_drives_on_and_moves_nothing(night):
    world = night.world
    order = night.order(at=world.north)
    clerk, before = world.clerks[world.north], world.on_hand(world.north)
    with pytest.raises(Invalid, match="belongs to loading only"):
        clerk.step(order.id, night.body(0, PICKED, loaded={WATER: 0}))
    clerk.step(order.id, night.body(0, PICKED))
    shown = clerk.step(order.id, night.body(0, LOADED, loaded=dict.fromkeys(order.stops[0].load, 0)))
    assert shown.steps[-1].state is StepState.DONE
    assert world.on_hand(world.north) == before
    world.commander.step(order.id, night.body(0, DEPARTED))


def test_times_that_can_not_be_are_refused(stocked):
    live = stocked.declare(exercise=False, hours_ago=1)
    request = stocked.commander.request_plan(PlanRequest(id=uuid4(), incident_id=live.id, **EFFORT))
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


def test_an_exercise_takes_no_step_of_another_year(night):
    order = night.order(at=night.world.north)
    clerk = night.world.clerks[night.world.north]
    with pytest.raises(Invalid, match="30 days after the exercise began"):
        clerk.step(order.id, night.body(0, PICKED, minute=60 * 24 * 365))
    assert clerk.step(order.id, night.body(0, PICKED)).steps[-1].state is StepState.DONE


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
