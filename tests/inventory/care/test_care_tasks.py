"""Care: pages, costs, who may do what in which state, and rules as data."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from chubei_inventory.care import due, nightly
from chubei_inventory.care.rules import MOVES
from chubei_shared.china import CHINA, day
from chubei_shared.contracts.care import CareKind, CareState
from chubei_shared.tokens import Role
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

NOON = datetime.now(CHINA).replace(hour=12, minute=0)
TODAY = day(NOON)


def months_ago(months: int, days: int = 0) -> date:
    year, month = divmod(TODAY.year * 12 + TODAY.month - 1 - months, 12)
    return date(year, month + 1, min(TODAY.day, 28)) + timedelta(days=days)


def test_two_beats_make_one_result_and_a_missed_night_is_caught_up(keeper, engine):
    def ran(now: datetime) -> bool:
        return keeper.tx(nightly.run_if_due, now) is not None

    keeper.receive(expires=TODAY + timedelta(days=95))
    night = (NOON + timedelta(days=4000)).replace(hour=0)
    assert not ran(night), "before one o'clock"
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ran, [night.replace(hour=1)] * 4)) == 1
    assert not ran(night.replace(hour=5))
    after_a_week = night.replace(hour=2) + timedelta(days=7)
    assert ran(after_a_week)
    with engine.connect() as sql:
        days = sql.scalars(text("SELECT on_day FROM care_run WHERE on_day >= :d"), {"d": day(night)}).all()
    assert sorted(days) == [day(night), day(after_a_week)]
    assert [t["due_on"] for t in keeper.tasks("expiry")] == [str(TODAY + timedelta(days=95))]


def test_lists_come_in_pages_by_place_item_and_date(keeper, yard):
    lots = [keeper.receive(expires=TODAY + timedelta(days=n % 3)) for n in range(7)]
    seen, cursor = [], None
    while True:
        page = keeper.clerk.get(
            "/v1/care/due/expiry",
            params={"place_id": yard.store, "item_code": yard.item, "limit": 2}
            | ({"cursor": cursor} if cursor else {}),
        ).json()
        seen += page["rows"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert {row["lot_id"] for row in seen} == {str(lot) for lot in lots}
    assert len(seen) == 7
    assert [row["due_on"] for row in seen] == sorted(row["due_on"] for row in seen)
    assert keeper.due("expiry", item_code=yard.new_item()) == []
    assert keeper.clerk.get("/v1/care/due/expiry", params={"cursor": "x"}).status_code == 422


@pytest.mark.parametrize("kind", CareKind)
def test_a_list_costs_the_same_statements_however_long_it_is(keeper, engine, kind):
    sent: list[str] = []

    def watch(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    def cost() -> int:
        sent.clear()
        keeper.tx(due.page, kind, TODAY, TODAY + timedelta(days=400), {}, None, 500)
        return len(sent)

    event.listen(engine, "before_cursor_execute", watch)
    try:
        before = cost()
        for _ in range(10):
            keeper.receive(made=months_ago(40), expires=TODAY + timedelta(days=30), days_ago=400)
        assert before == cost() <= 5
    finally:
        event.remove(engine, "before_cursor_execute", watch)


@pytest.mark.parametrize("kind", CareKind)
def test_the_ends_of_the_calendar_are_days_too(keeper, kind):
    keeper.receive(expires=date.min, days_ago=400)
    keeper.receive(made=date(2, 1, 1), expires=date.max)
    for due_by in (date.min, TODAY, date.max):
        for row in keeper.due(kind, due_by=due_by):
            assert row["due_on"] <= str(due_by)


@pytest.mark.parametrize("role", [Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN])
@pytest.mark.parametrize("state", CareState)
def test_every_step_by_every_role_in_every_state(keeper, sign_in, role, state):
    lot_id = keeper.receive(expires=TODAY + timedelta(days=10))
    keeper.run()
    [task] = keeper.tasks("expiry")
    if state is CareState.LAPSED:
        line = {"item_code": keeper.yard.item, "quantity": 100, "lot_id": lot_id}
        keeper.book("issue", lines=[line], reason="演练", occurred_at=NOON)
        keeper.run()
    elif state is not CareState.OPEN:
        assert keeper.step(task, state, note="x").status_code == 201
    person = sign_in(role, keeper.yard.store)
    theirs = role in (Role.CLERK, Role.ADMIN)
    for wanted in (CareState.ACKNOWLEDGED, CareState.DONE):
        may = wanted in MOVES[CareState(keeper.tasks("expiry")[0]["state"])]
        answer = keeper.step(task, wanted, by=person, note="办")
        assert answer.status_code == (403 if not theirs else 201 if may else 409), answer.text
    assert keeper.step(task, "done", by=sign_in(Role.CLERK, "another-store"), note="x").status_code == 403
    for path in ("due/expiry", "tasks", f"tasks/{task['id']}", "rules", "rules/test", "runs/latest"):
        assert person.get(f"/v1/care/{path}").status_code == 200
    expected = 201 if role in (Role.ADMIN, Role.COMMANDER) else 403
    assert person.post("/v1/care/runs").status_code == expected


def test_a_step_may_be_sent_again_and_is_not_another(keeper):
    keeper.receive(expires=TODAY + timedelta(days=10))
    keeper.run()
    [task] = keeper.tasks("expiry")
    same = {"id": str(uuid4())}
    first, again = (keeper.step(task, "acknowledged", **same) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert keeper.step(task, "done", note="x", **same).status_code == 409


@pytest.mark.parametrize("before", CareState)
@pytest.mark.parametrize("after", CareState)
def test_the_database_allows_just_the_moves_of_the_table(keeper, engine, before, after):
    keeper.receive(expires=TODAY + timedelta(days=10))
    keeper.run()
    [task] = keeper.tasks("expiry")
    put = text(
        "UPDATE care_task SET state = :s, done_on = CASE WHEN :s = 'done' THEN current_date END WHERE id = :id"
    )
    with engine.connect() as sql:
        if before is not CareState.OPEN:
            sql.execute(put, {"s": before, "id": task["id"]})
        if after in MOVES[before]:
            sql.execute(put, {"s": after, "id": task["id"]})
        else:
            with pytest.raises(DBAPIError):
                sql.execute(put, {"s": after, "id": task["id"]})
        sql.rollback()


def test_rules_are_data(keeper, sign_in):
    commander = sign_in(Role.COMMANDER)
    read = commander.get("/v1/care/rules/rotation")
    rule, etag = read.json(), read.headers["ETag"]
    keeper.receive(expires=TODAY + timedelta(days=300))
    assert keeper.due("rotation") == []
    longer = rule | {"months": 12}
    assert commander.put("/v1/care/rules/rotation", json=longer).status_code == 428
    assert keeper.clerk.put("/v1/care/rules/rotation", json=longer).status_code == 403
    assert commander.put("/v1/care/rules/test", json=longer, headers={"If-Match": etag}).status_code == 422
    assert (
        commander.put("/v1/care/rules/check", json=rule | {"kind": "check", "duty_people": 5}).status_code
        == 422
    )
    assert (
        commander.put("/v1/care/rules/rotation", json=longer, headers={"If-Match": etag}).status_code == 200
    )
    assert len(keeper.due("rotation")) == 1
    back = commander.put("/v1/care/rules/rotation", json=rule, headers={"If-Match": "*"})
    assert back.status_code == 200
    assert len(commander.get("/v1/care/rules").json()) == len(CareKind)
