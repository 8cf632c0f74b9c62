"""What deviated: reported once by who may, told in words, lifted; and what it does to the 12 hours."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from chubei_allocation.deviations.effect import SLACK_MIN
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.deviations import DeviationReport
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import Role
from sqlalchemy import text

WATER = "1020101"


def report(incident, minute=30, **what):
    return DeviationReport(
        id=uuid4(), occurred_at=incident.occurred_at + timedelta(minutes=minute), what=what
    )


@pytest.fixture
def approved(stocked):
    """A plan in force, and its incident."""
    incident = stocked.declare()
    plan = stocked.proposed(incident)
    stocked.approver.approve(plan.id)
    return stocked, incident, plan


def test_a_deviation_is_reported_once_told_in_words_and_lifted(district):
    incident = district.declare()
    body = report(incident, kind="way_closed", from_id=district.north, to_id=district.shelters[0])
    first, again = (district.commander.report_deviation(incident.id, body) for _ in range(2))
    assert first == again
    assert (first.zh, first.en) == (
        f"{district.north}⇄示例 中断",
        f"the way {district.north} ⇄ example is closed",
    )
    assert (first.reported_by, first.exercise, first.lifted_at) == ("the-commander", True, None)
    with pytest.raises(Conflict, match="mint a new one"):
        district.commander.report_deviation(incident.id, body.model_copy(update={"note": "改"}))
    lifted = [district.commander.lift_deviation(first.id, "已疏通") for _ in range(2)]
    assert lifted[0] == lifted[1]
    assert (lifted[0].lifted_by, lifted[0].lift_reason) == ("the-commander", "已疏通")
    assert district.commander.deviations(incident.id) == lifted[:1]
    topics = district.house.tx(lambda s: list(s.scalars(text("SELECT topic FROM outbox ORDER BY id"))))
    assert topics[-2:] == ["deviation.reported", "deviation.lifted"]


def test_a_deviation_names_what_exists(approved):
    world, incident, _ = approved
    order = next(iter(world.commander.orders(incident.id)))
    for error, what in (
        (Invalid, {"kind": "place_lost", "place_id": "NOWHERE"}),
        (Invalid, {"kind": "place_lost", "place_id": world.shelters[0]}),
        (Invalid, {"kind": "vehicle_broken", "vehicle": f"TRUCK-{world.north}#4", "goods_aboard": False}),
        (Invalid, {"kind": "vehicle_broken", "vehicle": "CART#1", "goods_aboard": False}),
        (Invalid, {"kind": "order_delayed", "order_id": uuid4(), "minutes": 5}),
        (Invalid, {"kind": "way_closed", "from_id": world.north, "to_id": "NOWHERE"}),
        (Invalid, {"kind": "supply_late", "place_id": "NOWHERE", "item_code": WATER, "minutes": 5}),
    ):
        with pytest.raises(error, match="correct the id"):
            world.commander.report_deviation(incident.id, report(incident, **what))
    with pytest.raises(Invalid, match="before the incident"):
        world.commander.report_deviation(
            incident.id, report(incident, -1, kind="place_lost", place_id=world.north)
        )
    with pytest.raises(NotFound):
        world.commander.report_deviation(uuid4(), report(incident, kind="place_lost", place_id=world.north))
    with pytest.raises(NotFound):
        world.commander.lift_deviation(uuid4(), "无此情况")
    late = report(incident, kind="order_delayed", order_id=order.id, minutes=25)
    told = world.commander.report_deviation(incident.id, late)
    assert told.zh == f"调拨单 {order.number} 晚 25 分钟"


def test_a_live_incident_has_no_deviation_in_the_future(district):
    incident = district.declare(exercise=False, hours_ago=1)
    with pytest.raises(Invalid, match="lies in the future"):
        district.commander.report_deviation(
            incident.id, report(incident, 120, kind="place_lost", place_id=district.north)
        )
    with pytest.raises(Invalid, match="only an exercise"):
        district.house.as_(Role.COMMANDER)._get(
            f"/v1/incidents/{incident.id}/outlook", type(district.commander.outlook(incident.id)), now_min=5
        )


def test_an_exercise_has_no_deviation_of_another_year(district):
    """Its clock is the last thing reported: such a minute would end it, and every outlook would count up to there."""
    incident = district.declare()
    with pytest.raises(Invalid, match="30 days after the exercise began"):
        district.commander.report_deviation(
            incident.id, report(incident, 60 * 24 * 365, kind="place_lost", place_id=district.north)
        )
    assert district.commander.outlook(incident.id).now_min == 0


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.ADMIN])
def test_only_clerks_and_the_command_report_and_only_the_command_lifts(district, role):
    incident = district.declare()
    body = report(incident, kind="place_lost", place_id=district.north)
    other, clerk = district.house.as_(role), district.house.as_(Role.CLERK)
    with pytest.raises(Forbidden):
        other.report_deviation(incident.id, body)
    told = clerk.report_deviation(incident.id, body)
    for stranger in (other, clerk):
        with pytest.raises(Forbidden):
            stranger.lift_deviation(told.id, "不该")
    assert [row.id for row in other.deviations(incident.id)] == [told.id]
    assert other.outlook(incident.id).plan_id is None


def test_the_outlook_without_deviations_is_the_plan(approved):
    world, incident, plan = approved
    seen = world.commander.outlook(incident.id)
    assert (seen.planned, seen.expected, seen.fewer, seen.replan) == (
        plan.supported,
        plan.supported,
        0,
        False,
    )
    assert (seen.points, seen.trips, seen.deviations) == ([], [], [])
    assert seen.zh == "按现状:至第 720 分钟可保障 300 人,与方案相同"
    assert (seen.exercise, seen.minutes_left, seen.threshold) == (True, 720, 3)


def test_a_lost_store_costs_people_and_a_lifted_one_does_not(approved):
    world, incident, _ = approved
    told = world.commander.report_deviation(
        incident.id, report(incident, 0, kind="place_lost", place_id=world.north)
    )
    seen = world.commander.outlook(incident.id)
    assert seen.expected == 0  # all quilts, without which nobody has the basic relief, lie there
    assert seen.zh == f"示例{world.north}失去:至第 720 分钟可保障 0 人,比方案少 300 人;宜重排"
    assert seen.en.endswith("0 people served by minute 720, 300 fewer than planned; a replan is recommended")
    assert {row.state for row in seen.trips} >= {"impossible"}
    assert [(p.planned, p.expected) for p in seen.points] == [(150, 0), (50, 0), (100, 0)]
    world.commander.lift_deviation(told.id, "已恢复")
    assert world.commander.outlook(incident.id).fewer == 0


def test_steps_that_are_late_or_missing_are_seen_without_a_report(approved):
    """Nobody has reported a thing by minute 200: trips are late by what has passed since they were to load."""
    world, incident, _ = approved
    http = world.house.http(Role.COMMANDER)
    seen = http.get(f"/v1/incidents/{incident.id}/outlook", params={"now_min": 200}).json()
    orders = list(world.commander.orders(incident.id))
    due = {order.number for order in orders if order.stops[0].start_min < 200 - SLACK_MIN}
    assert {row["number"] for row in seen["trips"] if row["overdue"]} == due
    first = min(seen["trips"], key=lambda row: row["number"])
    assert first["late_min"] > 100
    assert "逾期未报" in first["zh"]
    seen = http.get(f"/v1/incidents/{incident.id}/outlook", params={"now_min": 700}).json()
    assert seen["replan"]
    assert seen["fewer"] > 200


def test_more_people_than_planned_for_are_people_without(approved):
    """Whatever changes the incident: the outlook reads it as it stands."""
    world, incident, _ = approved
    change = {"kind": "people", "by_shelter": {world.shelters[0]: 190}, "crowded": True}
    told = {"id": uuid4(), "occurred_at": incident.occurred_at, "why": "又到一批", "change": change}
    world.commander.amend(incident.id, Amendment.model_validate(told))
    seen = world.commander.outlook(incident.id)
    assert (seen.people, seen.planned, seen.expected, seen.fewer) == (340, 300, 300, 40)
    assert seen.replan


def test_an_outlook_at_a_live_incident_is_of_now(stocked):
    incident = stocked.declare(exercise=False, hours_ago=1)
    seen = stocked.commander.outlook(incident.id)
    assert seen.now_min in (60, 61)
    assert (seen.plan_id, seen.zh) == (None, "尚无生效方案")
    assert seen.now_min == pytest.approx(
        (datetime.now(UTC) - incident.occurred_at).total_seconds() / 60, abs=2
    )
