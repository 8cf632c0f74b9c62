"""Many at once on the same few lots: nothing is given out twice, nothing is lost, nobody waits in a circle."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory.holds import freed, holds
from chubei_inventory.movements import movements
from chubei_inventory.stock import queries
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.holds import HoldReplace
from chubei_shared.contracts.movements import ShortPick
from chubei_shared.contracts.stock import Transfer
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict
from chubei_shared.tokens import Caller, Role
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import ExceptionContext

THREADS = 8
BOSS = Caller("hammer", frozenset({Role.SERVICE}))


@pytest.fixture(scope="module")
def tx(engine: Engine) -> Transactions:
    return Transactions(engine)


def together(work: Any) -> list[int]:
    """Run `work(number)` in all threads, from the same moment on; it returns the units it got."""
    start = Barrier(THREADS)

    def run(number: int) -> int:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.fixture
def deadlocks(engine: Engine) -> Iterator[list[Any]]:
    """Every deadlock or serialization failure that PostgreSQL had to break, also where it was tried again."""
    seen: list[Any] = []

    def watch(context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) in ("40P01", "40001"):
            seen.append(context.original_exception)

    event.listen(engine, "handle_error", watch)
    yield seen
    event.remove(engine, "handle_error", watch)


def test_the_last_stock_is_given_out_once(yard, tx, deadlocks):
    for year in range(2030, 2035):
        yard.receive(10, date(year, 1, 1))

    def take(_: int) -> int:
        got = 0
        for units in (3, 3, 3):
            try:
                tx(movements.record, yard.issue(units), BOSS)
            except Conflict:
                continue
            got += units
        return got

    assert sum(together(take)) == 48
    assert yard.stock() == (2, 0, 2)
    assert not deadlocks
    assert yard.books_balance()


def test_the_last_stock_is_held_once(yard, tx, deadlocks):
    other = yard.new_item()
    first = yard.item
    yard.receive(20)
    yard.item = other
    yard.receive(20)

    def take(number: int) -> int:
        lines = [yard.line(3, item_code=first), yard.line(3, item_code=other)]
        lines = lines[::-1] if number % 2 else lines  # asked for in opposite orders
        try:
            tx(holds.hold, yard.request(*lines), BOSS)
        except Conflict:
            return 0
        return 3

    assert sum(together(take)) == 18
    assert [yard.admin.stock(item_code=code).rows[0].held for code in (first, other)] == [18, 18]
    assert not deadlocks


def test_nobody_steals_between_release_and_hold_of_a_replacement(yard, tx, deadlocks):
    """All stock is held by one plan, which keeps replacing its hold; thieves never get a unit."""
    yard.receive(10)
    kept = [yard.hold(10)]

    def replace_or_steal(number: int) -> int:
        stolen = 0
        for _ in range(12):
            if number == 0:
                fresh = yard.request(yard.line(10))
                tx(holds.replace, HoldReplace(release=kept[-1:], hold=fresh), BOSS)
                kept.append(fresh.id)
                continue
            try:
                tx(holds.hold, yard.request(yard.line(1)), BOSS)
            except Conflict:
                continue
            stolen += 1
        return stolen

    assert sum(together(replace_or_steal)) == 0
    assert (len(kept), yard.stock()) == (13, (10, 10, 0))
    assert not deadlocks


class Worker:
    """One of many who do what comes, at two stores, with the holds of its own."""

    def __init__(self, number: int, yard: Any, tx: Transactions, engine: Engine, stores: list[str]) -> None:
        self.yard, self.tx, self.engine, self.stores = yard, tx, engine, stores
        self.chance = random.Random(number)  # noqa: S311
        self.kept: list[tuple[UUID, str]] = []

    def work(self, acts: int) -> int:
        """Try so many acts; returns how many were not refused."""
        done = 0
        choices = (
            self.issue,
            self.transfer,
            self.hold,
            self.replace,
            self.draw,
            self.release,
            self.lapse,
            self.miss,
        )
        for _ in range(acts):
            here, there = self.chance.sample(self.stores, 2)
            try:
                self.chance.choice(choices)(here, there, self.chance.randint(1, 9))
            except Conflict:
                continue
            done += 1
        return done

    def issue(self, here: str, _: str, units: int) -> None:
        self.tx(movements.record, self.yard.issue(units, place_id=here), BOSS)

    def transfer(self, here: str, there: str, units: int) -> None:
        body = {"kind": "transfer", "id": uuid4(), "occurred_at": self.yard.now()}
        ends = {"from_place_id": here, "to_place_id": there}
        line = {"item_code": self.yard.item, "quantity": units}
        self.tx(movements.record, Transfer.model_validate(body | ends | {"lines": [line]}), BOSS)

    def hold(self, here: str, there: str, units: int) -> None:
        request = self.yard.request(self.yard.line(units, place_id=here), self.yard.line(1, place_id=there))
        self.kept.append((self.tx(holds.hold, request, BOSS)[0].id, here))

    def replace(self, here: str, there: str, units: int) -> None:
        request = self.yard.request(self.yard.line(units, place_id=there), self.yard.line(1, place_id=here))
        body = HoldReplace(release=[hold_id for hold_id, _ in self.kept], hold=request)
        self.kept = [(self.tx(holds.replace, body, BOSS)[0].id, there)]

    def draw(self, *_: object) -> None:
        if self.kept:
            hold_id, place = self.kept[-1]
            self.tx(movements.record, self.yard.issue(1, place_id=place, hold_id=hold_id), BOSS)

    def release(self, *_: object) -> None:
        if self.kept:
            self.tx(holds.release, self.kept.pop()[0])

    def miss(self, here: str, _: str, units: int) -> None:
        rows = self.tx(queries.stock, {"place_id": here, "item_code": self.yard.item}, None, 9).rows
        lot_id = self.chance.choice(rows).lot_id
        picked_for = self.kept[-1][0] if self.kept else None
        line = {"item_code": self.yard.item, "quantity": units, "lot_id": lot_id}
        body = {"kind": "short_pick", "id": uuid4(), "occurred_at": self.yard.now(), "place_id": here}
        short = ShortPick.model_validate(body | {"picked_for": picked_for, "lines": [line]})
        self.tx(movements.record, short, BOSS)
        if picked_for:
            self.tx(freed.repick, picked_for)

    def lapse(self, *_: object) -> None:
        if self.kept:
            with self.engine.begin() as connection:
                over = text("UPDATE hold SET expires_at = now() WHERE id = :id")
                connection.execute(over, {"id": self.kept.pop()[0]})


def test_everything_at_once_and_no_deadlock(yard, tx, engine, deadlocks):
    stores = [yard.store, yard.place(PlaceKind.STORE)]
    for store in stores:
        for year in (2031, 2032, 2033):
            yard.receive(100, date(year, 1, 1), lot_no=f"L{year}", place=store)
    done = together(lambda number: Worker(number, yard, tx, engine, stores).work(15))
    assert sum(done) > 15 * THREADS // 2
    assert not deadlocks
    assert yard.books_balance()
