"""Every decision is in the audit: what was done stands in its own transaction, what was refused in one apart."""

from uuid import uuid4

import pytest
from chubei_shared.errors import Conflict, Shortage
from chubei_shared.tokens import Role
from sqlalchemy import text


@pytest.fixture
def acts(engine):
    """`acts()`: (subject, act, outcome, reason) of what came since."""
    with engine.connect() as sql:
        start = sql.scalar(text("SELECT coalesce(max(id), 0) FROM audit"))

    def since():
        with engine.connect() as sql:
            query = text("SELECT subject, act, outcome, reason FROM audit WHERE id > :start ORDER BY id")
            return [tuple(row) for row in sql.execute(query, {"start": start})]

    return since


def test_what_was_done_and_what_was_refused(yard, acts):
    yard.receive(10)
    with pytest.raises(Shortage):
        yard.service.record(yard.issue(11))
    with pytest.raises(Shortage):
        yard.service.hold(yard.request(yard.line(12)))
    done, issue, hold = acts()
    assert done == ("a-admin", "POST /v1/movements", 200, "")
    assert issue[:3] == ("commander-li", "POST /v1/movements", 409)
    assert hold[:3] == ("commander-li", "POST /v1/holds", 409)
    assert yard.item in hold[3]


def test_who_may_not_and_what_can_not_be_read(yard, sign_in, acts):
    clerk = sign_in(Role.CLERK, yard.store)
    assert clerk.put("/v1/items/1", json={}).status_code == 403
    assert clerk.post("/v1/movements", json={"kind": "issue"}).status_code == 422
    assert [row[:3] for row in acts()] == [
        ("a-clerk", "PUT /v1/items/{code}", 403),
        ("a-clerk", "POST /v1/movements", 422),
    ]


def test_who_reads_and_who_repeats_leaves_no_mark(yard, sign_in, acts):
    issue = yard.issue(1)
    yard.receive(10)
    yard.service.record(issue)
    before = len(acts())
    yard.stock()
    sign_in(Role.CLERK).get(f"/v1/movements/{uuid4()}")
    assert len(acts()) == before


def test_an_act_falls_with_its_transaction(yard, acts):
    yard.receive(5)
    hold_id = yard.hold(5)
    with pytest.raises(Conflict):
        yard.admin.record(yard.adjustment(yard.receive(1), -2))
    assert [row[2] for row in acts()] == [200, 200, 200, 409]
    assert hold_id


def test_strangers_fill_no_table(app, acts):
    from starlette.testclient import TestClient

    assert TestClient(app).post("/v1/movements", json={}).status_code == 401
    assert acts() == []
