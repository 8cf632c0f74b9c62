"""At a shelter: received, handed out by list, more asked for, given back; by whom, once, and the books balance."""

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest
from chubei_allocation import sweeping
from chubei_allocation.api_parameters import READERS
from chubei_allocation.plans import plans
from chubei_allocation.shelters import recipients, records, rules
from chubei_allocation.shelters.api import router
from chubei_shared.contracts.amendments import Amendment
from chubei_shared.contracts.authority import Authority
from chubei_shared.contracts.base import Mode
from chubei_shared.contracts.keeper_client import KeeperClient
from chubei_shared.contracts.plans import PlanRequest
from chubei_shared.contracts.posts import Post
from chubei_shared.contracts.shelters import AskForMore, GivenBack, HandOut, KeeperStep, RecordState
from chubei_shared.errors import Conflict, Invalid, NotFound, Unavailable
from chubei_shared.tokens import Caller, Role
from goods import INVENTED, item
from nights import ARRIVED, RECEIVED, Night
from sqlalchemy import text

from tests.effort import EFFORT

WATER, LAMP = "1020101", "1060301"
PEOPLE = (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN)
HANDS = (Role.CLERK, Role.COMMANDER)
AT = "/v1/incidents/{incident}/shelters/{shelter}"
ROUTES = {
    ("GET", AT + "/deliveries"): HANDS,
    ("POST", AT + "/steps"): HANDS,
    ("POST", AT + "/hand-outs"): HANDS,
    ("POST", AT + "/requests"): HANDS,
    ("POST", AT + "/requests/{record}:answer"): (Role.COMMANDER,),
    ("POST", AT + "/returns"): HANDS,
    ("GET", AT + "/records"): READERS,
    ("GET", "/v1/incidents/{incident}/shelter-records"): READERS,
}


def now() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


def listed(*rows, **more) -> HandOut:
    return HandOut.model_validate({"id": uuid4(), "occurred_at": now(), "rows": rows, **more})


def got(units: int, code: str = WATER, **more) -> dict:
    return {"lines": [{"item_code": code, "units": units}], **more}


@pytest.fixture
def open_shelter(stocked):
    """An incident with people, water and lamps at its first shelter; who keeps it."""
    incident = stocked.declare(exercise=False, hours_ago=3)
    shelter = stocked.shelters[0]
    lamp = item(LAMP, "提灯", "lamps", 500).model_copy(update={"returnable": True})
    stocked.books.put_item(lamp)
    stocked.receive(shelter, {WATER: 40, LAMP: 10})
    return stocked, incident, shelter, KeeperClient(stocked.house.http(Role.CLERK, name="keeper"))


def test_handed_out_by_list_masked_and_forgotten_in_time(open_shelter):
    world, incident, shelter, keeper = open_shelter
    zhang = {"name": "张小明", "id_no": "110102199001011234", "phone": "13812345678", "household": "3-201"}
    body = listed(got(3, **zhang, people=3, signed=True), got(12, people=12), note="早餐")
    shown = keeper.hand_out(incident.id, shelter, body)
    assert keeper.hand_out(incident.id, shelter, body) == shown
    assert (shown.state, shown.people, shown.units) == (RecordState.DONE, 15, {WATER: 15})
    assert world.on_hand(shelter)[WATER] == 25
    first, count = shown.recipients
    assert (first.name, first.id_no, first.phone, first.before) == ("张*明", "****234", "****678", 0)
    assert (count.name, count.people, count.before) == ("", 12, 0)
    again = keeper.hand_out(incident.id, shelter, listed(got(1, **zhang)))
    assert again.recipients[0].before == 1
    with pytest.raises(Conflict, match="mint a new one"):
        keeper.hand_out(incident.id, shelter, body.model_copy(update={"note": "晚餐"}))
    with pytest.raises(Conflict, match="under a new id"):  # the books have fewer
        keeper.hand_out(incident.id, shelter, listed(got(400, people=400)))
    with pytest.raises(NotFound):
        keeper.hand_out(incident.id, "NOWHERE", listed(got(1)))
    with pytest.raises(Invalid, match=r"lines\.0\.quantity"):
        keeper.hand_out(incident.id, shelter, listed(got(10**9), got(10**9)))
    with pytest.raises(Invalid, match="future"):
        keeper.hand_out(incident.id, shelter, listed(got(1), occurred_at=now() + timedelta(hours=1)))
    everything = text("SELECT r::text, s::text FROM hand_out_recipient r, shelter_record s")
    dump = str(world.house.tx(lambda s: s.execute(everything).all()))
    assert "张*明" in dump
    assert not any(told in dump for told in ("张小明", "110102199001011234", "13812345678"))
    point = next(p for p in world.commander.progress(incident.id).points if p.shelter_id == shelter)
    assert point.handed_out == 16
    assert world.house.tx(recipients.forget) == 0
    over = text("UPDATE hand_out_recipient SET kept_until = now() WHERE kept_until IS NOT NULL")
    world.house.tx(lambda s: s.execute(over))
    assert world.house.tx(recipients.forget) == 2
    kept = [r for row in keeper.shelter_records(incident.id, shelter).rows for r in row.recipients]
    assert {(r.name, r.id_no, r.phone, r.household) for r in kept} == {("", "", "", "")}
    assert sorted(r.people for r in kept if r.lines[0].units < 400) == [1, 3, 12]


