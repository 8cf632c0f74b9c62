"""Reports: drafted from the books, signed by another person, then they stand; what the city sends is booked."""

import json
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from chubei_allocation.reports import hourly, reports, rules
from chubei_allocation.reports.api import router
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.reports import (
    Arrival,
    Receiver,
    ReportEdit,
    ReportKind,
    ReportRequest,
    ReportStatus,
    RequestLine,
)
from chubei_shared.errors import Conflict, Forbidden, Invalid
from chubei_shared.tokens import Caller, Role
from nights import Night
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

WATER, QUILT, BED = "1020101", "1040101", "1010201"
READ = (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN)
BOTH = (Role.COMMANDER, Role.APPROVER)


def draft(world, incident, kind: ReportKind, replaces: UUID | None = None):
    return world.commander.draft_report(incident.id, ReportRequest(id=uuid4(), kind=kind, replaces=replaces))


def filled(report):
    """The draft of a request with who takes over what, where."""
    request = report.told.request.model_copy(
        update={"receiver": Receiver(place="北库", name="李四", phone="010-12345678"), "reason": "不足"}
    )
    return ReportEdit(
        revision=report.revision,
        told=report.told.model_copy(update={"request": request, "measures": "已电话报告"}),
    )


def test_a_report_says_what_the_books_say_and_then_stands(stocked):
    night = Night(stocked)
    world, incident, plan = stocked, night.incident, night.plan
    order = next(order for order in night.orders if order.stops[0].load.get(WATER))
    night.run(order)
    came = sum(stop.deliver.get(WATER, 0) for stop in order.stops)

    hourly = draft(world, incident, ReportKind.HOURLY)
    facts = hourly.facts
    assert [(street.subdistrict_id, street.people) for street in facts.streets] == [("A", 200), ("B", 100)]
    water = next(row for row in facts.items if row.item_code == WATER)
    assert (water.due, water.arrived, water.gap, water.handed_out) == (300, came, 300 - came, None)
    assert sum(row.gap for s in facts.streets for row in s.items if row.item_code == WATER) == 300 - came
    stock = {row.item_code: row for row in facts.stock}
    assert stock[WATER].used == came
    assert stock[QUILT].in_store == 400 - 300  # free of the plan's hold
    assert (facts.plan_hash, facts.exercise) == (plan.snapshot_hash, True)
    assert hourly.facts_hash == reports.digest(facts)
    assert any("not recorded" in note for note in facts.notes)
    page = world.house.http(Role.AUDITOR).get(f"/v1/reports/{hourly.id}/paper").text
    assert "演练 EXERCISE" in page
    assert "DRAFT" in page
    assert hourly.hash in page
    assert "<script" not in page

    with pytest.raises(Conflict, match="another by now"):
        world.approver.sign_report(hourly.id, "0" * 64)
    signed = world.approver.sign_report(hourly.id, hourly.hash)
    assert (signed.status, signed.signed_by) == (ReportStatus.SIGNED, "the-approver")
    assert world.approver.sign_report(hourly.id, hourly.hash) == signed
    with pytest.raises(Conflict, match="make a new version"):
        world.commander.edit_report(
            hourly.id, ReportEdit(revision=0, told=hourly.told.model_copy(update={"title": "另"}))
        )
    for change in ("told = '{}'", "facts = '{}'", "hash = ''"):
        with pytest.raises(IntegrityError, match="report_stands"):
            world.house.tx(
                lambda s, change=change: s.execute(
                    text(f"UPDATE report SET {change} WHERE id = :id"),  # noqa: S608 (this file's own text)
                    {"id": hourly.id},
                )
            )
    assert [row.number for row in world.commander.reports(incident.id)] == [hourly.number]


