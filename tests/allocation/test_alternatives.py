"""Alternatives side by side, what-ifs that are never approved, and the difference between two plans."""

from uuid import uuid4

import pytest
from chubei_shared.contracts.alternatives import AlternativesRequest
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.plans import PlanStatus
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import Role
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.effort import EFFORT

WATER, BED = "1020101", "1010201"


def asked(stocked, *variants: dict) -> AlternativesRequest:
    body = {"id": str(uuid4()), "variants": list(variants), "now_min": 0, **EFFORT}
    return AlternativesRequest.model_validate(body)


def three(stocked) -> AlternativesRequest:
    truck = f"TRUCK-{stocked.north}"
    return asked(
        stocked,
        {"name": "只用库存", "without_call_offs": True},
        {"name": "全部资源", "policy": "total"},
        {"name": "增车", "extra_vehicles": {truck: 2}, "assume": [
            {"kind": "more_goods", "place_id": stocked.north, "item_code": WATER, "units": 100}]},
    )  # fmt: skip


def solved(stocked, body: AlternativesRequest):
    incident = stocked.declare()
    view = stocked.commander.alternatives(incident.id, body)
    for row in view.variants:
        stocked.solve(row.request_id)
    return stocked.commander.read_alternatives(view.id)


def test_three_plans_side_by_side(stocked):
    body = three(stocked)
    incident = stocked.declare()
    first = stocked.commander.alternatives(incident.id, body)
    assert [row.status for row in first.variants] == ["queued"] * 3
    assert first.en == "3 plans are not made yet"
    assert stocked.commander.alternatives(incident.id, body) == first
    for row in first.variants:
        stocked.solve(row.request_id)
    stock, all_, more = stocked.commander.read_alternatives(body.id).variants
    assert [(v.what_if, bool(v.assumptions)) for v in (stock, all_, more)] == [
        (False, False),
        (False, False),
        (True, True),
    ]
    # 200 cases of water on the shelf for 300 people; 200 more by agreement
    assert (stock.outcome.people, stock.outcome.supported, stock.outcome.call_offs) == (300, 200, [])
    assert sum(row.people - row.supported for row in stock.outcome.worst_off) == 100
    assert any(row.zh.startswith("饮用水：及时可取 200，已用 200") for row in stock.outcome.binding)
    assert (all_.outcome.supported, all_.outcome.worst_off, all_.outcome.binding) == (300, [], [])
    assert {(row.place_id, row.mode) for row in all_.outcome.call_offs} == {(stocked.supplier, Mode.CONTRACT)}
    assert sum(row.units for row in all_.outcome.call_offs) >= 100
    for row in (stock, all_, more):
        made = row.outcome
        assert made.served_by_hour[-1] == made.supported
        assert made.objective <= made.bound
        assert made.gap == pytest.approx((made.bound - made.objective) / made.bound)
        plan = stocked.commander.plan(made.plan_id)
        assert made.trips == len(plan.plan["trips"])
        assert sum(made.vehicles.values()) == len({trip["vehicle"] for trip in plan.plan["trips"]})
        assert plan.what_if == row.what_if
    assert stocked.commander.read_alternatives(body.id).zh.startswith(
        ("「全部资源」救助最多", "「增车」救助最多")
    )
    assert [view.id for view in stocked.commander.alternatives_of(incident.id)] == [body.id]


def test_a_what_if_touches_nothing_and_is_never_approved(stocked):
    network = stocked.commander.network()
    on_hand = stocked.on_hand(stocked.north)
    what_if = solved(stocked, three(stocked)).variants[2].outcome
    assert stocked.commander.network() == network
    assert stocked.on_hand(stocked.north) == on_hand
    plan = stocked.commander.plan(what_if.plan_id)
    assert [words.en for words in plan.assumptions] == [
        f"2 more vehicles TRUCK-{stocked.north}",
        f"100 more of {WATER} at {stocked.north}",
    ]
    assert [row["kind"] for row in plan.scenario["assumed"]] == ["more_vehicles", "more_goods"]
    with pytest.raises(Conflict, match="assumes what is not there"):
        stocked.approver.approve(plan.id)
    with pytest.raises(IntegrityError, match="plan_what_if_check"):
        stocked.house.tx(
            lambda session: session.execute(
                text(
                    "UPDATE plan SET status = 'approving', hold_id = gen_random_uuid(), decided_by = 'x' WHERE id = :id"
                ),
                {"id": plan.id},
            )
        )
    assert stocked.approver.refuse(plan.id, "仅供参考").status is PlanStatus.REFUSED