def test_what_was_lent_comes_back_and_what_was_not_needed_goes_to_a_store(open_shelter):
    world, incident, shelter, keeper = open_shelter
    keeper.hand_out(incident.id, shelter, listed(got(8, LAMP, people=8)))

    def back(**more) -> GivenBack:
        return GivenBack.model_validate({"id": uuid4(), "occurred_at": now(), **more})

    lamps = back(of="people", lines=[{"item_code": LAMP, "good": 5, "repair": 1, "lost": 1}])
    shown = keeper.give_back(incident.id, shelter, lamps)
    assert keeper.give_back(incident.id, shelter, lamps) == shown
    assert world.on_hand(shelter)[LAMP] == 2 + 5
    with pytest.raises(Conflict, match="only 1 are out"):
        keeper.give_back(incident.id, shelter, back(of="people", lines=[{"item_code": LAMP, "good": 2}]))
    with pytest.raises(Invalid, match="to_place_id is from_place_id"):  # it is there
        keeper.give_back(
            incident.id,
            shelter,
            back(of="unused", to_place_id=shelter, lines=[{"item_code": WATER, "good": 1}]),
        )
    unused = back(of="unused", to_place_id=world.north, lines=[{"item_code": WATER, "good": 40}])
    assert keeper.give_back(incident.id, shelter, unused).state is RecordState.DONE
    assert not world.on_hand(shelter).get(WATER)
    kinds = [m.kind for m in world.books.movements(place_id=shelter).rows]
    assert kinds[-3:] == ["issue", "return", "send"]
    assert world.books.books().faults == []


def test_a_shelter_asks_for_more_and_is_answered(open_shelter):
    world, incident, shelter, keeper = open_shelter
    asked = AskForMore.model_validate(
        {
            "id": uuid4(),
            "occurred_at": now(),
            "reason": "新到一车老人",
            "lines": [{"item_code": WATER, "units": 40}],
        }
    )
    shown = keeper.ask_for_more(incident.id, shelter, asked)
    assert keeper.ask_for_more(incident.id, shelter, asked) == shown
    assert (shown.state, shown.units, shown.text) == (RecordState.ASKED, {WATER: 40}, "新到一车老人")
    commander = KeeperClient(world.house.http(Role.COMMANDER, name="the-commander"))
    answered = commander.answer_request(shown, "第 7 车带到")
    assert commander.answer_request(shown, "第 7 车带到") == answered
    assert (answered.state, answered.replied_by) == (RecordState.ANSWERED, "the-commander")
    with pytest.raises(Conflict, match="can not become"):
        commander.answer_request(shown, "不行")
    assert world.books.movements(place_id=shelter).rows[-1].kind == "receive"  # nothing moved


