"""Sixteen processes at five hot items: nothing lost, nothing below zero, nobody waits in a circle.

And the same checks on what a naive ledger does (read, then write), by an interleaving that is forced and not a
matter of luck: they tell it from ours.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chubei_inventory.movements import movements
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.errors import Conflict
from chubei_shared.tokens import Caller, Role
from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.orm import Session

PROCESSES, ITEMS, OPENING = 16, 5, 120
BOSS = Caller("hammer", frozenset({Role.SERVICE}))


def test_sixteen_processes_at_five_hot_items(yard, database: URL):
    items = [yard.new_item() for _ in range(ITEMS)]
    stores = [yard.store, yard.place(PlaceKind.STORE)]
    for yard.item in items:
        for store in stores:
            box = {"lot_no": "HOT", "maker": "厂", "expires_on": "2031-01-01"}
            line = {"item_code": yard.item, "quantity": OPENING, "lot": box}
            head = {"kind": "receive", "id": yard.request(yard.line(1)).id, "occurred_at": yard.now()}
            yard.admin.record(MOVEMENT.validate_python(head | {"place_id": store, "lines": [line]}))
    orders = {
        "url": database.render_as_string(hide_password=False),
        "items": items,
        "stores": stores,
        "acts": 30,
    }
    script = Path(__file__).with_name("hammer_worker.py")
    running = [
        subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    for seed, process in enumerate(running):
        assert process.stdin
        process.stdin.write(json.dumps(orders | {"seed": seed}))
        process.stdin.close()
    told = [json.loads(process.stdout.read()) for process in running if process.stdout]
    assert [process.wait() for process in running] == [0] * PROCESSES
    done = {kind: sum(one.get(kind, 0) for one in told) for kind in ("in", "out", "recorded", "deadlocks")}
    rows = [row for code in items for row in yard.admin.stock(item_code=code).rows]
    there = sum(row.on_hand - row.disputed for row in rows)
    assert there == 2 * ITEMS * OPENING + done["in"] - done["out"], "units were lost, or given out twice"
    assert min(row.on_hand for row in rows) >= 0
    assert done["deadlocks"] == 0
    assert done["recorded"] > PROCESSES
    assert yard.books_balance()


# One forced interleaving, two ledgers


@pytest.fixture
def two(engine: Engine) -> Iterator[tuple[Connection, Connection]]:
    with engine.connect() as one, engine.connect() as other:
        yield one, other


def lost(opening: int, taken: int, left: int) -> int:
    """Units that are nowhere: neither given out nor there any more. Below 0: units given out that never were."""
    return opening - taken - left


def test_the_naive_variant_loses_and_the_check_sees_it(engine, two):
    """Both read 10, both write what they make of it."""
    one = two[0]
    one.execute(
        text("CREATE TABLE IF NOT EXISTS naive_balance (item text PRIMARY KEY, on_hand bigint NOT NULL)")
    )
    one.execute(text("TRUNCATE naive_balance"))
    one.execute(text("INSERT INTO naive_balance VALUES ('water', 10)"))
    one.commit()
    read = text("SELECT on_hand FROM naive_balance WHERE item = 'water'")
    write = text("UPDATE naive_balance SET on_hand = :left WHERE item = 'water'")
    seen = [connection.scalar(read) for connection in two]
    for connection, there in zip(two, seen, strict=True):
        assert there >= 7
        connection.execute(write, {"left": there - 7})
        connection.commit()
    left = one.scalar(read)
    one.execute(text("DROP TABLE naive_balance"))
    one.commit()
    assert lost(10, 14, left) == -7


def test_the_ledger_does_not_under_the_same_interleaving_inventree_p12478_openboxes_p6061(yard, engine):
    """The second begins while the first has taken its stock and not committed: it waits, and then sees."""
    yard.receive(10)
    taken = run_into(engine, lambda s: movements.record(s, yard.issue(7), BOSS), lambda s: taking(s, yard))
    assert taken == [False]
    assert lost(10, 7, yard.stock()[0]) == 0
    assert yard.stock() == (3, 0, 3)


def taking(session: Session, yard: Any) -> bool:
    try:
        movements.record(session, yard.issue(7), BOSS)
    except Conflict:
        return False
    session.commit()
    return True


def run_into(
    engine: Engine, first: Callable[[Session], Any], second: Callable[[Session], bool]
) -> list[bool]:
    """Run `second` while `first` is done and not committed; commit `first` once the other waits for it."""
    answers: list[bool] = []
    with Session(engine) as one, engine.connect() as connection, Session(connection) as other:
        pid = other.scalar(text("SELECT pg_backend_pid()"))
        first(one)
        thread = threading.Thread(target=lambda: answers.append(second(other)))
        thread.start()
        waits = text("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = :pid")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
            while not watcher.scalar(waits, {"pid": pid}):
                assert thread.is_alive(), "the second did not wait for the first"
        one.commit()
        thread.join()
    return answers
