"""Replanning: what has begun goes on, what has not is kept, changed or withdrawn, and one outcome comes of it."""

import json
import os
import subprocess
import sys
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from chubei_allocation import proof, sweeping
from chubei_allocation.approval import approval
from chubei_shared.contracts.deviations import DeviationReport
from chubei_shared.contracts.holds import HoldReplace, HoldStatus
from chubei_shared.contracts.orders import OrderStatus, Step, StepKind, Stop
from chubei_shared.contracts.plans import PlanRequest, PlanStatus, TripFate
from chubei_shared.errors import AppError, Conflict, Shortage, Unavailable
from chubei_shared.tokens import Caller, Role
from sqlalchemy import text

from tests.effort import EFFORT

WATER, QUILT, BED = "1020101", "1040101", "1010201"
SECOND = Caller("second-approver", frozenset({Role.APPROVER}))
PICKED, LOADED, DEPARTED = StepKind.PICKED, StepKind.LOADED, StepKind.DEPARTED
ARRIVED, RECEIVED = StepKind.ARRIVED, StepKind.RECEIVED


class Night:
    """An approved plan of a stocked district, played minute by minute as its orders say."""

    def __init__(self, stocked, by_hand=None) -> None:
        self.world, self.house = stocked, stocked.house
        self.commander = stocked.commander
        self.incident = stocked.declare()
        self.plan = stocked.proposed(self.incident)
        if by_hand:
            plan = json.dumps(by_hand(stocked, self.plan))
            self.house.tx(lambda s: s.execute(text("UPDATE plan SET plan = cast(:p AS jsonb)"), {"p": plan}))
        stocked.approver.approve(self.plan.id)

    def orders(self, status: OrderStatus | None = None):
        return list(self.commander.orders(self.incident.id, status))

    def step(self, order, stop, kind: StepKind, minute: int, **more):
        by = self.commander
        if stop.load and kind in (PICKED, LOADED):
            by = self.world.clerks.get(stop.place_id, by)
        at = self.incident.occurred_at + timedelta(minutes=minute)
        if kind is RECEIVED:
            more.setdefault("signed_by", "王主任")
        return by.step(order.id, Step(id=uuid4(), stop=stop.stop, step=kind, occurred_at=at, **more))

    def play(self, until: int = 10_000) -> None:
        """Report every step that the orders have before a minute and that has not been reported."""
        acts = []
        for order in self.orders():
            if order.status is OrderStatus.WITHDRAWN:
                continue
            reported = {(step.stop, step.step) for step in order.steps if step.state != "refused"}
            for stop in order.stops:
                kinds = [(stop.start_min, 0, PICKED), (stop.end_min, 1, LOADED)]
                if stop.deliver:
                    kinds = [(stop.arrive_min, 0, ARRIVED), (stop.end_min, 1, RECEIVED)]
                if stop.stop < len(order.stops) - 1:
                    kinds.append((stop.end_min, 2, DEPARTED))
                last = max((step.occurred_at for step in order.steps), default=self.incident.occurred_at)
                reached = round((last - self.incident.occurred_at).total_seconds() / 60)
                acts += [
                    (max(minute, reached), order.number, stop.stop, turn, order, stop, kind)
                    for minute, turn, kind in kinds
                    if (stop.stop, kind) not in reported
                ]
        for minute, _, _, _, order, stop, kind in sorted(acts, key=lambda act: act[:4]):
            if minute < until:
                self.step(order, stop, kind, minute)

    def deviate(self, minute: int, **what):
        at = self.incident.occurred_at + timedelta(minutes=minute)
        report = DeviationReport(id=uuid4(), occurred_at=at, what=what)
        return self.commander.report_deviation(self.incident.id, report)

    def replan(self, now_min: int):
        body = PlanRequest(id=uuid4(), incident_id=self.incident.id, now_min=now_min, **EFFORT)
        self.commander.request_plan(body)
        self.world.solve(body.id)
        state = self.commander.plan_request(body.id)
        assert state.plan_id, state.error
        return self.commander.plan(state.plan_id)

    def approve(self, plan):
        return self.world.approver.approve(plan.id)

    def begin(self, plan) -> None:
        """The first transaction of an approval, and then nothing more: as after a crash."""
        self.house.tx(approval.begin, plan.id, SECOND)

    def resume(self) -> None:
        """What the sweeper does a while later."""
        self.house.tx(
            lambda session: session.execute(text("UPDATE plan SET decided_at = now() - interval '1 minute'"))
        )
        self.house.tx(
            lambda s: s.execute(text("UPDATE order_step SET recorded_at = now() - interval '1 minute'"))
        )
        sweeping.sweep(self.house.tx, self.house.gate)

    def half(self) -> int:
        """A minute at which some trips have begun and others not, and their vehicles come in time if they set out then.

        A replan knows where a vehicle was last told of, not that it is on its way to its first load: one that would
        come late by this is a trip that changes. Where a plan has no such minute, any in the middle has to do.
        """
        free = {row["type"]: row["available_min"] for row in self.plan.scenario["vehicles"]}
        days: dict[str, list[list[Stop]]] = {}
        for order in sorted(self.orders(), key=lambda order: order.stops[0].start_min):
            days.setdefault(order.vehicle, []).append(order.stops)
        starts = sorted(stops[0].start_min for day in days.values() for stops in day)
        middle = starts[len(starts) // 2] - 5

        def in_time(vehicle: str, now: int) -> bool:
            since = free[vehicle.partition("#")[0]]
            for stops in days[vehicle]:
                first = stops[0]
                if first.start_min >= now:
                    return max(since, now) + first.arrive_min - since <= first.start_min
                since = stops[-1].end_min
            return True

        minutes = [start - 5 for start in starts if start - 5 > starts[0]]
        kept = [now for now in minutes if all(in_time(vehicle, now) for vehicle in days)]
        return min(kept, key=lambda now: abs(now - middle), default=middle)

    def sound(self) -> None:
        """Allocation's records agree with each other and with inventory's; the books balance."""
        assert [str(found) for found in self.house.tx(lambda s: list(proof.differences(s)))] == []
        assert self.world.books.books().faults == []
        claims = self.house.tx(proof.claims)
        for hold_id in claims.holds.values():
            assert self.world.books.get_hold(hold_id).status in (HoldStatus.OPEN, HoldStatus.ISSUED)


@pytest.fixture
def night(stocked):
    return Night(stocked)


def fates(plan) -> dict[str, int]:
    found = [row.fate for row in plan.changes]
    return {fate: found.count(fate) for fate in TripFate if fate in found}


def test_where_nothing_happened_everything_is_kept(night):
    now = night.half()
    night.play(now)
    before = {order.id: order for order in night.orders()}
    replan = night.replan(now)
    assert replan.replaces == night.plan.id
    assert fates(replan) == {"kept": len(night.orders(OrderStatus.PLANNED))}
    assert (replan.supported, replan.settled) == (night.plan.supported, night.plan.settled)
    assert all("不变" in row.zh and "as it was" in row.en for row in replan.changes)
    assert night.approve(replan).status is PlanStatus.APPROVED
    after = {order.id: order for order in night.orders()}
    assert {i: (o.number, o.stops, o.revision) for i, o in after.items()} == {
        i: (o.number, o.stops, 0) for i, o in before.items()
    }
    moved = [order for order in after.values() if order.status is not OrderStatus.DONE]
    assert {order.plan_id for order in moved} == {replan.id}
    assert night.commander.plan(night.plan.id).status is PlanStatus.SUPERSEDED
    night.play()
    assert night.commander.served(night.incident.id).served == 300
    night.sound()


def test_a_replan_counts_what_has_begun_once(night):
    """Supply is all since minute 0, what lies at points is that of minute 0, and the own hold is the replan's."""
    now = night.half()
    night.play(now)
    scenario = night.replan(now).scenario
    of_first = {(row["source"], row["item"]): row for row in night.plan.scenario["supply"]}
    for row in scenario["supply"]:
        first = of_first[row["source"], row["item"]]
        if row["mode"] == "physical":
            assert row["quantity"] == first["quantity"]
        assert row["available_min"] == first["available_min"]
    assert [p["on_hand"] for p in scenario["points"]] == [p["on_hand"] for p in night.plan.scenario["points"]]
    begun = {str(order.id) for order in night.orders() if order.status is not OrderStatus.PLANNED}
    assert {trip["order"] for trip in scenario["committed"]} == begun
    assert {trip["order"] for trip in scenario["previous"]["trips"]} == {
        str(order.id) for order in night.orders(OrderStatus.PLANNED)
    }


def test_a_lost_store_is_planned_around(stocked):
    """What was being loaded there is not counted on, and counts when it gets away all the same."""
    stocked.receive(stocked.south, {QUILT: 400})
    night = Night(stocked)
    world, now = night.world, night.half()
    night.play(now)
    night.deviate(now, kind="place_lost", place_id=world.north)
    outlook = night.commander.outlook(night.incident.id)
    assert outlook.fewer > 0
    assert outlook.replan
    assert f"比方案少 {outlook.fewer:,} 人;宜重排" in outlook.zh
    replan = night.replan(now)
    later = replan.plan["trips"][len(replan.scenario["committed"]) :]
    assert world.north not in {v["node"] for trip in later for v in trip["visits"]}
    assert replan.supported > outlook.expected
    gone = [row for row in replan.changes if row.fate is TripFate.DROPPED]
    assert gone
    night.approve(replan)
    withdrawn = {order.id: order for order in night.orders(OrderStatus.WITHDRAWN)}
    assert set(withdrawn) == {row.order_id for row in gone}
    order = next(iter(withdrawn.values()))
    with pytest.raises(Conflict, match="was withdrawn, by a replan"):
        night.step(order, order.stops[0], PICKED, now)
    night.play()
    assert {order.status for order in night.orders()} == {OrderStatus.DONE, OrderStatus.WITHDRAWN}
    assert night.commander.served(night.incident.id).served >= replan.supported
    night.sound()


def test_a_broken_vehicle_drives_no_more_and_its_goods_stay_aboard(night):
    now = night.half()
    night.play(now)
    under_way = next(o for o in night.orders(OrderStatus.UNDER_WAY))
    night.deviate(now, kind="vehicle_broken", vehicle=under_way.vehicle, goods_aboard=True)
    replan = night.replan(now)
    later = replan.plan["trips"][len(replan.scenario["committed"]) :]
    assert under_way.vehicle not in {trip["vehicle"] for trip in later}
    own = [t for t in replan.scenario["committed"] if t["order"] == str(under_way.id)]
    assert all("deliver" not in visit for trip in own for visit in trip["visits"])
    night.approve(replan)
    assert night.commander.order(under_way.id).plan_id == replan.id
    night.sound()


def test_a_changed_order_keeps_its_number_and_says_that_it_changed(night):
    now = night.half()
    night.play(now)
    waiting = {stop.place_id for order in night.orders(OrderStatus.PLANNED) for stop in order.stops}
    first = min(order.stops[0].start_min for order in night.orders(OrderStatus.PLANNED))
    for site in (
        night.house.as_(Role.ADMIN).network().loading_sites
    ):  # crews come later: so does the next load
        if site.place_id in waiting:
            docks = [{"from_min": first + 5, "manned": 1}]
            night.house.as_(Role.ADMIN).put_loading_site(
                site.model_validate(site.model_dump() | {"docks": docks})
            )
    replan = night.replan(now)
    changed = {row.order_id: row for row in replan.changes if row.fate is TripFate.CHANGED}
    assert changed
    before = {order.id: order for order in night.orders()}
    night.approve(replan)
    for order_id, row in changed.items():
        order = night.commander.order(order_id)
        assert (order.number, order.revision) == (before[order_id].number, 1)
        trip = replan.plan["trips"][row.trip]
        assert [(s.arrive_min, s.end_min) for s in order.stops] == [
            (v["arrive"], v["end"]) for v in trip["visits"]
        ]
        assert order.stops != before[order_id].stops
        assert row.zh.startswith(order.number)
    night.play()
    night.sound()


def test_a_night_with_a_lost_store_from_the_alarm_to_the_last_receipt(whole, tmp_path):
    """Declared, planned, approved; the first trucks leave, a store is lost; replanned, approved; all is received."""
    whole.receive(whole.south, {QUILT: 400})
    night = Night(whole)
    now = night.half()
    night.play(now)
    night.deviate(now, kind="place_lost", place_id=whole.north)
    assert night.commander.outlook(night.incident.id).replan
    replan = night.replan(now)
    night.approve(replan)
    night.play()
    assert {order.status for order in night.orders()} <= {OrderStatus.DONE, OrderStatus.WITHDRAWN}
    assert night.commander.served(night.incident.id).served >= replan.supported
    night.sound()
    settings = night.house.settings
    doctor = subprocess.run(
        [sys.executable, "-m", "chubei_cli.main", "doctor", "--state", str(tmp_path), "--json"],
        env=os.environ
        | {
            "CHUBEI_DATABASE_URL": settings.database_url,
            "CHUBEI_DATABASE_PREFIX": settings.database_prefix,
            "CHUBEI_REDIS_URL": settings.redis_url,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert json.loads(doctor.stdout)["state"] == "clean"


def test_what_a_second_replan_takes_is_the_first_ones(night):
    now = night.half()
    night.play(now)
    first = night.replan(now)
    night.approve(first)
    night.play(now + 15)
    second = night.replan(now + 15)
    assert second.replaces == first.id
    assert fates(second).keys() <= {"kept"}
    if second.changes:
        night.approve(second)
        assert night.commander.plan(first.id).status is PlanStatus.SUPERSEDED
    night.play()
    night.sound()


def test_a_replan_is_refused_when_a_trip_has_begun_since(night):
    now = night.half()
    night.play(now)
    replan = night.replan(now)
    order = min(night.orders(OrderStatus.PLANNED), key=lambda o: o.stops[0].start_min)
    night.step(order, order.stops[0], ARRIVED, now)
    with pytest.raises(Conflict, match=f"Order {order.number} has begun since .* ask for a replan"):
        night.approve(replan)
    assert night.commander.plan(replan.id).status is PlanStatus.PROPOSED
    assert night.commander.plan(night.plan.id).status is PlanStatus.APPROVED
    again = night.replan(now + 1)
    night.approve(again)
    night.play()
    night.sound()


def test_of_two_replans_one_is_approved_and_the_other_is_of_the_past(night):
    now = night.half()
    night.play(now)
    one, two = night.replan(now), night.replan(now)
    outcomes = []
    together = threading.Barrier(2)

    def approve(plan, name):
        together.wait()
        try:
            outcomes.append(night.house.as_(Role.APPROVER, name=name).approve(plan.id).status)
        except AppError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=approve, args=args) for args in ((one, "a"), (two, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(map(str, [PlanStatus.APPROVED, Conflict]))
    loser = next(p for p in (one, two) if night.commander.plan(p.id).status is PlanStatus.PROPOSED)
    with pytest.raises(Conflict, match="ask for a replan"):
        night.approve(loser)
    night.play()
    night.sound()


def standing(night) -> dict:
    """Who can see what: plans by status, orders by plan, what is held."""
    return {
        "plans": {str(plan.id): plan.status.value for plan in night.commander.plans(night.incident.id)},
        "orders": {
            order.number: (order.plan_id, order.status.value, order.stops) for order in night.orders()
        },
    }


@pytest.mark.parametrize("cut", ["before the hold", "after the hold"])
def test_a_replan_cut_off_is_finished_by_the_sweeper_to_the_same_outcome(night, cut):
    now = night.half()
    night.play(now)
    night.deviate(now, kind="place_lost", place_id=night.world.south)
    replan, before = night.replan(now), standing(night)
    night.begin(replan)
    if cut == "after the hold":
        person, request, release = night.house.tx(approval._hold_request, replan.id)
        with night.house.gate.client(person) as client:
            client.hold_replace(HoldReplace(release=release, hold=request))
    seen = standing(night)
    assert seen["orders"] == before["orders"]  # no order before its hold
    assert seen["plans"][str(night.plan.id)] == "approved"
    assert night.house.tx(lambda s: list(proof.differences(s))) == []
    for _ in range(2):
        night.resume()
    found = standing(night)
    assert found["plans"] == {str(night.plan.id): "superseded", str(replan.id): "approved"}
    old = night.house.tx(lambda s: s.scalar(text("SELECT hold_id FROM plan WHERE status = 'superseded'")))
    assert night.world.books.get_hold(old).status is HoldStatus.RELEASED
    night.play()
    night.sound()


def test_a_replan_cut_off_in_its_last_transaction_has_changed_nothing(night, monkeypatch):
    now = night.half()
    night.play(now)
    replan, before = night.replan(now), standing(night)
    night.begin(replan)
    with monkeypatch.context() as broken:
        broken.setattr(approval.orders, "create", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            approval.advance(night.house.tx, night.house.gate, replan.id)
    assert standing(night)["orders"] == before["orders"]
    night.resume()
    assert standing(night)["plans"][str(replan.id)] == "approved"
    night.play()
    night.sound()


def test_a_replan_while_inventory_is_away_goes_on_by_itself_and_loading_waits_for_it(night):
    now = night.half()
    night.play(now)
    replan = night.replan(now)
    house = night.house
    house.app.state.inventory = house.lost_gate
    try:
        with pytest.raises(Unavailable, match="goes on by itself"):
            night.approve(replan)
    finally:
        house.app.state.inventory = house.gate
    planned = night.orders(OrderStatus.PLANNED)[0]
    with pytest.raises(Conflict, match="A replan is being approved"):
        night.step(planned, planned.stops[0], PICKED, now)
    night.resume()
    assert night.commander.plan(replan.id).status is PlanStatus.APPROVED
    night.play()
    night.sound()


def test_a_truck_that_loads_twice_has_its_second_load_under_the_new_hold(stocked):
    """An order under way refers to a hold that covers what it has yet to load, and waits while that is replaced."""
    night = Night(stocked, by_hand=loads_twice)
    order = next(o for o in night.orders() if sum(bool(s.load) for s in o.stops) == 2)
    first, second = order.stops[:2]
    night.play(second.start_min)
    replan = night.replan(second.start_min)
    night.begin(replan)
    night.step(order, second, PICKED, second.start_min)
    with pytest.raises(Unavailable, match="the step is recorded"):
        night.step(order, second, LOADED, second.end_min)
    night.resume()
    order = night.commander.order(order.id)
    assert order.steps[-1].state == "done"
    new = night.house.tx(lambda s: s.scalar(text("SELECT hold_id FROM plan WHERE status = 'approved'")))
    assert order.hold_id == new
    assert first.place_id != second.place_id
    drawn = [line for line in stocked.books.get_hold(new).lines if line.place_id == second.place_id]
    assert sum(line.issued for line in drawn) == sum(second.load.values())
    night.play()
    night.sound()


def loads_twice(stocked, plan) -> dict:
    """A plan of two trips by hand: one loads quilts in the north and beds in the south, one loads quilts."""

    def visit(node, at, kind, goods):
        return {"node": node, "arrive": at, "start": at, "end": at + 30, kind: goods}

    shelter = stocked.shelters[0]
    trips = [
        {
            "vehicle": f"TRUCK-{stocked.north}#1",
            "visits": [
                visit(stocked.north, 30, "load", {QUILT: 20}),
                visit(stocked.south, 90, "load", {BED: 30}),
                visit(shelter, 150, "deliver", {QUILT: 20, BED: 30}),
            ],
        },
        {
            "vehicle": f"TRUCK-{stocked.north}#2",
            "visits": [
                visit(stocked.north, 200, "load", {QUILT: 20}),
                visit(shelter, 300, "deliver", {QUILT: 20}),
            ],
        },
    ]
    return {**plan.plan, "trips": trips}


def test_a_replan_that_has_become_short_leaves_the_old_one_in_force(night):
    world, now = night.world, 22  # the supplier needs 30 minutes: nothing was loaded there yet
    night.play(now)
    world.receive(world.north, {WATER: 200})
    night.deviate(now, kind="supply_withdrawn", place_id=world.supplier, item_code=WATER)
    replan = night.replan(now)
    hold = night.orders(OrderStatus.PLANNED)[0].hold_id
    free = sum(
        row.on_hand - row.held
        for row in world.books.stock(place_id=world.north).rows
        if row.item_code == WATER
    )
    world.take_away(world.north, WATER, free)
    with pytest.raises(Shortage):
        night.approve(replan)
    assert night.commander.plan(replan.id).status is PlanStatus.REFUSED
    assert night.commander.plan(night.plan.id).status is PlanStatus.APPROVED
    assert world.books.get_hold(hold).status is HoldStatus.OPEN
    night.play()
    night.sound()


def test_a_replan_names_the_plan_in_force_or_none(night):
    other = PlanRequest(id=uuid4(), incident_id=night.incident.id, now_min=30, replaces=uuid4())
    with pytest.raises(Conflict, match=f"{night.plan.id} is"):
        night.commander.request_plan(other)
    named = other.model_copy(update={"replaces": night.plan.id})
    assert night.commander.request_plan(named).replaces == night.plan.id
    assert night.commander.request_plan(named).id == named.id


def test_a_replan_before_what_was_reported_is_refused_in_words(night):
    night.play(60)
    body = PlanRequest(id=uuid4(), incident_id=night.incident.id, now_min=20, **EFFORT)
    night.commander.request_plan(body)
    night.world.solve(body.id)
    state = night.commander.plan_request(body.id)
    assert state.status == "failed"
    assert "was reported already" in state.error


def test_the_system_asks_once_for_a_replan_and_approves_none(night):
    world, house, now = night.world, night.house, night.half()
    night.play(now)
    sweeping.propose(house.tx, 1)
    assert len(list(night.commander.plan_requests(night.incident.id))) == 1  # nothing has happened
    night.deviate(now, kind="place_lost", place_id=world.north)
    sweeping.propose(house.tx, 1)
    assert len(list(night.commander.plan_requests(night.incident.id))) == 1  # not yet quiet
    house.tx(lambda s: s.execute(text("UPDATE deviation SET reported_at = now() - interval '1 minute'")))
    for _ in range(2):
        sweeping.propose(house.tx, 1)
    asked, _ = night.commander.plan_requests(night.incident.id)
    assert (asked.requested_by, asked.replaces, asked.status) == ("system", night.plan.id, "queued")
    world.solve(asked.id)
    sweeping.propose(house.tx, 1)
    assert len(list(night.commander.plan_requests(night.incident.id))) == 2
    proposed = night.commander.plan(night.commander.plan_request(asked.id).plan_id)
    assert (proposed.status, proposed.requested_by) == (PlanStatus.PROPOSED, "system")
    assert night.approve(proposed).approved_by == "the-approver"
    night.play()
    night.sound()
