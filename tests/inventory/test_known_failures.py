"""What users of comparable systems reported, by its number there: none of it can happen here."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from chubei_inventory.movements import movements
from chubei_inventory.offline import batches
from chubei_shared.china import day
from chubei_shared.contracts.batches import MovementBatch
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Shortage
from chubei_shared.tokens import Caller, Role
from sqlalchemy import Engine, event, text

BOSS = Caller("boss", frozenset({Role.SERVICE}))
BOX = {"lot_no": "A1", "maker": "厂", "expires_on": "2031-01-01"}


def report(yard: Any, kind: str, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    head = {"kind": kind, "id": str(uuid4()), "occurred_at": yard.now().isoformat(), "place_id": yard.store}
    told = head | fields | {"lines": [{"item_code": yard.item} | line for line in lines]}
    return {name: value for name, value in told.items() if value is not None}


def test_the_last_stock_is_not_allocated_twice_inventree_p12478_openboxes_p6061(yard):
    """One after the other here; at once in test_hammer, by a forced interleaving in test_hammer_processes."""
    yard.receive(10)
    yard.hold(7)
    for take in (lambda: yard.hold(4), lambda: yard.admin.record(yard.issue(4))):
        with pytest.raises(Shortage):
            take()
    assert yard.stock() == (10, 7, 3)


def test_counters_of_what_is_reserved_do_not_drift_odoo_i62139_medusa_i12401(yard, expire):
    """After any work the counters are what the open holds keep; nobody has to run a repair."""
    yard.receive(50)
    kept = [yard.hold(units) for units in (5, 6, 7, 8)]
    yard.service.record(yard.issue(2, hold_id=kept[0]))
    yard.service.release(kept[1])
    expire(kept[2])
    with pytest.raises(Conflict):
        yard.service.record(yard.issue(1, hold_id=kept[2]))
    assert yard.stock() == (48, 3 + 8, 37)
    assert yard.books_balance()


def test_a_lot_named_twice_counts_once_medusa_i16502(yard):
    lot_id = yard.receive(10)
    lines = [{"item_code": yard.item, "quantity": 6, "lot_id": lot_id} for _ in range(2)]
    with pytest.raises(Shortage) as refused:
        yard.admin.record(yard.issue(1, lines=lines))
    assert refused.value.more["shortages"][0] == {
        "place_id": yard.store, "item_code": yard.item, "mode": "physical", "lot_id": str(lot_id),
        "asked": 12, "available": 10, "passed_over": [],
    }  # fmt: skip
    with pytest.raises(Shortage):
        yard.service.hold(yard.request(yard.line(6), yard.line(6)))
    twice = report(yard, "issue", *({"quantity": 3, "lot_id": str(lot_id)} for _ in range(2)))
    yard.admin.record(MOVEMENT.validate_python(twice))
    assert yard.stock() == (4, 0, 4)


def test_a_second_partial_receipt_leaves_the_first_openboxes_p586(yard, engine):
    yard.receive(10)
    other = yard.place(PlaceKind.STORE)
    ends = {"place_id": None, "from_place_id": yard.store, "to_place_id": other}
    sent = report(yard, "send", {"quantity": 10}, **ends)
    yard.admin.record(MOVEMENT.validate_python(sent))
    parts = [report(yard, "arrive", {"received": n}, place_id=other, sent_id=sent["id"]) for n in (4, 5)]
    for part in [*parts, *parts]:  # and each repeated
        yard.admin.record(MOVEMENT.validate_python(part))
    assert yard.stock(other)[0] == 9
    assert yard.stock(f"transit:{sent['id']}")[0] == 1


def test_expiry_is_judged_at_the_time_of_use_open_msupply_i10065(yard):
    today = day(yard.now())
    soon, later = yard.receive(10, today + timedelta(days=2)), yard.receive(10, today + timedelta(days=90))
    request = yard.request(yard.line(10, needed_at=yard.now() + timedelta(days=5)))
    view = yard.service.hold(request)
    assert [line.lot_id for line in view.lines] == [later]
    assert [passed.lot_id for passed in view.passed_over] == [soon]


def test_what_was_issued_is_gone_from_the_next_answer_openboxes_p2187(yard):
    """No figure is refreshed later: the answer after the commit has it."""
    yard.receive(10)
    for left in (7, 4, 1):
        yard.admin.record(yard.issue(3))
        assert yard.stock() == (left, 0, left)
        supply = [row.quantity for row in yard.service.snapshot().supply if row.place_id == yard.store]
        assert supply == [left]


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    sent: list[str] = []

    def watch(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", watch)
    yield sent
    event.remove(engine, "before_cursor_execute", watch)


def test_a_thousand_moves_cost_the_statements_of_one_odoo_p116803(yard, engine, statements):
    tx = Transactions(engine)
    costs = []
    yard.admin.record(MOVEMENT.validate_python(report(yard, "receive", {"quantity": 1, "lot": BOX})))
    for size in (1, 1000):
        bodies = [report(yard, "receive", {"quantity": 3, "lot": BOX}) for _ in range(size)]
        bodies += [report(yard, "issue", {"quantity": 1, "lot": BOX}) for _ in range(size // 2)]
        statements.clear()
        tx(batches.record, MovementBatch(movements=bodies[:1000]), BOSS)
        costs.append(len(statements))
    assert costs[0] == costs[1]
    assert costs[1] <= 20


def test_packs_are_not_rounded_odoo_i2854(yard):
    """A third of a pack is no number of units: packs are whole, and loose units are told as units."""
    line = {"quantity": 7, "units_per_pack": 3, "lot": BOX}
    yard.admin.record(MOVEMENT.validate_python(report(yard, "receive", line)))
    yard.admin.record(yard.issue(20))
    assert yard.stock()[0] == 1
    with pytest.raises(ValueError, match="int"):
        MOVEMENT.validate_python(report(yard, "issue", {"quantity": 1 / 3, "units_per_pack": 3}))


def test_a_shipment_that_was_sent_offline_arrives_open_msupply_i12698(yard, sign_in):
    """The store's report of the departure comes in after that of the arrival, and from another phone."""
    yard.receive(10, lot_no="A1")
    other = yard.place(PlaceKind.STORE)
    stock = yard.admin.stock(place_id=yard.store).rows[0]
    lot = {"lot_id": str(stock.lot_id)}
    ends = {"place_id": None, "from_place_id": yard.store, "to_place_id": other}
    sent = report(yard, "send", lot | {"quantity": 10}, **ends)
    came = report(yard, "arrive", lot | {"received": 9, "damaged": 1}, place_id=other, sent_id=sent["id"])
    for clerk, body, outcome in ((other, came, "parked"), (yard.store, sent, "accepted")):
        http = sign_in(Role.CLERK, clerk)
        answer = http.post("/v1/movements:batch", json={"movements": [body]}).json()
        assert [row["outcome"] for row in answer["rows"]] == [outcome]
    assert (yard.stock()[0], yard.stock(other)[0]) == (0, 9)
    assert yard.stock(f"transit:{sent['id']}")[0] == 0
    disputes = sign_in(Role.AUDITOR).get("/v1/disputes", params={"item_code": yard.item}).json()
    assert disputes["rows"] == []


def test_an_event_is_written_with_the_act_or_not_at_all(yard, engine):
    """Seen elsewhere: a verb that commits, and then logs its event."""
    yard.receive(10)
    body = yard.issue(3)

    def then_fail(session: Any) -> None:
        movements.record(session, body, BOSS)
        raise RuntimeError("the process dies here")

    told = text("SELECT count(*) FROM outbox WHERE body->>'movement_id' = :id")
    with pytest.raises(RuntimeError):
        Transactions(engine)(then_fail)
    with engine.connect() as sql:
        assert sql.scalar(told, {"id": str(body.id)}) == 0
    yard.admin.record(body)
    with engine.connect() as sql:
        assert sql.scalar(told, {"id": str(body.id)}) == 1
    assert yard.stock()[0] == 7


def test_no_column_counts_stock_in_floats(engine):
    """Seen elsewhere: floats for stock."""
    asked = text(
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND data_type IN ('real', 'double precision')"
    )
    with engine.connect() as sql:
        floats = set(sql.scalars(asked))
    assert floats == {"place.lon", "place.lat"}
