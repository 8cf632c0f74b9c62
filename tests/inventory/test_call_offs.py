"""Call-offs: what is ordered is held, what is not confirmed in time counts no more, and no step is taken twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory import tasks
from chubei_inventory.call_offs.rules import MOVES, OPEN, price_allows
from chubei_shared.contracts.call_offs import CallOff, CallOffState, CallOffStep
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.reserves import Agreement, Commitment, PriceRule
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound, Shortage
from chubei_shared.tokens import Role
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

S = CallOffState


class Supplier:
    """A verified agreement for 100 units, ready two hours after the call."""

    def __init__(self, yard: Any, **changes: Any) -> None:
        self.yard = yard
        today = yard.today()
        self.place = yard.place(PlaceKind.SUPPLIER)
        self.record = Agreement(
            id=f"agr-{uuid4().hex[:8]}", mode="contract", place_id=self.place, item_code=yard.item, party="甲公司",
            quantity=100, lead_min=120, unit_price_fen=250, valid_from=today - timedelta(days=9),
            valid_until=today + timedelta(days=300), last_verified_on=today - timedelta(days=2),
            provenance=yard.invented, **changes,
        )  # fmt: skip
        yard.admin.put_reserve(self.record)

    def order(self, quantity: int, minutes_ago: int = 0, **more: Any) -> CallOff:
        ordered_at = self.yard.now() - timedelta(minutes=minutes_ago)
        return CallOff(
            id=uuid4(), reserve_id=self.record.id, quantity=quantity, ordered_at=ordered_at, **more
        )

    def ordered(self, quantity: int, minutes_ago: int = 0, **more: Any) -> UUID:
        return self.yard.admin.call_off(self.order(quantity, minutes_ago, **more)).id

    def step(self, call_off_id: UUID, state: str, minutes_ago: int = 0, **more: Any) -> Any:
        happened_at = self.yard.now() - timedelta(minutes=minutes_ago)
        body = CallOffStep(id=uuid4(), state=state, happened_at=happened_at, **more)
        return self.yard.admin.call_off_step(call_off_id, body)

    def hold(self, quantity: int) -> UUID:
        line = self.yard.line(quantity, place_id=self.place, mode="contract")
        return self.yard.service.hold(self.yard.request(line)).id

    def view(self) -> Any:
        return self.yard.admin.reserve(self.record.id)

    def planned(self, *releasing: UUID) -> int:
        """What the planner's snapshot counts of it."""
        supply = self.yard.service.snapshot(release_holds=releasing).supply
        return sum(row.quantity for row in supply if self.record.id in row.from_ids)


@pytest.fixture
def supplier(yard: Any) -> Supplier:
    return Supplier(yard)


def test_from_the_order_to_the_collection(yard, supplier):
    call_off_id = supplier.ordered(60)
    assert (supplier.view().held, supplier.planned()) == (60, 40)
    ready_at = yard.now() + timedelta(hours=1)
    confirmed = supplier.step(call_off_id, "confirmed", ready_at=ready_at, told_by="值班室")
    assert (confirmed.state, confirmed.counted, confirmed.due_at) == (S.CONFIRMED, 60, ready_at)
    supplier.step(call_off_id, "ready")
    done = supplier.step(call_off_id, "collected")
    assert [step.state for step in done.steps] == [S.ORDERED, S.CONFIRMED, S.READY, S.COLLECTED]
    assert {step.recorded_by for step in done.steps} == {"a-admin"}
    assert (done.amount_fen, done.may_become) == (15_000, [])
    left = supplier.view()
    assert (left.held, left.used, left.available) == (0, 60, 40)
    movement = yard.admin.movement(done.steps[-1].id)
    assert movement.recorded_by == "a-admin"
    assert [(e.place_id, e.quantity) for e in movement.entries] == [
        ("outside:contract", -60), ("outside:issued", 60)
    ]  # fmt: skip
    assert yard.books_balance()


def test_what_is_not_confirmed_in_time_counts_no_more_and_late_it_counts_again(supplier):
    call_off_id = supplier.ordered(60, minutes_ago=31)
    view = supplier.yard.admin.get_call_off(call_off_id)
    assert (view.state, view.overdue, view.counted) == (S.ORDERED, True, 0)
    assert supplier.planned() == 40
    assert supplier.planned(call_off_id) == 40, "a replan that releases its hold does not get them either"
    assert supplier.step(call_off_id, "confirmed").counted == 60
    assert supplier.planned(call_off_id) == 100