def test_what_the_city_sends_is_accounted_for_over_the_versions_of_the_request(stocked):
    world, incident = stocked, stocked.declare()
    for place, code, units in ((world.north, QUILT, 380), (world.south, BED, 390)):
        world.take_away(place, code, units)
    asked = draft(world, incident, ReportKind.CITY_REQUEST)
    assert {line.item_code: line.quantity for line in asked.told.request.lines} == {QUILT: 280, BED: 290}
    with pytest.raises(Invalid, match=r"receiver\.phone"):
        world.approver.sign_report(asked.id, asked.hash)
    with pytest.raises(Conflict, match="is at 0, by the-commander"):  # nobody has edited it yet
        world.commander.edit_report(asked.id, filled(asked).model_copy(update={"revision": 7}))
    edited = world.commander.edit_report(asked.id, filled(asked))
    assert (edited.revision, edited.edited_by) == (1, "the-commander")
    assert edited.hash != asked.hash
    with pytest.raises(Conflict, match="read it again"):
        world.commander.edit_report(
            asked.id, ReportEdit(revision=0, told=asked.told.model_copy(update={"title": "另"}))
        )
    wrote = world.house.as_(Role.APPROVER, Role.COMMANDER, name="the-commander")
    with pytest.raises(Forbidden, match="does not sign"):
        wrote.sign_report(asked.id, edited.hash)
    world.approver.sign_report(asked.id, edited.hash)

    def came(report, units: int, code: str = QUILT):
        body = Arrival(
            id=uuid4(), item_code=code, quantity=units, arrived_at=incident.occurred_at + timedelta(hours=5),
            place_id=world.north, sender="市库",
        )  # fmt: skip
        assert world.commander.book_arrival(report.id, body) == world.commander.book_arrival(report.id, body)

    came(asked, 200)
    with pytest.raises(Invalid, match="was not asked for"):
        came(asked, 1, WATER)
    second = draft(world, incident, ReportKind.CITY_REQUEST, replaces=asked.id)
    assert (second.number, second.version) == (asked.number, 2)
    assert second.told.request == edited.told.request  # what was asked stands until somebody changes it
    world.approver.sign_report(second.id, second.hash)
    assert world.commander.report(asked.id).status is ReportStatus.SUPERSEDED
    with pytest.raises(Conflict, match="version in force"):
        came(asked, 5)
    came(second, 30)
    account = {
        row.item_code: (row.asked, row.arrived, row.open) for row in world.commander.report(second.id).account
    }
    assert account == {QUILT: (280, 230, 50), BED: (290, 0, 290)}


def test_a_report_is_drafted_while_inventory_is_away(district):
    incident = district.declare()
    body = ReportRequest(id=uuid4(), kind=ReportKind.FIRST)
    house = district.house
    for _ in range(2):
        found = reports.draft(house.tx, house.lost_gate, incident.id, body, Caller("c", frozenset()))
    assert (found.facts.stock_at, found.facts.stock, found.facts.people) == (None, [], 300)
    assert any("inventory was away" in note for note in found.facts.notes)
    assert "应救助300人" in found.told.summary


def test_the_hourly_report_is_drafted_once_an_hour_while_the_incident_goes_on(district):
    house = district.house
    real, played = district.declare(exercise=False, hours_ago=1), district.declare()

    def sweep(minutes: int) -> int:
        return hourly.draft_due(house.tx, house.gate, real.declared_at + timedelta(minutes=minutes))

    assert [sweep(minutes) for minutes in (59, 60, 61, 119, 121, 122)] == [0, 1, 0, 0, 1, 0]
    drafts = list(district.commander.reports(real.id))
    assert {(row.kind, row.drafted_by, row.status) for row in drafts} == {("hourly", "system", "draft")}
    assert district.approver.sign_report(drafts[0].id, drafts[0].hash).signed_by == "the-approver"
    district.commander.amend(
        real.id, Amendment.model_validate({"id": uuid4(), "why": "已安置", "change": {"kind": "ended"}})
    )
    assert sweep(181) == 0
    assert list(district.commander.reports(played.id)) == []


