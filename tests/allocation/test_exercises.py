"""Exercises: played on books of their own, led by a script, scored; the real books never notice."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from chubei_allocation import proof, sweeping
from chubei_allocation.exercise_books import books
from chubei_allocation.exercise_books import rules as stock
from chubei_allocation.exercise_books.rules import Done
from chubei_allocation.exercises import exercises, rules
from chubei_allocation.exercises.api import router
from chubei_allocation.exercises.tables import Inject
from chubei_shared.contracts.amendments import IncidentStatus
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.exercises import ExerciseStatus, InjectStatus, OpenExercise
from chubei_shared.contracts.holds import HoldLine, HoldReplace, HoldRequest, HoldStatus
from chubei_shared.contracts.keeper_client import KeeperClient
from chubei_shared.contracts.orders import OrderStatus
from chubei_shared.contracts.reports import ReportKind, ReportRequest
from chubei_shared.contracts.reserves import Snapshot, SupplyRow
from chubei_shared.contracts.shelters import GivenBack, HandOut, RecordState
from chubei_shared.contracts.stock import Deliver, DeliverLine, Issue, IssueLine, Transfer, TransferLine
from chubei_shared.db import make_engine
from chubei_shared.errors import Conflict, Invalid, Shortage
from chubei_shared.tokens import Role
from goods import item
from nights import Night
from sqlalchemy import select, text

WATER, QUILT, BED = "1020101", "1040101", "1010201"
READ = (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN)
NOW = datetime.now(UTC)


@pytest.fixture
def apart(stocked):
    """The same district, by an allocation whose exercises have books of their own, as they have by default."""
    house = type(stocked.house)(stocked.house.settings.model_copy(update={"exercise_books": "own"}))
    return type(stocked)(house, int(stocked.north.partition("-")[2]))


def print_of_books(house) -> dict[str, str]:
    """A fingerprint of every table of inventory: movements, entries, balances, holds, its outbox and audit too."""
    engine = make_engine(house.settings.database("inventory"), pool_size=1)
    rows = "SELECT count(*) || md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM {} t"
    with engine.connect() as connection:
        names = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        told = {name: connection.scalar(text(rows.format(f'"{name}"'))) for name in names}
    engine.dispose()
    return told


def script(world):
    return [
        inject(5, "路断", deviation={"kind": "way_closed", "from_id": world.north, "to_id": world.shelters[0]}),
        inject(30, "一辆没有的车坏了", deviation={"kind": "vehicle_broken", "vehicle": "NO#1", "goods_aboard": False}),
        inject(
            40, "B 街道又来 20 人",
            amendment={"kind": "people", "by_subdistrict": {"B": 120}, "crowded": True},
        ),
        inject(700, "来不及下达", deviation={"kind": "place_lost", "place_id": world.south}),
    ]  # fmt: skip


def inject(at_min: int, say: str, **do):
    kind, what = next(iter(do.items()))
    return {
        "at_min": at_min,
        "say": say,
        "do": {"kind": kind, "what" if kind == "deviation" else "change": what},
    }


def test_from_incident_to_receipt_the_real_books_never_notice(apart):
    world = apart
    before = print_of_books(world.house)
    incident = world.declare()
    opened = world.commander.open_exercise(incident.id, OpenExercise(form="table_top", script=script(world)))
    assert opened == world.commander.open_exercise(
        incident.id, OpenExercise(form="table_top", script=script(world))
    )
    with pytest.raises(Conflict, match="can not be changed"):
        world.commander.open_exercise(incident.id, OpenExercise(form="live"))

    night = Night(world, incident=incident)
    world.commander.advance_exercise(incident.id, 0)
    told = world.commander.advance_exercise(incident.id, 45)
    assert [row.status for row in told.injects] == [
        InjectStatus.PLAYED, InjectStatus.FAILED, InjectStatus.PLAYED, InjectStatus.WAITING,
    ]  # fmt: skip
    assert "NO#1" in told.injects[1].problem["detail_en"]
    assert world.commander.incident(incident.id).people == 320
    assert [row.what.kind for row in world.commander.deviations(incident.id)] == ["way_closed"]

    replan = world.request(
        incident, replaces=night.plan.id
    )  # takes the old hold's goods: in one act of the books
    world.solve(replan)
    second = world.commander.plan(world.commander.plan_request(replan).plan_id)
    world.approver.approve(second.id)
    night.orders = [
        order for order in world.commander.orders(incident.id) if order.status is not OrderStatus.WITHDRAWN
    ]
    picks = world.house.http(Role.CLERK).get(f"/v1/orders/{night.orders[0].id}/pick-list").json()
    wanted = {
        item: units
        for s in night.orders[0].stops
        for item, units in s.load.items()
        if s.modes[item] == "physical"
    }
    lines = [line for s in picks["stops"] for line in s["lines"] if line["mode"] == "physical"]
    listed = {line["item_code"]: line["units"] for line in lines}
    assert (picks["exercise"], listed) == (True, wanted)
    for order in night.orders:
        night.run(order)
    shelter = next(stop for stop in night.orders[0].stops if stop.deliver)
    item, units = next(iter(shelter.deliver.items()))
    handed = world.house.http(Role.CLERK).post(
        f"/v1/incidents/{incident.id}/shelters/{shelter.place_id}/hand-outs",
        json={
            "id": str(uuid4()), "occurred_at": (incident.occurred_at + timedelta(hours=10)).isoformat(),
            "rows": [{"people": 1, "lines": [{"item_code": item, "units": units}]}],
        },
    )  # fmt: skip
    assert handed.status_code in (200, 201), handed.text

    hourly = world.commander.draft_report(incident.id, ReportRequest(id=uuid4(), kind=ReportKind.HOURLY))
    figures = {row.item_code: row for row in hourly.facts.items}
    assert (hourly.exercise, figures[item].handed_out) == (True, units)
    assert sum(row.used for row in hourly.facts.stock) == sum(row.arrived for row in hourly.facts.items) > 0
    account = world.commander.aftermath(incident.id)
    assert [event.subject_id for event in account.events if event.kind == "shelter"] == [
        UUID(handed.json()["id"])
    ]
    assert account.compensation_fen == 2000 * sum(row.units for row in account.compensation)

    drilled = world.commander.exercises().duty.done
    done = world.commander.conclude_exercise(incident.id, "装车慢")
    assert (done.counts, world.commander.exercises().duty.done) == (True, drilled + 1)
    assert done == world.commander.conclude_exercise(incident.id, "装车慢")
    assert [row.status for row in done.injects][-1] is InjectStatus.SKIPPED
    assert world.commander.incident(incident.id).status is IncidentStatus.ENDED
    served = world.commander.served(incident.id)
    assert [(row.hour, row.served) for row in done.score.hours] == [
        (hour, served.served_by_hour[hour]) for hour in rules.HOURS
    ]
    assert (done.score.papers_late, done.score.papers_wrong) == (0, 0)
    assert (
        "演练 EXERCISE"
        in world.house.http(Role.AUDITOR).get(f"/v1/incidents/{incident.id}/exercise/paper").text
    )

    with books.of(world.house.tx, world.house.gate, incident.id, "x") as own:
        assert own.get_hold(_hold(world, night.plan.id)).status is HoldStatus.RELEASED
        assert own.get_hold(_hold(world, second.id)).status is HoldStatus.ISSUED
        with pytest.raises(Conflict, match="not played"):
            own.record(
                Transfer(
                    kind="transfer", id=uuid4(), occurred_at=NOW, from_place_id=world.north, to_place_id=world.south,
                    lines=[TransferLine(item_code=QUILT, quantity=1)],
                )
            )  # fmt: skip
    assert print_of_books(world.house) == before
    world.take_away(world.north, QUILT, 1)
    assert print_of_books(world.house) != before  # one unit would have shown
    claimed = world.house.tx(proof.claims)  # nor does `chubei doctor` look for any of it there
    assert not claimed.orders & {order.id for order in night.orders}
    assert f"plan:{second.id}" not in claimed.in_force
    assert not claimed.movements.keys() & {
        step.id for order in night.orders for step in world.commander.order(order.id).steps
    }


def _hold(world, plan_id: UUID) -> UUID:
    return world.house.tx(
        lambda s: s.scalar(text("SELECT hold_id FROM plan WHERE id = :id"), {"id": plan_id})
    )


def a_stock(units: int) -> Snapshot:
    row = SupplyRow(place_id="N", item_code=WATER, mode="physical", quantity=units, ready_min=0, from_ids=[])
    return Snapshot(taken_at=NOW, items=[], kits=[], places=[], supply=[row, row], at_points=[])


def hold_of(units: int) -> HoldRequest:
    line = HoldLine(place_id="N", item_code=WATER, mode="physical", quantity=units, needed_at=NOW)
    return HoldRequest(id=uuid4(), purpose="plan:1", expires_at=NOW, lines=[line])


def test_the_books_of_an_exercise_are_the_fold_of_what_was_done():
    first, second, order = hold_of(150), hold_of(180), uuid4()
    done = [Done("hold", HoldReplace(release=[], hold=first).model_dump(mode="json"))]
    held = stock.fold(a_stock(100), done)
    assert [row.quantity for row in held.snapshot().supply] == [0, 50]
    assert [row.quantity for row in held.snapshot([first.id]).supply] == [100, 100]
    assert [(row.asked, row.available) for row in held.short(second)] == [(180, 50)]
    assert held.short(second, [first.id]) == []

    issue = Issue(
        kind="issue", id=uuid4(), occurred_at=NOW, place_id="N", order_id=order, hold_id=first.id,
        lines=[IssueLine(item_code=WATER, quantity=60, mode=Mode.PHYSICAL)],
    )  # fmt: skip
    arrival = Deliver(
        kind="deliver", id=uuid4(), occurred_at=NOW, place_id="P", order_id=order,
        lines=[DeliverLine(item_code=WATER, received=50, damaged=6, short=4)],
    )  # fmt: skip
    assert [row.available for row in held.lacking(arrival)] == [0]  # nothing is aboard yet
    done += [Done("move", issue.model_dump(mode="json")), Done("move", arrival.model_dump(mode="json"))]
    moved = stock.fold(a_stock(100), done)
    view = moved.view(first.id)
    assert (view.status, view.lines[0].issued, view.lines[0].outstanding) == (HoldStatus.OPEN, 60, 90)
    assert [(row.place_id, row.quantity) for row in moved.snapshot().at_points] == [("P", 50)]
    assert sum(row.quantity for row in moved.snapshot().supply) == 50
    assert [row.asked for row in moved.lacking(arrival)] == [60]  # what was aboard has come

    done.append(Done("hold", HoldReplace(release=[first.id], hold=hold_of(140)).model_dump(mode="json")))
    replaced = stock.fold(a_stock(100), done)
    assert replaced.view(first.id).status is HoldStatus.RELEASED
    assert sum(row.quantity for row in replaced.snapshot().supply) == 200 - 60 - 140


def test_what_was_handed_out_in_an_exercise_comes_back_to_its_own_books(apart):
    world, shelter = apart, apart.shelters[0]
    lamp = item("1060301", "提灯", "lamps", 500).model_copy(update={"returnable": True})
    world.books.put_item(lamp)
    world.receive(shelter, {lamp.code: 10, WATER: 10})
    before = print_of_books(world.house)
    incident = world.declare(hours_ago=3)
    world.commander.open_exercise(incident.id, OpenExercise(form="live"))
    keeper = KeeperClient(world.house.http(Role.CLERK, name="keeper"))
    told = {"occurred_at": NOW, "id": uuid4()}
    goods = [{"item_code": code, "units": 8} for code in (lamp.code, WATER)]
    keeper.hand_out(
        incident.id, shelter, HandOut.model_validate(told | {"rows": [{"people": 8, "lines": goods}]})
    )

    def back(code, **units):
        body = {**told, "id": uuid4(), "of": "people", "lines": [{"item_code": code, **units}]}
        return keeper.give_back(incident.id, shelter, GivenBack.model_validate(body))

    assert back(lamp.code, good=5, repair=1, lost=1).state is RecordState.DONE
    with pytest.raises(Conflict, match="only 1 are out"):
        back(lamp.code, good=2)
    with pytest.raises(Conflict, match="only 0 are out"):
        back(WATER, good=1)
    with books.of(world.house.tx, world.house.gate, incident.id, "keeper") as own:
        there = {row.item_code: row.quantity for row in own.snapshot().at_points if row.place_id == shelter}
    assert there == {lamp.code: 2 + 5, WATER: 2}
    assert print_of_books(world.house) == before


def test_an_exercise_on_a_scenario_file(apart):
    world, incident = apart, apart.declare()
    row = {
        "source": f"{world.north}~contract",
        "item": WATER,
        "mode": "physical",
        "quantity": 7,
        "available_min": 0,
    }
    points = [{"id": world.shelters[0], "on_hand": {BED: 3}}]
    for wrong, field in (
        ({"format": "x"}, "format"),
        ({"format": "planning-scenario/1", "supply": [{}]}, "supply"),
        ({"format": "planning-scenario/1", "supply": [{**row, "source": "NOWHERE"}]}, "NOWHERE"),
        ({"format": "planning-scenario/1", "supply": [{**row, "quantity": -1}]}, "0 or more"),
        ({"format": "planning-scenario/1"}, "supply"),
        (
            {"format": "planning-scenario/1", "supply": [], "points": [{"id": "\x00", "on_hand": {BED: 1}}]},
            "no place or item",
        ),
    ):
        with pytest.raises(Invalid, match=field):
            world.commander.open_exercise(incident.id, of_file(wrong))
    told = {"format": "planning-scenario/1", "supply": [row], "points": points}
    found = world.commander.open_exercise(incident.id, of_file(told))
    assert world.commander.open_exercise(incident.id, of_file(told)) == found
    with pytest.raises(Conflict, match="another script or stock"):  # of the same name
        world.commander.open_exercise(incident.id, of_file({**told, "supply": [{**row, "quantity": 70}]}))
    answer = world.house.http(Role.COMMANDER).post(
        f"/v1/incidents/{incident.id}/exercise",
        content=of_file({**told, "weight": 0}).model_dump_json().replace('"weight":0', '"weight":NaN'),
        headers={"content-type": "application/json"},
    )
    assert (answer.status_code, "NaN" in answer.json()["detail_en"]) == (422, True)
    assert (found.stock, found.stock_name) == ("file", "缺水想定")
    with books.of(world.house.tx, world.house.gate, incident.id, "x") as own:
        assert [(row.place_id, row.quantity) for row in own.snapshot().supply] == [(world.north, 7)]
        assert [(row.item_code, row.quantity) for row in own.snapshot().at_points] == [(BED, 3)]
        request = hold_of(8).model_copy(
            update={"lines": [hold_of(8).lines[0].model_copy(update={"place_id": world.north})]}
        )
        with pytest.raises(Shortage) as short:
            own.hold(request)
        assert [(line["asked"], line["available"]) for line in short.value.more["shortages"]] == [(8, 7)]


def of_file(scenario) -> OpenExercise:
    return OpenExercise(form="live", stock={"kind": "file", "name": "缺水想定", "scenario": scenario})


def test_a_real_incident_keeps_to_the_real_books_and_an_exercise_opens_before_its_plan(apart):
    world = apart
    real = world.declare(exercise=False, hours_ago=1)
    with pytest.raises(Conflict, match="real incident"):
        world.commander.open_exercise(real.id, OpenExercise(form="live"))
    assert not world.house.tx(books.apart, real.id, True)
    late = world.declare()
    world.request(late)
    with pytest.raises(Conflict, match="before that"):
        world.commander.open_exercise(late.id, OpenExercise(form="live"))


def test_on_the_walls_clock_the_script_plays_by_itself(apart):
    world, incident = apart, apart.declare(hours_ago=1)
    lost = {"kind": "place_lost", "place_id": world.south}
    plan = [inject(30, "南库进水", deviation=lost), inject(600, "还早", deviation=lost)]
    world.commander.open_exercise(incident.id, OpenExercise(form="live", clock="wall", script=plan))
    for _ in range(2):
        sweeping.play_scripts(world.house.tx)
        found = world.commander.exercise(incident.id)
        assert [row.status for row in found.injects] == [InjectStatus.PLAYED, InjectStatus.WAITING]
    assert found.now_min >= 60
    assert len(world.commander.deviations(incident.id)) == 1


def test_the_score_goes_by_people_decision_tasks_and_papers():
    best = rules.Played(100, [0, 0, 50, 50, 60, 60, 80, 80, 80, 80, 90, 90, 100], [100] * 13, 30, 4, 4, 0, 0)
    assert (rules.score(best).points, rules.score(best).of) == (100, 100)
    worse = best._replace(
        served_by_hour=[0, 0, 25, 25, 30, 30, 40, 40, 40, 40, 45, 45, 50], decide_min=75, tasks_in_time=1,
        papers_wrong=1, papers_late=1,
    )  # fmt: skip
    assert {mark.part: mark.points for mark in rules.score(worse).marks} == {
        "served": 30, "deciding": 7.5, "tasks": 3.8, "papers": 6,
    }  # fmt: skip
    nothing = rules.Played(100, [0] * 13, [0] * 13, None, 0, 0, 0, 9)
    assert {mark.part: mark.points for mark in rules.score(nothing).marks} == {
        "served": 0, "deciding": 0, "tasks": 15, "papers": 0,
    }  # fmt: skip


ONE = "/v1/incidents/{id}/exercise"
ROUTES = {
    ("GET", "/v1/exercises"): READ,
    ("POST", ONE): (Role.COMMANDER,),
    ("GET", ONE): READ,
    ("POST", ONE + ":advance"): (Role.COMMANDER,),
    ("POST", ONE + ":conclude"): (Role.COMMANDER,),
    ("POST", ONE + ":cancel"): (Role.COMMANDER,),
    ("GET", ONE + "/paper"): READ,
}
BODIES = {
    ONE: {"form": "live"},
    ONE + ":advance": {"to_min": 1},
    ONE + ":conclude": {},
    ONE + ":cancel": {"reason": "天气"},
}
AT = {
    ONE + ":advance": {ExerciseStatus.RUNNING},
    ONE + ":conclude": {ExerciseStatus.RUNNING, ExerciseStatus.CONCLUDED},
    ONE + ":cancel": {ExerciseStatus.RUNNING, ExerciseStatus.CANCELLED},
}


def test_who_may_do_what_in_which_state(apart):
    assert set(rules.MOVES) == set(ExerciseStatus)
    assert set(rules.INJECTS) == set(InjectStatus)
    world, found, wanted = apart, {}, {}
    done_before = world.commander.exercises().duty.done
    ended = 0
    for state in ExerciseStatus:
        for (method, path), roles in ROUTES.items():
            incident = world.declare()
            world.commander.open_exercise(incident.id, OpenExercise(form="live"))
            if state is ExerciseStatus.CONCLUDED:
                world.commander.conclude_exercise(incident.id)
            if state is ExerciseStatus.CANCELLED:
                world.commander.cancel_exercise(incident.id, "天气")
            for role in sorted(
                READ, key=lambda role: role in roles
            ):  # who may not comes first: nothing has changed
                answer = world.house.http(role).request(
                    method, path.format(id=incident.id), json=BODIES.get(path)
                )
                done = 201 if path == ONE and method == "POST" else 200
                key = (state, method, path, role)
                found[key] = answer.status_code
                wanted[key] = (
                    403 if role not in roles else done if state in AT.get(path, set(ExerciseStatus)) else 409
                )
            ended += world.commander.exercise(incident.id).status is ExerciseStatus.CONCLUDED
    assert found == wanted
    assert ended > 0
    assert not any(row.counts for row in world.commander.exercises().rows[: len(ROUTES)])
    duty = world.commander.exercises().duty  # nothing was decided in any of them
    assert (duty.done, duty.due) == (done_before, rules.YEARLY)
    assert {(m, p) for m, p in ROUTES} == {(m, route.path) for route in router.routes for m in route.methods}


def test_every_move_is_allowed_or_refused_by_its_table(apart):
    world, incident = apart, apart.declare()
    world.commander.open_exercise(incident.id, OpenExercise(form="live", script=script(world)[:1]))
    for state in InjectStatus:
        for to in InjectStatus:

            def move(session, state=state, to=to):
                row = session.scalars(select(Inject).where(Inject.incident_id == incident.id)).one()
                row.status = state
                exercises.become(row, to)

            if to in rules.INJECTS[state]:
                world.house.tx(move)
            else:
                with pytest.raises(Conflict, match=f"is {state}"):
                    world.house.tx(move)