def test_a_variant_that_only_leaves_something_out_can_be_approved(stocked):
    stock = solved(stocked, three(stocked)).variants[0].outcome
    assert stocked.approver.approve(stock.plan_id).status is PlanStatus.APPROVED


def test_a_plan_request_may_assume_too(stocked):
    incident = stocked.declare()
    assume = [{"kind": "lost_site", "place_id": stocked.south}]
    request_id = stocked.request(incident, assume=assume)
    stocked.solve(request_id)
    request = stocked.commander.plan_request(request_id)
    assert request.what_if
    plan = stocked.commander.plan(request.plan_id)
    assert (plan.what_if, plan.settled) == (True, 0)  # all beds lie in the south
    loads = {visit["node"] for trip in plan.plan["trips"] for visit in trip["visits"] if "load" in visit}
    assert stocked.south not in loads


def test_bad_alternatives_name_the_field_and_keep_nothing(stocked):
    incident = stocked.declare()
    unknown = asked(stocked, {"name": "a"}, {"name": "b", "extra_vehicles": {"NO-SUCH": 1}})
    with pytest.raises(Invalid, match=r"variants\[1\] \(b\): assume\[0\].type: there is no NO-SUCH"):
        stocked.commander.alternatives(incident.id, unknown)
    assert list(stocked.commander.alternatives_of(incident.id)) == []
    assert list(stocked.commander.plan_requests(incident.id)) == []
    with pytest.raises(NotFound):
        stocked.commander.alternatives(uuid4(), three(stocked))
    with pytest.raises(NotFound):
        stocked.commander.read_alternatives(uuid4())
    with pytest.raises(Forbidden):
        stocked.approver.alternatives(incident.id, three(stocked))
    body = three(stocked)
    stocked.commander.alternatives(incident.id, body)
    with pytest.raises(Conflict, match="of other alternatives"):
        stocked.commander.alternatives(incident.id, body.model_copy(update={"seed": 7}))
    http = stocked.house.http(Role.COMMANDER)
    for variants, told in (
        ([{"name": "a"}], "at least 2"),
        ([{"name": "a"}, {"name": "a", "policy": "total"}], "one name twice"),
        ([{"name": "a"}, {"name": "b"}], "the same but for the name"),
        ([{"name": "a"}, {"name": "b", "assume": [{"kind": "magic"}]}], "magic"),
    ):
        sent = {"id": str(uuid4()), "variants": variants}
        answer = http.post(f"/v1/incidents/{incident.id}/alternatives", json=sent)
        assert answer.status_code == 422
        assert told in answer.text


def test_the_difference_of_two_plans_in_words_and_rows(stocked):
    stock, all_, _ = (row.outcome for row in solved(stocked, three(stocked)).variants)
    more = stocked.commander.difference(all_.plan_id, stock.plan_id)
    assert (more.supported_from, more.supported_to) == (200, 300)
    assert sum(row.supported_to - row.supported_from for row in more.points) == 100
    assert "多救助 100 人,为 300/300" in more.zh
    assert "supports 100 people more, 300 of 300" in more.en
    taken = sum(row.units for row in all_.call_offs)
    (call_off,) = more.call_offs
    assert (call_off.place_id, call_off.units_from, call_off.units_to) == (stocked.supplier, 0, taken)
    assert f"({'contract'}) +{taken}" in more.en
    back = stocked.commander.difference(stock.plan_id, all_.plan_id)
    assert "少救助 100 人" in back.zh
    there = [(row.item_code, row.units_from, row.units_to) for row in more.items]
    assert sorted((row.item_code, row.units_to, row.units_from) for row in back.items) == sorted(there)
    trips = len(stocked.commander.plan(all_.plan_id).plan["trips"])
    assert more.trips.kept + more.trips.changed + more.trips.new == trips
    same = stocked.commander.difference(all_.plan_id, all_.plan_id)
    assert (same.points, same.items, same.call_offs) == ([], [], [])
    assert same.trips.kept == trips
    assert same.en == (
        "Compared with the plan before: supports as many people, 300 of 300; settles as many people, "
        f"{all_.settled} of 300; the mean wait is the same; it calls off the same; "
        f"trips: {trips} as they were, 0 changed, 0 new, 0 dropped."
    )


def test_plans_of_two_incidents_are_not_compared(stocked):
    one, other = stocked.proposed(), stocked.proposed()
    with pytest.raises(Invalid, match="of another incident"):
        stocked.commander.difference(one.id, other.id)
    with pytest.raises(NotFound):
        stocked.commander.difference(one.id, uuid4())
