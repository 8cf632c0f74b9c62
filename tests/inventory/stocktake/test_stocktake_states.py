"""Stocktakes: who may do what in which state, what stays closed, and what is data."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory.stocktake import judging, stocktakes
from chubei_inventory.stocktake.rules import MOVES, OPEN
from chubei_shared.contracts.stocktakes import StocktakeState
from chubei_shared.tokens import Role
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

S = StocktakeState


@pytest.mark.parametrize("state", StocktakeState)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.GUEST])  # refused as everywhere
def test_every_route_by_every_role_in_every_state(taking, person, role, state):
    taking.brought_to(state)
    me = person("somebody", role, taking.yard.store)
    base = f"/v1/stocktakes/{taking.id}"
    for path in ("/v1/stocktakes", base, f"{base}/sheet", "/v1/stock-accuracy", "/v1/stocktake-threshold"):
        assert me.get(path).status_code == 200
    sighted = role is not Role.CLERK or state not in OPEN
    for path in ("differences", "hindered-counts"):
        assert me.get(f"{base}/{path}").status_code == (200 if sighted else 403)
    counted = taking.count(me, 100).status_code
    assert counted == (403 if role is not Role.CLERK else 201 if state in OPEN else 409)
    may = {
        S.COUNTING: {Role.APPROVER, Role.ADMIN},
        S.REVIEW: {Role.CLERK, Role.ADMIN},
        S.POSTED: {Role.APPROVER, Role.ADMIN},
        S.CANCELLED: {Role.APPROVER, Role.ADMIN},
    }
    for wanted in StocktakeState:
        now = S(taking.view()["state"])
        answer = taking.step(me, wanted, taking.differences()[1])
        expected = 403 if role not in may[wanted] else 201 if wanted in MOVES[now] else 409
        if (expected, wanted) == (201, S.REVIEW) and any(r["status"] == "to_count" for r in taking.sheet()):
            expected = 409
        if (expected, wanted) == (201, S.POSTED) and any(
            step["recorded_by"] == "somebody" and step["state"] == "review" for step in taking.view()["steps"]
        ):
            expected = 403
        assert answer.status_code == expected, f"{now} to {wanted}: {answer.text}"
    threshold = taking.boss.get("/v1/stocktake-threshold").json()
    put = me.put("/v1/stocktake-threshold", json=threshold)
    assert put.status_code == (200 if role in (Role.APPROVER, Role.ADMIN) else 403)
    again = {"id": str(uuid4()), "place_id": taking.yard.place("store"), "reason": "x"}
    opens = role in (Role.ADMIN, Role.APPROVER, Role.COMMANDER)
    assert me.post("/v1/stocktakes", json=again).status_code == (201 if opens else 403)


def test_a_clerk_of_another_store_neither_counts_nor_hands_in(taking, person):
    taking.open()
    stranger = person("stranger", Role.CLERK, "another-store")
    assert taking.count(stranger, 100).status_code == 403
    assert taking.step(stranger, "review").status_code == 403
    assert taking.step(taking.wang, "cancelled").status_code == 403
    assert taking.step(taking.zhang, "cancelled").status_code == 201, "who opened it"


@pytest.mark.parametrize("before", StocktakeState)
@pytest.mark.parametrize("after", StocktakeState)
def test_the_database_allows_just_the_moves_of_the_table(taking, engine, before, after):
    taking.brought_to(before)
    put = text(
        """UPDATE stocktake SET state = :s, closed_at = CASE WHEN :s IN ('posted', 'cancelled') THEN now() END,
        closed_by = CASE WHEN :s IN ('posted', 'cancelled') THEN 'x' END,
        lines_counted = CASE WHEN :s = 'posted' THEN 1 END, lines_right = CASE WHEN :s = 'posted' THEN 1 END
        WHERE id = :id"""
    )
    with engine.connect() as sql:
        if after in MOVES[before]:
            sql.execute(put, {"s": after, "id": taking.id})
        else:
            with pytest.raises(DBAPIError):
                sql.execute(put, {"s": after, "id": taking.id})
        sql.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stocktake SET lines_right = 0 WHERE id = :id",
        "UPDATE stocktake_line SET difference = 0 WHERE stocktake_id = :id",
        "UPDATE stocktake_count SET units = 1 WHERE stocktake_id = :id",
        "DELETE FROM stocktake_line WHERE stocktake_id = :id",
        "INSERT INTO stocktake_count SELECT gen_random_uuid(), body_hash, stocktake_id, account, item_code, lot_id, 1, "
        "counted_at, 'x', now(), '', NULL FROM stocktake_count WHERE stocktake_id = :id",
    ],
)
def test_a_closed_stocktake_is_not_changed(taking, engine, statement):
    taking.brought_to(S.POSTED)
    with engine.connect() as sql, pytest.raises(DBAPIError):
        sql.execute(text(statement), {"id": taking.id})


def test_how_right_the_books_were_by_place(taking, yard):
    taking.brought_to(S.POSTED)
    taking.open()
    taking.count(taking.wang, 99)
    taking.step(taking.wang, "review")
    assert taking.post().status_code == 201
    [row] = taking.chief.get("/v1/stock-accuracy", params={"place_id": yard.store}).json()
    assert (row["stocktakes"], row["lines_counted"], row["lines_right"]) == (2, 2, 1)


def test_the_threshold_is_data_and_holds_for_what_is_opened_later(taking):
    read = taking.chief.get("/v1/stocktake-threshold")
    before, etag = read.json(), read.headers["ETag"]
    strict = before | {"units": 0}
    taking.open()
    assert taking.chief.put("/v1/stocktake-threshold", json=strict).status_code == 428
    assert (
        taking.chief.put("/v1/stocktake-threshold", json=strict, headers={"If-Match": etag}).status_code
        == 200
    )
    taking.count(taking.wang, 99)
    assert taking.sheet()[0]["status"] == "counted"
    taking.step(taking.chief, "cancelled")
    taking.open()
    taking.count(taking.wang, 99)
    assert taking.sheet()[0]["status"] == "to_recount"
    assert (
        taking.chief.put("/v1/stocktake-threshold", json=before, headers={"If-Match": "*"}).status_code == 200
    )
    assert (
        taking.chief.put("/v1/stocktake-threshold", json={"provenance": before["provenance"]}).status_code
        == 422
    )


def test_sheets_and_differences_come_in_pages_and_cost_the_same_statements(taking, yard, engine):
    for _ in range(4):
        yard.receive(5)
    taking.open()
    seen, cursor = [], None
    while True:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = taking.zhang.get(f"/v1/stocktakes/{taking.id}/sheet", params=asked).json()
        seen += [row["lot_id"] for row in page["rows"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert (len(seen), len(set(seen))) == (5, 5)
    sent: list[str] = []

    def watched(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", watched)
    try:
        found = taking.tx(stocktakes.find, UUID(taking.id))
        sent.clear()
        assert len(taking.tx(judging.lines, found)) == 5
        assert len(sent) == 2
    finally:
        event.remove(engine, "before_cursor_execute", watched)