def test_what_is_accepted_is_in_the_next_plan_and_what_is_not_says_why(open_shelter):
    world, incident, shelter, keeper = open_shelter
    commander = KeeperClient(world.house.http(Role.COMMANDER, name="the-commander"))

    def ask(units, code=WATER):
        lines = [{"item_code": code, "units": units}]
        told = {"id": uuid4(), "occurred_at": now(), "reason": "又来了人", "lines": lines}
        return keeper.ask_for_more(incident.id, shelter, AskForMore.model_validate(told))

    first, lamps, third, fourth = ask(40), ask(6, LAMP), ask(1_000), ask(5)
    fewer = {"decision": "accept", "lines": [{"item_code": WATER, "units": 30}]}
    shown = commander.answer_request(first, "先给三十箱", **fewer)
    assert commander.answer_request(first, "先给三十箱", **fewer) == shown
    assert (shown.state, shown.granted) == (RecordState.ACCEPTED, {WATER: 30})
    with pytest.raises(Conflict, match="can not become"):
        commander.answer_request(first, "全给", decision="accept")
    commander.answer_request(lamps, "同意", decision="accept")
    declined = commander.answer_request(third, "邻近安置点有余", decision="decline")
    own = {
        row.id: (row.state, row.granted, row.reply)
        for row in keeper.shelter_records(incident.id, shelter).rows
    }
    assert own[declined.id] == (RecordState.DECLINED, {}, "邻近安置点有余")
    assert own[first.id] == (RecordState.ACCEPTED, {WATER: 30}, "先给三十箱")
    stands = commander.incident(incident.id)
    assert {(g.shelter_id, g.item_code, g.units) for g in stands.granted} == {
        (shelter, WATER, 30),
        (shelter, LAMP, 6),
    }
    assert [a.change.request_id for a in stands.amendments] == [first.id, lamps.id]

    def amend(why, **change):
        return commander.amend(
            incident.id, Amendment.model_validate({"id": uuid4(), "why": why, "change": change})
        )

    def back(units):
        return amend("不再需要", kind="more_granted", shelter_id=shelter, units={LAMP: units})

    with pytest.raises(Invalid, match="than the 6 that were granted"):
        back(-7)
    assert [g.item_code for g in back(-6).granted] == [WATER]
    request = commander.request_plan(PlanRequest(id=uuid4(), incident_id=incident.id, **EFFORT)).id
    world.solve(request)
    plan = commander.plan(commander.plan_request(request).plan_id)
    scenario = world.house.tx(lambda s: plans.scenario(s, plans.get(s, plan.id)))
    point = next(p for p in scenario["points"] if p["id"] == shelter)
    kit = next(k for k in scenario["kits"] if k["id"] == point["kit"])
    water = next(need["per_person"] for need in kit["needs"] if need["item"] == WATER)
    assert water * point["people"] == pytest.approx(point["people"] + 30)
    amend("结束", kind="ended")
    with pytest.raises(Conflict, match="reopen it first"):
        commander.answer_request(fourth, "同意", decision="accept")
    assert commander.answer_request(fourth, "已结束", decision="decline").state is RecordState.DECLINED


def test_who_has_the_dispatch_in_hand_hears_of_a_request(open_shelter):
    world, incident, shelter, keeper = open_shelter
    admin = world.house.as_(Role.ADMIN)
    post = {"id": "DESK", "name_zh": "调度岗", "name_en": "desk", "holder": "li", "tier": "top"}
    admin.put_post(Post.model_validate(post | {"provenance": INVENTED}))
    top = {"id": "top", "name_zh": "最高", "name_en": "top", "modes": [*Mode], "cross_store": True}
    top["requisition"] = True
    admin.put_authority(Authority.model_validate({"tiers": [top], "provenance": INVENTED}))
    asked = AskForMore.model_validate(
        {"id": uuid4(), "occurred_at": now(), "reason": "缺水", "lines": [{"item_code": WATER, "units": 4}]}
    )
    shown = keeper.ask_for_more(incident.id, shelter, asked)
    mine = world.house.as_(Role.COMMANDER, name="li")
    (notice,) = mine.notices()
    assert "缺水" in notice.zh
    assert notice.acknowledged_at is None
    KeeperClient(world.house.http(Role.COMMANDER, name="wang")).answer_request(shown, "已派")
    assert next(iter(mine.notices())).acknowledged_by == "wang"


def test_a_keeper_receives_with_short_and_damaged(stocked):
    night = Night(stocked)
    order = night.orders[0]
    night.load(order)
    stop = next(s for s in order.stops if s.deliver)
    keeper = KeeperClient(stocked.house.http(Role.CLERK, name="keeper"))
    coming = {(d.order_id, d.stop): d for d in keeper.deliveries(night.incident.id, stop.place_id).rows}
    delivery = coming[order.id, stop.stop]
    assert (delivery.goods, delivery.next, delivery.received) == (stop.deliver, [ARRIVED], False)
    assert delivery.code in {c.code for c in stocked.commander.order_codes(order.id).receive}

    def step(kind, **more):
        told = night.body(stop.stop, kind, stop.end_min, **more).model_dump(mode="json")
        return KeeperStep.model_validate(told | {"order_id": str(more.get("of", order.id))})

    elsewhere = next(shelter for shelter in stocked.shelters if shelter != stop.place_id)
    with pytest.raises(NotFound, match="is not"):
        keeper.keeper_step(night.incident.id, elsewhere, step(ARRIVED))
    keeper.keeper_step(night.incident.id, stop.place_id, step(ARRIVED))
    code, units = sorted(stop.deliver.items())[0]
    lines = [{"item_code": c, "received": u} for c, u in stop.deliver.items() if c != code]
    lines.append({"item_code": code, "received": units - 3, "damaged": 2, "short": 1})
    receipt = step(RECEIVED, lines=lines, code=delivery.code, signed_by="李园长")
    shown = keeper.keeper_step(night.incident.id, stop.place_id, receipt)
    assert keeper.keeper_step(night.incident.id, stop.place_id, receipt) == shown
    assert shown.steps[-1].proofs == ["name", "code"]
    assert stocked.on_hand(stop.place_id)[code] == units - 3