def test_what_is_not_confirmed_in_time_is_told_once(supplier, engine, settings):
    late, again = (supplier.ordered(10, minutes_ago=31) for _ in range(2))
    supplier.step(again, "confirmed")  # late, but there
    waiting = supplier.ordered(10, minutes_ago=29)
    for _ in range(2):
        tasks.make_celery(settings).tasks[tasks.OVERDUE_CALL_OFFS].run()
    asked = text("SELECT body FROM outbox WHERE topic = 'call_off.overdue' AND body->>'reserve_id' = :id")
    with engine.connect() as connection:
        told = connection.scalars(asked, {"id": supplier.record.id}).all()
    assert [(body["call_off_id"], body["ordered"]) for body in told] == [(str(late), 10)]
    assert told[0]["purpose"] == f"call-off:{late}"
    assert str(waiting) not in str(told)


def test_a_plans_units_leave_a_replan_when_they_are_not_confirmed(yard, supplier):
    hold_id = supplier.hold(60)
    call_off_id = supplier.ordered(50, minutes_ago=29, hold_id=hold_id)
    assert supplier.planned(hold_id) == 100
    late = supplier.ordered(10, minutes_ago=45, hold_id=hold_id)
    assert supplier.planned(hold_id) == 90
    supplier.step(call_off_id, "confirmed", quantity=30)
    assert supplier.planned(hold_id) == 70
    assert supplier.planned() == 40
    yard.service.release(hold_id)
    assert (supplier.planned(), supplier.view().available) == (70, 70)
    assert supplier.view().basis.lost == 30
    with pytest.raises(Shortage):
        supplier.hold(71)
    supplier.step(late, "withdrawn")
    assert supplier.planned() == 80
    assert yard.books_balance()


def test_a_hold_is_called_off_once(supplier):
    hold_id = supplier.hold(60)
    supplier.ordered(50, hold_id=hold_id)
    with pytest.raises(Conflict) as refused:
        supplier.ordered(11, hold_id=hold_id)
    assert refused.value.more["left"] == 10
    supplier.ordered(10, hold_id=hold_id)
    with pytest.raises(NotFound):
        supplier.ordered(1, hold_id=uuid4())


def test_a_plans_call_off_is_collected_when_its_order_has_loaded(yard, supplier):
    hold_id = supplier.hold(60)
    call_off_id = supplier.ordered(60, hold_id=hold_id)
    supplier.step(call_off_id, "confirmed")
    supplier.step(call_off_id, "ready")
    with pytest.raises(Conflict, match="loaded 0"):
        supplier.step(call_off_id, "collected")
    line = {"mode": "contract"}
    yard.service.record(yard.issue(45, place_id=supplier.place, hold_id=hold_id, order_id=uuid4(), line=line))
    with pytest.raises(Conflict, match="loaded 45"):
        supplier.step(call_off_id, "collected")
    assert supplier.step(call_off_id, "collected", quantity=45).counted == 45


def test_a_failure_counts_against_the_supplier(supplier):
    call_off_id = supplier.ordered(60)
    supplier.step(call_off_id, "failed", note="无货")
    view = supplier.view()
    assert (view.held, view.available, view.firm, view.basis.rule) == (0, 100, 0, "measured")
    assert "0/60" in view.basis.en
    assert supplier.planned() == 0


def test_a_short_and_late_collection_lowers_what_counts(supplier):
    call_off_id = supplier.ordered(50, minutes_ago=180)
    supplier.step(call_off_id, "confirmed", minutes_ago=170)
    supplier.step(call_off_id, "ready", minutes_ago=30)
    supplier.step(call_off_id, "collected", minutes_ago=5, quantity=40)
    basis = supplier.view().basis
    assert (basis.firm, basis.used, basis.delay_min) == (80, 40, 30)
    row = supplier.yard.admin.supply(place_id=supplier.place).rows[0]
    assert (row.quantity, row.ready_min, row.basis) == (40, 150, basis)


def test_ours_to_withdraw_is_not_held_against_them(supplier):
    supplier.step(supplier.ordered(60), "withdrawn")
    assert (supplier.view().held, supplier.view().firm) == (0, 100)


def test_more_than_the_reserve_has_is_refused(supplier):
    with pytest.raises(Shortage):
        supplier.ordered(101)
    assert supplier.view().held == 0