ROUTES = {
    ("POST", "/v1/incidents/{incident}/reports"): (Role.COMMANDER,),
    ("GET", "/v1/incidents/{incident}/reports"): READ,
    ("GET", "/v1/reports/{report}"): READ,
    ("GET", "/v1/reports/{report}/paper"): READ,
    ("PUT", "/v1/reports/{report}"): BOTH,
    ("POST", "/v1/reports/{report}:sign"): (Role.APPROVER,),
    ("POST", "/v1/reports/{report}:discard"): BOTH,
    ("POST", "/v1/reports/{report}/arrivals"): (Role.CLERK, Role.COMMANDER),
}
STATES_FOR = {"PUT": {ReportStatus.DRAFT}, ":sign": {ReportStatus.DRAFT}, "/arrivals": {ReportStatus.SIGNED}}


@pytest.mark.parametrize("state", list(ReportStatus))
def test_who_may_do_what_in_which_state(district, state):
    assert set(rules.MOVES) == set(ReportStatus)
    world, incident = district, district.declare()
    asked = draft(world, incident, ReportKind.CITY_REQUEST)
    one = world.commander.edit_report(
        asked.id,
        ReportEdit(revision=0, told=filled(asked).told.model_copy(update={"request": _request(asked)})),
    )
    _bring(world, incident, one, state)
    found, wanted = {}, {}
    for (method, path), roles in ROUTES.items():
        for role in READ:
            body = _body(method, path, one, incident, f"a-{role}")
            url = path.format(incident=incident.id, report=one.id)
            answer = _undone(world, role, method, url, body)
            at = STATES_FOR.get("PUT" if method == "PUT" else path[path.rfind("}") + 1 :], set(ReportStatus))
            if path.endswith(":discard"):
                at = {ReportStatus.DRAFT, ReportStatus.DISCARDED}
            done = 201 if method == "POST" and not path.endswith((":sign", ":discard")) else 200
            key = (method, path, role)
            found[key], wanted[key] = answer, 403 if role not in roles else done if state in at else 409
    assert found == wanted
    here = {(m, p.format(incident="{id}", report="{id}")) for m, p in ROUTES}
    assert here == {(method, route.path) for route in router.routes for method in route.methods}


def _request(asked):
    return filled(asked).told.request.model_copy(
        update={"lines": [RequestLine(item_code=QUILT, quantity=10)]}
    )


def _bring(world, incident, report, state: ReportStatus) -> None:
    """A report into a state, by the verbs."""
    if state is ReportStatus.DISCARDED:
        world.commander.discard_report(report.id, "误")
    if state in (ReportStatus.SIGNED, ReportStatus.SUPERSEDED):
        world.approver.sign_report(report.id, report.hash)
    if state is ReportStatus.SUPERSEDED:
        second = draft(world, incident, report.kind, replaces=report.id)
        world.approver.sign_report(second.id, second.hash)


def _body(method, path, report, incident, name):
    if method == "GET":
        return None
    if path.endswith(":sign"):
        return {"seen": report.hash}
    if path.endswith(":discard"):
        return {"reason": "误"}
    if path.endswith("/arrivals"):
        return {
            "id": str(uuid4()), "item_code": QUILT, "quantity": 1, "place_id": "X", "sender": "市库",
            "arrived_at": incident.occurred_at.isoformat(),
        }  # fmt: skip
    if method == "PUT":
        told = report.told.model_copy(update={"title": f"改 {name}"})
        return ReportEdit(revision=report.revision, told=told).model_dump(mode="json")
    return {"id": str(uuid4()), "kind": "first"}


def _undone(world, role, method, url, body) -> int:
    """The answer; the report then stands as before."""
    keep = SimpleNamespace()

    def save(session):
        keep.rows = session.execute(text("SELECT to_jsonb(r) AS row FROM report r")).scalars().all()

    def restore(session):
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text("DELETE FROM report_arrival"))
        session.execute(text("DELETE FROM report"))
        for row in keep.rows:
            session.execute(
                text(
                    "INSERT INTO report SELECT * FROM jsonb_populate_record(NULL::report, CAST(:row AS jsonb))"
                ),
                {"row": json.dumps(row)},
            )

    world.house.tx(save)
    answer = world.house.http(role, name=f"a-{role}").request(method, url, json=body)
    world.house.tx(restore)
    return answer.status_code
