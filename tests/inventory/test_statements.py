"""The number of SQL statements of a request does not grow with its lines."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from chubei_inventory.holds import holds
from chubei_inventory.movements import movements
from chubei_inventory.stock import queries
from chubei_inventory.supply import supply
from chubei_shared.contracts.stock import Receive
from chubei_shared.db import Transactions
from chubei_shared.tokens import Caller, Role
from sqlalchemy import Engine, event, text

BOSS = Caller("counter", frozenset({Role.SERVICE}))


@pytest.fixture
def count(engine: Engine) -> Iterator[Callable[..., int]]:
    """`count(verb, *args)`: the statements that it sent."""
    sent: list[str] = []

    def watch(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", watch)
    tx = Transactions(engine)

    def counted(verb: Any, *args: Any) -> int:
        sent.clear()
        tx(verb, *args)
        return len(sent)

    yield counted
    event.remove(engine, "before_cursor_execute", watch)


def test_forty_lines_cost_what_one_costs(yard, count):
    yard.receive(1)
    costs: dict[int, tuple[int, ...]] = {}
    for size in (1, 40):
        items = [yard.new_item() for _ in range(size)]
        lot = {"lot_no": "L", "maker": "厂", "expires_on": yard.soon}
        lines = [{"item_code": code, "quantity": 10, "lot": lot} for code in items]
        head = {"kind": "receive", "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store}
        request = yard.request(*(yard.line(5, item_code=code) for code in items))
        gone = [{"item_code": code, "quantity": 5} for code in items]
        costs[size] = (
            count(movements.record, Receive.model_validate(head | {"lines": lines}), BOSS),
            count(movements.record, yard.issue(1, lines=gone), BOSS),
            count(holds.hold, request, BOSS),
            count(movements.record, yard.issue(1, lines=gone, hold_id=request.id), BOSS),
            count(queries.stock, {"place_id": yard.store}, None, 500),
            count(queries.movements, yard.store, None, None, None, 500),
            count(supply.snapshot, None, []),
        )
    assert costs[1] == costs[40]
    assert max(costs[40]) <= 20


def test_stock_and_movements_are_found_by_indexes(yard, engine):
    """However many there are: no table that grows is read from end to end where an index may be used."""
    lot_id = yard.receive(10)
    asked: list[tuple[str, Any]] = []

    def watch(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", watch)
    tx = Transactions(engine)
    for of in (
        {"place_id": yard.store},
        {"item_code": yard.item},
        {"lot_id": lot_id},
        {"at_place_id": yard.store},
    ):
        tx(queries.stock, of, None, 100)
    tx(queries.movements, yard.store, yard.item, None, None, 100)
    tx(queries.movements, None, None, None, None, 100)
    event.remove(engine, "before_cursor_execute", watch)
    with engine.connect() as sql:
        sql.execute(text("SET LOCAL enable_seqscan = off"))  # small tables are read as a whole otherwise
        for statement, parameters in asked:
            plan = sql.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
            assert [line for line in plan if "Seq Scan" in line] == []
