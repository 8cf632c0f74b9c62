"""What an incident needs, over HTTP: candidates, setting and season, demands, amendments and headcounts."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.headcounts import Headcount
from chubei_shared.contracts.incidents import IncidentDeclaration
from chubei_shared.contracts.network import ShelterStatus
from chubei_shared.contracts.plans import PlanRequest
from chubei_shared.errors import Conflict, Invalid, NotFound
from chubei_shared.tokens import Role
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError


def declare(world, **more):
    body = {
        "id": uuid4(),
        "kind": "flood",
        "level": 3,
        "name": "示例内涝",
        "occurred_at": datetime.now(UTC) - timedelta(minutes=200),
        **more,
    }
    return world.commander.declare(IncidentDeclaration.model_validate(body))


def amend(world, incident, occurred_at=None, id=None, **change):
    told = {"id": id or uuid4(), "why": "街道报告", "occurred_at": occurred_at, "change": change}
    return world.commander.amend(incident.id, Amendment.model_validate(told))


def count(world, incident, shelter, people, minutes_ago=5, by=None, **more):
    told = Headcount(
        id=more.pop("id", None) or uuid4(),
        shelter_id=shelter,
        people=people,
        occurred_at=datetime.now(UTC) - timedelta(minutes=minutes_ago),
        **more,
    )
    return (by or world.commander).report_headcount(incident.id, told)


def at(incident):
    return {point.shelter_id: point.people for point in incident.points}


@pytest.fixture
def hall(district):
    """A candidate in sub-district B, whose only shelter holds 80."""
    first = district.network().shelters[2]
    name = f"HALL-{first.id}"
    district.commander.put_shelter(
        first.model_copy(
            update={"id": name, "status": ShelterStatus.CANDIDATE, "capacity": 120, "indoor": True}
        )
    )
    return name


# Shelters


def test_people_go_to_registered_shelters_unless_a_candidate_is_opened(district, hall):
    p1, p2, p3 = district.shelters
    crowded = declare(district, crowded=True)
    assert hall not in at(crowded)
    assert crowded.opened == sorted([p1, p2, p3])
    opened = declare(district, open_shelters=[hall], leave_out=[p2])
    assert at(opened) == {p1: 200, p3: 40, hall: 60}
    assert opened.opened == sorted([p1, p3, hall])


def test_too_few_places_name_the_candidates_that_could_be_opened(district, hall):
    with pytest.raises(
        Invalid, match=rf"B has 100 people and places for 80.*candidates {hall} \(120\)"
    ) as told:
        declare(district)
    assert told.value.more["candidates"] == [hall]
    found = declare(district, crowded=True)
    (row,) = [row for row in found.crowding if row.subdistrict_id == "B"]
    assert (row.people, row.capacity, row.candidates) == (100, 80, [hall])
    with pytest.raises(Invalid, match=f"no shelter with capacity: open candidates: {hall}"):
        declare(district, leave_out=[district.shelters[2]])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"open_shelters": ["NOWHERE"]}, "open_shelters: there is no shelter NOWHERE"),
        ({"groups_by_subdistrict": {"Z": {}}}, "no sub-district Z"),
        ({"groups_by_subdistrict": {"A": {"cats": 1}}}, "no group cats: the district's are frail, infant"),
        ({"groups_by_subdistrict": {"A": {"infant": 999}}}, "999 members, more than the 200 people"),
        ({"demands": ["P-unknown"]}, "no shelter P-unknown"),
        ({"demands": ["same", "same"]}, "D1 is there already"),
    ],
)
def test_a_wrong_declaration_of_needs_says_what_to_correct(district, change, told):
    if "demands" in change:
        change = {
            "demands": [
                demand(shelter_id=district.shelters[0] if s == "same" else s) for s in change["demands"]
            ]
        }
    with pytest.raises(Invalid, match=told):
        declare(district, **change)


def test_groups_are_told_by_subdistrict_and_the_others_go_by_share(district):
    found = declare(district, groups_by_subdistrict={"A": {"infant": 20, "frail": 4}})
    groups = {point.shelter_id: point.groups for point in found.points}
    assert [groups[one] for one in district.shelters[:2]] == [
        {"frail": 3, "infant": 15},
        {"frail": 1, "infant": 5},
    ]
    assert groups[district.shelters[2]] == {"frail": 3, "infant": 2}


# Amendments


def test_an_amended_incident_shows_who_changed_what_when_and_why(district):
    incident = declare(district)
    body = {"id": uuid4(), "kind": "level", "level": 1}
    first, again = (amend(district, incident, **body) for _ in range(2))
    assert first.level == 1
    (row,) = again.amendments
    assert (row.recorded_by, row.why, row.change.level) == ("the-commander", "街道报告", 1)
    assert again.minutes_left <= 520
    with pytest.raises(Conflict, match="mint a new one"):
        amend(district, incident, **body | {"level": 2})
    with pytest.raises(Conflict, match="mint a new one"):
        amend(district, declare(district), **body)
    assert district.commander.incident(incident.id).level == 1


def test_shelters_are_opened_closed_and_delayed(district, hall):
    p1, p2, p3 = district.shelters
    incident = declare(district, crowded=True)
    assert at(amend(district, incident, kind="shelters_opened", shelter_ids=[hall])) == {
        p1: 150,
        p2: 50,
        p3: 40,
        hall: 60,
    }
    assert at(amend(district, incident, kind="shelters_closed", shelter_ids=[p3])) == {
        p1: 150,
        p2: 50,
        hall: 100,
    }
    late = amend(district, incident, kind="shelter_delayed", shelter_id=hall, opens_min=300)
    assert {point.shelter_id: point.opens_min for point in late.points}[hall] == 300
    with pytest.raises(Invalid, match="is not open: leave it out"):
        amend(district, incident, kind="shelters_closed", shelter_ids=[p3])
    with pytest.raises(Invalid, match="is open already"):
        amend(district, incident, kind="shelters_opened", shelter_ids=[hall])
    with pytest.raises(Invalid, match="no shelter with capacity: add one"):
        amend(district, incident, kind="shelters_closed", shelter_ids=[hall])
    with pytest.raises(Invalid, match="open it first"):
        amend(district, incident, kind="people", by_shelter={p3: 50})


def test_closures_and_demands_come_and_go(district):
    incident = declare(district)
    way = (district.north, district.shelters[0])
    assert amend(district, incident, kind="closures", closed=[way]).closures == [way]
    assert amend(district, incident, kind="closures", passable=[way]).closures == []
    with pytest.raises(Invalid, match="is not closed"):
        amend(district, incident, kind="closures", passable=[way])
    (made,) = amend(district, incident, kind="demand_added", demand=demand(site=SITE)).demands
    assert made.place_id == f"site-{incident.id.hex}-bridge"
    with pytest.raises(Invalid, match="D1 is there already"):
        amend(district, incident, kind="demand_added", demand=demand(site=SITE))
    with pytest.raises(Invalid, match="wanted there already"):
        amend(district, incident, kind="demand_added", demand=demand(site=SITE, id="D2"))
    assert amend(district, incident, kind="demand_removed", demand_id="D1").demands == []
    with pytest.raises(Invalid, match="no demand D1"):
        amend(district, incident, kind="demand_removed", demand_id="D1")


def test_an_ended_incident_begins_nothing_new_until_it_is_reopened(district):
    incident = declare(district)
    with pytest.raises(Conflict, match="not ended"):
        amend(district, incident, kind="reopened")
    assert amend(district, incident, kind="ended").status == "ended"
    ask = PlanRequest(id=uuid4(), incident_id=incident.id)
    for refused in (
        lambda: district.commander.request_plan(ask),
        lambda: amend(district, incident, kind="level", level=1),
        lambda: amend(district, incident, kind="ended"),
        lambda: count(district, incident, district.shelters[0], 9, minutes_ago=0),
    ):
        with pytest.raises(Conflict, match="is ended"):
            refused()
    assert count(district, incident, district.shelters[0], 9, minutes_ago=30).people == 9  # told of late
    with pytest.raises(Invalid, match="before the status last changed"):
        amend(district, incident, kind="reopened", occurred_at=datetime.now(UTC) - timedelta(minutes=9))
    assert amend(district, incident, kind="reopened").status == "reopened"
    assert district.commander.request_plan(ask).status == "queued"


@pytest.mark.parametrize(
    ("minutes", "told"), [(10, "lies in the future"), (-500, "before the incident happened")]
)
def test_what_happened_lies_between_the_disaster_and_now(district, minutes, told):
    incident = declare(district)
    with pytest.raises(Invalid, match=told):
        amend(
            district,
            incident,
            kind="level",
            level=1,
            occurred_at=datetime.now(UTC) + timedelta(minutes=minutes),
        )
    with pytest.raises(Invalid, match=told):
        count(district, incident, district.shelters[0], 5, minutes_ago=-minutes)


@pytest.mark.parametrize("table", ["incident_amendment", "headcount"])
def test_the_database_keeps_what_was_told(district, table):
    incident = declare(district)
    amend(district, incident, kind="level", level=1)
    count(district, incident, district.shelters[0], 5)
    for act in (f"DELETE FROM {table}", f"UPDATE {table} SET recorded_by = 'x'"):  # noqa: S608 (this file's own text)
        with pytest.raises(IntegrityError, match="append-only"):
            district.house.tx(lambda session, act=act: session.execute(text(act)))


# Headcounts


def test_the_demand_follows_the_latest_count(district):
    p1 = district.shelters[0]
    incident = declare(district)
    keeper = district.house.as_(Role.CLERK, name="keeper")
    body = {"id": uuid4(), "groups": {"infant": 8}, "by": keeper}
    when = count(district, incident, p1, 180, minutes_ago=20, **body)
    count(district, incident, p1, 90, minutes_ago=60)  # older, and comes in later
    now = district.commander.incident(incident.id)
    assert (at(now)[p1], now.people) == (180, 330)
    point = next(point for point in now.points if point.shelter_id == p1)
    assert (point.groups, point.counted_at) == ({"infant": 8}, when.occurred_at)
    assert when.recorded_by == "keeper"
    assert [row.people for row in district.commander.headcounts(incident.id)] == [180, 90]
    with pytest.raises(Conflict, match="mint a new one"):
        count(district, incident, p1, 181, **body)


def test_the_same_report_again_is_one_report(district):
    incident = declare(district)
    body = Headcount(
        id=uuid4(),
        shelter_id=district.shelters[0],
        people=7,
        occurred_at=datetime.now(UTC) - timedelta(minutes=1),
    )
    first, again = (district.commander.report_headcount(incident.id, body) for _ in range(2))
    assert first == again
    assert len(list(district.commander.headcounts(incident.id))) == 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"shelter": "NOWHERE"}, "shelter_id: there is no shelter NOWHERE"),
        ({"groups": {"cats": 1}}, "no group cats"),
        ({"groups": {"infant": 11}}, "11 members, more than the 10 people"),
    ],
)
def test_a_wrong_count_says_what_to_correct(district, more, told):
    incident = declare(district)
    shelter = more.pop("shelter", district.shelters[0])
    with pytest.raises(Invalid, match=told):
        count(district, incident, shelter, 10, **more)
    with pytest.raises(NotFound):
        district.commander.headcount_board(uuid4())


def test_a_count_of_many_times_the_places_is_asked_back(district):
    p1 = district.shelters[0]  # 150 places
    incident = declare(district)
    count(district, incident, p1, 450)
    with pytest.raises(Invalid, match="or confirm it") as asked:
        count(district, incident, p1, 1_000_000)
    assert asked.value.more["confirm"] == "surely"
    assert at(district.commander.incident(incident.id))[p1] == 450
    sure = {"id": uuid4(), "surely": True}
    first = count(district, incident, p1, 451, minutes_ago=1, **sure)
    assert at(district.commander.incident(incident.id))[p1] == 451
    body = Headcount(id=sure["id"], shelter_id=p1, people=451, occurred_at=first.occurred_at)
    assert (
        district.commander.report_headcount(incident.id, body) == first
    )  # it stands: nothing is left to ask
    for change in ({"by_shelter": {p1: 9_999}}, {"by_subdistrict": {"A": 9_999}}):
        with pytest.raises(Invalid) as asked:
            amend(district, incident, kind="people", **change)
        assert asked.value.more["confirm"] == "crowded"
    amend(district, incident, kind="people", by_subdistrict={"A": 9_999}, crowded=True)


def test_a_phone_may_be_some_minutes_fast(district):
    incident = declare(district)
    assert count(district, incident, district.shelters[0], 100, minutes_ago=-4).people == 100


def test_who_has_not_reported_for_an_hour_is_overdue(district):
    p1, p2, p3 = district.shelters
    incident = declare(district)
    count(district, incident, p1, 100, minutes_ago=59)
    count(district, incident, p2, 10, minutes_ago=75)
    board = district.commander.headcount_board(incident.id)
    rows = {row.shelter_id: row for row in board.rows}
    assert {one: (row.overdue, row.overdue_min) for one, row in rows.items()} == {
        p1: (False, 0),
        p2: (True, 15),
        p3: (True, 110),  # opened at minute 30, and has never reported since
    }
    assert (board.people, board.counted, board.overdue) == (210, 110, 2)
    assert rows[p1].latest.people == 100
    assert board.minutes_left in (519, 520)
    amend(district, incident, kind="ended")
    assert district.commander.headcount_board(incident.id).overdue == 0


def test_a_shelter_reports_at_its_own_address(district):
    incident = declare(district)
    p1, p2, _ = district.shelters
    http = district.house.http(Role.CLERK)
    own = f"/v1/incidents/{incident.id}/shelters/{p1}"
    body = {"id": str(uuid4()), "shelter_id": p1, "people": 3, "occurred_at": datetime.now(UTC).isoformat()}
    assert http.post(f"{own}/headcounts", json=body).status_code == 201
    assert http.get(own).json()["latest"]["people"] == 3
    other = http.post(f"{own}/headcounts", json=body | {"id": str(uuid4()), "shelter_id": p2})
    assert (other.status_code, "make them the same" in other.json()["detail_en"]) == (422, True)


# What the planner is asked


SITE = {"id": "bridge", "name_zh": "示例桥下", "name_en": "Example underpass", "lon": 116.36, "lat": 39.92}


def demand(**more):
    return {"id": "D1", "item_code": "1040101", "units": 3, "by_min": 300, "worth": 40.0} | more


def test_a_plan_brings_what_is_wanted_to_a_ponding_point(stocked):
    """Beds stand for pumps here: they go to a place that is no shelter, and nobody is fed there."""
    bed = {"item_code": "1010201", "by_min": 700}
    incident = declare(
        stocked,
        exercise=True,
        people_by_subdistrict={},
        demands=[
            demand(site=SITE, **bed),
            demand(id="D2", item_code="9999999", shelter_id=stocked.shelters[0]),
        ],
    )
    assert (incident.people, incident.points) == (0, [])
    plan = stocked.proposed(incident)
    place = incident.demands[0].place_id
    brought = [v["deliver"] for t in plan.plan["trips"] for v in t["visits"] if v["node"] == place]
    assert brought == [{"1010201": 3}]
    (missing,) = [row for row in plan.scenario["left_out"] if "demand" in row]
    assert (missing["demand"], "no such item" in missing["why"]) == ("D2", True)
    opened = stocked.books.place(place)
    assert (opened.kind, opened.name_zh) == ("point", "示例桥下")


def test_the_next_plan_is_for_the_people_who_were_counted(stocked):
    incident = declare(stocked, exercise=True)
    count(stocked, incident, stocked.shelters[0], 31)
    amend(stocked, incident, kind="shelter_delayed", shelter_id=stocked.shelters[0], opens_min=240)
    plan = stocked.proposed(incident)
    point = next(point for point in plan.scenario["points"] if point["id"] == stocked.shelters[0])
    assert (point["people"], point["opens_min"]) == (31, 240)
    assert plan.people == 181
    stocked.approver.approve(plan.id)
    hall = stocked.network().shelters[2].model_copy(update={"id": f"LATE-{uuid4().hex[:8]}"})
    stocked.commander.put_shelter(hall)
    count(stocked, incident, hall.id, 12)  # people where the plan knows nobody
    served = stocked.commander.served(incident.id)
    assert {row.shelter_id: row.planned for row in served.rows}[hall.id] == 0
    assert served.people == 193