def test_a_keeper_is_told_what_people_give_back(stocked):
    known = next(one for one in stocked.books.items().rows if one.code == WATER)
    stocked.books.put_item(known.model_copy(update={"returnable": True}), "*")
    night = Night(stocked)
    stop = next(s for s in night.orders[0].stops if s.deliver)
    keeper = KeeperClient(stocked.house.http(Role.CLERK, name="keeper"))
    items = keeper.deliveries(night.incident.id, stop.place_id).items
    assert [one.item_code for one in items if one.returnable] == [WATER]
    assert len(items) > 1


def test_a_list_that_was_cut_off_is_finished_by_the_sweeper(open_shelter):
    world, incident, shelter, _ = open_shelter
    house = world.house
    body = listed(got(5, people=5))
    caller = Caller("keeper", frozenset({Role.CLERK}))
    cut = records.Keeper(house.tx, house.lost_gate, house.app.state.privacy, caller, (incident.id, shelter))
    with pytest.raises(Unavailable, match="finished by itself"):
        cut.hand_out(body)
    assert world.on_hand(shelter)[WATER] == 40
    house.tx(
        lambda s: s.execute(text("UPDATE shelter_record SET recorded_at = recorded_at - interval '1 minute'"))
    )
    for _ in range(2):
        sweeping.sweep(house.tx, house.gate)
    assert house.tx(records.show, body.id).state is RecordState.DONE
    assert world.on_hand(shelter)[WATER] == 35


def test_every_move_of_a_record_is_allowed_or_refused_by_its_table(open_shelter):
    world, incident, shelter, keeper = open_shelter
    shown = keeper.hand_out(incident.id, shelter, listed(got(1)))
    for state, to in product(RecordState, RecordState):

        def move(session, state=state, to=to):
            row = records.get(session, shown.id)
            row.state = state.value
            records.become(row, to)
            session.rollback()

        if to in rules.MOVES[state]:
            world.house.tx(move)
        else:
            with pytest.raises(Conflict, match=f"is {state} and can not become {to}"):
                world.house.tx(move)
    assert set(rules.MOVES) == set(RecordState)


def test_who_may_do_what_at_a_shelter_before_and_after_the_end(open_shelter):
    world, incident, shelter, _ = open_shelter
    http = {role: world.house.http(role) for role in PEOPLE}
    for ended in (False, True):
        if ended:
            told = {"id": str(uuid4()), "why": "结束", "change": {"kind": "ended"}}
            done = http[Role.COMMANDER].post(f"/v1/incidents/{incident.id}/amendments", json=told)
            assert done.status_code == 201, done.text
        found, due = {}, {}
        for (method, path), roles in ROUTES.items():
            for role in PEOPLE:
                record = uuid4()
                body = {
                    "steps": {"order_id": str(uuid4()), "stop": 0, "step": "arrived"},
                    "hand-outs": {"rows": [got(1)]},
                    "requests": {"lines": [{"item_code": WATER, "units": 1}], "reason": "缺"},
                    "returns": {"of": "unused", "to_place_id": world.north, "lines": [{"item_code": WATER, "good": 1}]},
                    "answer": {"reply": "好"},
                }[path.replace(":", "/").rsplit("/", 1)[-1]] if method == "POST" else None  # fmt: skip
                if body and "reply" not in body:
                    body |= {"id": str(uuid4()), "occurred_at": now().isoformat()}
                url = path.format(incident=incident.id, shelter=shelter, record=record)
                found[path, role] = http[role].request(method, url, json=body).status_code
                right = 200 if method == "GET" else 404 if path.endswith(("/steps", ":answer")) else 201
                if ended and path.endswith("/requests"):
                    right = 409
                due[path, role] = right if role in roles else 403
        assert found == due


def test_no_route_of_shelters_is_missing_here():
    names = {"incident": "{id}", "shelter": "{shelter_id}", "record": "{record_id}"}
    here = {(m, p.format(**names)) for m, p in ROUTES}
    assert here == {(method, route.path) for route in router.routes for method in route.methods}