def test_the_same_request_again_is_the_same_answer(supplier, sign_in):
    http = sign_in(Role.COMMANDER)
    body = supplier.order(60).model_dump(mode="json")
    first, second = (http.post("/v1/call-offs", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert http.post("/v1/call-offs", json=body | {"quantity": 61}).status_code == 409
    url = f"/v1/call-offs/{body['id']}/steps"
    step = {"id": str(uuid4()), "state": "confirmed", "happened_at": body["ordered_at"], "quantity": 50}
    first, second = (http.post(url, json=step) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert len(second.json()["steps"]) == 2
    assert http.post(url, json=step | {"quantity": 49}).status_code == 409


def test_a_step_counts_no_more_than_the_one_before(supplier):
    call_off_id = supplier.ordered(60)
    supplier.step(call_off_id, "confirmed", quantity=50)
    with pytest.raises(Invalid, match="more than the 50"):
        supplier.step(call_off_id, "confirmed", quantity=51)
    with pytest.raises(ValueError, match="have no quantity"):
        supplier.step(call_off_id, "failed", quantity=3)


@pytest.mark.parametrize(
    ("rule", "amount_fen", "right"),
    [("fixed", 15_000, True), ("fixed", 14_999, False), ("capped", 14_999, True), ("capped", 15_001, False),
     ("market", 99_999, True)],
)  # fmt: skip
def test_the_price_rule_is_kept(yard, rule, amount_fen, right):
    supplier = Supplier(yard, price_rule=rule)
    call_off_id = supplier.ordered(60)
    if right:
        assert supplier.step(call_off_id, "confirmed", amount_fen=amount_fen).amount_fen == amount_fen
    else:
        with pytest.raises(Invalid, match="amount_fen") as refused:
            supplier.step(call_off_id, "confirmed", amount_fen=amount_fen)
        assert rule not in refused.value.detail, "in Chinese words"


@given(st.sampled_from(PriceRule), st.integers(0, 10**9), st.integers(0, 10**9))
def test_nobody_pays_more_than_a_fixed_or_capped_price(rule, agreed_fen, asked_fen):
    if price_allows(rule, agreed_fen, asked_fen):
        assert rule is PriceRule.MARKET or asked_fen <= agreed_fen
    assert price_allows(rule, agreed_fen, agreed_fen)


def test_the_table_of_moves_ends():
    assert set(MOVES) == set(S)
    assert {s for s in S if not MOVES[s]} == {S.COLLECTED, S.FAILED, S.WITHDRAWN} == set(S) - OPEN


@pytest.mark.parametrize("state", S)
def test_the_api_takes_just_the_moves_of_the_table(supplier, state):
    """From each state, every other: a step is taken where the table has it, and refused where it has not."""
    way = {S.ORDERED: [], S.CONFIRMED: [S.CONFIRMED], S.READY: [S.CONFIRMED, S.READY], S.FAILED: [S.FAILED],
           S.COLLECTED: [S.CONFIRMED, S.READY, S.COLLECTED], S.WITHDRAWN: [S.WITHDRAWN]}  # fmt: skip
    for following in set(S) - {S.ORDERED}:
        call_off_id = supplier.ordered(5)
        for before in way[state]:
            supplier.step(call_off_id, before)
        if following in MOVES[state]:
            assert supplier.step(call_off_id, following).state is following
        else:
            with pytest.raises(Conflict) as refused:
                supplier.step(call_off_id, following)
            assert refused.value.more["may_become"] == sorted(MOVES[state])


def test_a_step_written_past_the_api_follows_the_table_too(supplier, engine):
    call_off_id = supplier.ordered(60)
    insert = text(
        "INSERT INTO call_off_step (id, body_hash, call_off_id, seq, state, happened_at, recorded_by, quantity, "
        "amount_fen, note) VALUES (gen_random_uuid(), '', :id, :seq, :state, now(), 'x', :quantity, 0, '')"
    )
    for state in S:
        quantity = 0 if state in (S.FAILED, S.WITHDRAWN) else 60
        with engine.connect() as connection:
            row = {"id": call_off_id, "seq": 2, "state": state, "quantity": quantity}
            if state in MOVES[S.ORDERED]:
                connection.execute(insert, row)
            else:
                with pytest.raises(DBAPIError):
                    connection.execute(insert, row)
            connection.rollback()


@pytest.mark.parametrize("table", ["call_off", "call_off_step", "verification"])
def test_history_is_never_edited(engine, table):
    for statement in ("DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET id = id"):
        with engine.connect() as connection, pytest.raises(DBAPIError, match="is refused, a c"):
            connection.execute(text(statement.format(table)))


def test_call_offs_are_listed_by_reserve_hold_and_state(yard, supplier):
    ids = [supplier.ordered(10, minutes_ago=n) for n in (1, 2, 3)]
    supplier.step(ids[1], "confirmed")
    assert [c.id for c in yard.pages(yard.admin.call_offs, reserve_id=supplier.record.id)] == ids
    ordered = yard.pages(yard.admin.call_offs, reserve_id=supplier.record.id, state="ordered")
    assert [c.id for c in ordered] == [ids[0], ids[2]]
    assert [c.id for c in yard.admin.call_offs(hold_id=ids[2]).rows] == [ids[2]]


def test_who_may_order_and_who_may_tell(yard, supplier, sign_in):
    body = supplier.order(10)
    for role in (Role.CLERK, Role.APPROVER, Role.AUDITOR):
        answer = sign_in(role, supplier.place).post("/v1/call-offs", json=body.model_dump(mode="json"))
        assert answer.status_code == Forbidden.status
    supplier.yard.admin.call_off(body)
    step = {"id": str(uuid4()), "state": "confirmed", "happened_at": yard.now().isoformat()}
    url = f"/v1/call-offs/{body.id}/steps"
    assert sign_in(Role.AUDITOR).post(url, json=step).status_code == Forbidden.status
    assert sign_in(Role.CLERK, supplier.place).post(url, json=step).status_code == 201


def test_ten_at_once_call_off_a_hold_once(supplier, sign_in):
    hold_id = supplier.hold(60)
    bodies = [supplier.order(10, hold_id=hold_id).model_dump(mode="json") for _ in range(10)]
    http = sign_in(Role.COMMANDER)
    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(lambda body: http.post("/v1/call-offs", json=body).status_code, bodies))
    assert sorted(codes) == [201] * 6 + [409] * 4


def test_ten_different_steps_at_once_are_one_and_nine_refusals(supplier, sign_in):
    call_off_id = supplier.ordered(60)
    supplier.step(call_off_id, "confirmed")
    supplier.step(call_off_id, "ready")
    happened_at = supplier.yard.now().isoformat()
    bodies = [{"id": str(uuid4()), "state": "collected", "happened_at": happened_at} for _ in range(10)]
    http = sign_in(Role.COMMANDER)
    url = f"/v1/call-offs/{call_off_id}/steps"
    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(lambda body: http.post(url, json=body).status_code, bodies))
    assert sorted(codes) == [201] + [409] * 9
    assert (supplier.view().used, supplier.view().held) == (60, 0)
    assert supplier.yard.books_balance()


def test_a_wrong_clock_does_not_make_a_supplier_years_late(yard):
    supplier = Supplier(yard)
    with pytest.raises(Invalid, match="ordered_at: is before"):
        supplier.ordered(10, minutes_ago=10 * 24 * 60)
    call_off_id = supplier.ordered(10, minutes_ago=60)
    with pytest.raises(Invalid, match="happened_at: is before the step before it"):
        supplier.step(call_off_id, "confirmed", minutes_ago=75)
    supplier.step(call_off_id, "confirmed", minutes_ago=65)  # clocks differ by a little
    supplier.step(call_off_id, "ready")
    supplier.step(call_off_id, "collected")
    assert supplier.view().basis.delay_min == 0


def test_what_a_maker_would_need_centuries_for_is_not_called_off(yard):
    today = yard.today()
    record = Commitment(
        id=f"cap-{uuid4().hex[:8]}", mode="capacity", place_id=yard.place(PlaceKind.MAKER), item_code=yard.item,
        party="乙厂", quantity=10**9, conversion_min=60, rate_per_hour=1, unit_price_fen=1, valid_from=today,
        valid_until=today + timedelta(days=300), last_verified_on=today, provenance=yard.invented,
    )  # fmt: skip
    yard.admin.put_reserve(record)

    def order(quantity: int) -> Any:
        return yard.admin.call_off(
            CallOff(id=uuid4(), reserve_id=record.id, quantity=quantity, ordered_at=yard.now())
        )

    for quantity in (10**9, 10**6):
        with pytest.raises(Invalid, match=r"quantity: .* needs .* days"):
            order(quantity)
    assert order(100).counted == 100
