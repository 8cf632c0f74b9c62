"""Counting while stock moves: hypothesis makes up a day, told in any order and partly late, and the books end right.

The model is the shelf itself: what is on it at each second. People count what they see at their second; the books
hear of movements when somebody reports them. Seconds lie after the opening, a little ahead of the server's clock.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from chubei_inventory.offline import batches
from chubei_inventory.stocktake import counts, judging, sheets, steps, stocktakes, watch
from chubei_shared.contracts.batches import MovementBatch
from chubei_shared.contracts.stocktakes import Count, Stocktake, StocktakeStep, StocktakeView
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict
from chubei_shared.tokens import Caller, Role
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

BOSS = Caller("boss", frozenset({Role.ADMIN}))
CHIEF = Caller("chief", frozenset({Role.APPROVER}))
START, LAST_S = 200, 60


class Move(NamedTuple):
    """So many units come (+) or go (-) at a second; told before the approval, or after it."""

    at_s: int
    change: int
    late: bool


DAYS = st.fixed_dictionaries(
    {
        "loss": st.integers(-20, 20),
        "moves": st.lists(
            st.builds(Move, st.integers(1, LAST_S), st.integers(-15, 15).filter(bool), st.booleans()), max_size=8
        ),
        "counted_at_s": st.lists(st.integers(1, LAST_S), min_size=2, max_size=2, unique=True),
        "order": st.randoms(use_true_random=False),
        "held": st.sampled_from([0, 0, 150]),
    }
)  # fmt: skip


class Shelf:
    """A lot of 200 in a store, and a stocktake of it by two clerks."""

    def __init__(self, yard: Any, engine: Engine) -> None:
        yard.item, yard.store = yard.new_item(), yard.place("store")
        self.yard, self.tx = yard, Transactions(engine)
        self.lot = yard.receive(START)
        self.clerks = [
            Caller(name, frozenset({Role.CLERK}), frozenset({yard.store})) for name in ("zhang", "wang")
        ]
        body = Stocktake(id=uuid4(), place_id=yard.store, reason="盘点")
        opened, _ = self.tx(stocktakes.open_one, body, self.clerks[0])
        self.id, self.opened_at = body.id, opened.opened_at

    def second(self, at_s: int) -> datetime:
        return self.opened_at + timedelta(seconds=at_s)

    def report(self, moves: Sequence[Move]) -> None:
        told = [self._as_report(move) for move in moves]
        if told:
            answers = self.tx(batches.record, MovementBatch(movements=told), BOSS).rows
            assert {row.reason for row in answers} <= {None, "short"}

    def _as_report(self, move: Move) -> dict[str, Any]:
        line = {"item_code": self.yard.item, "quantity": abs(move.change)}
        named = {"lot": self.box} if move.change > 0 else {"lot_id": str(self.lot)}
        return {
            "kind": "receive" if move.change > 0 else "issue", "id": str(uuid4()), "place_id": self.yard.store,
            "occurred_at": self.second(move.at_s).isoformat(), "lines": [line | named],
        }  # fmt: skip

    @property
    def box(self) -> dict[str, Any]:
        [row] = self.yard.admin.stock(lot_id=self.lot, place_id=self.yard.store).rows
        return {"lot_no": row.lot_no, "maker": row.maker, "expires_on": str(row.expires_on)}

    def count(self, clerk: Caller, units: int, at_s: int) -> None:
        body = Count(
            id=uuid4(), account=self.yard.store, lot_id=self.lot, units=units, counted_at=self.second(at_s)
        )
        self.tx(counts.record, self.id, body, clerk)

    def close(self) -> StocktakeView:
        self.tx(steps.step, self.id, StocktakeStep(id=uuid4(), state="review"), self.clerks[0], None)
        _, etag = self.tx(sheets.differences, self.id, CHIEF, None, 1)
        return self.tx(steps.step, self.id, StocktakeStep(id=uuid4(), state="posted"), CHIEF, etag)[0]

    def booked(self) -> int:
        """What the books have, in dispute included."""
        rows = self.yard.admin.stock(place_id=self.yard.store, lot_id=self.lot).rows
        return sum(row.on_hand - row.disputed for row in rows)

    def line(self) -> judging.Judged:
        found = self.tx(stocktakes.find, self.id)
        [line] = self.tx(judging.lines, found)
        return line


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DAYS)
def test_the_books_end_as_the_shelf_whatever_moves_and_whenever_it_is_told(yard, engine, day):
    shelf = Shelf(yard, engine)
    if day["held"]:
        yard.hold(day["held"])
    moves, (first_s, second_s) = day["moves"], sorted(day["counted_at_s"])

    def there(at_s: int) -> int:
        return START - day["loss"] + sum(move.change for move in moves if move.at_s <= at_s)

    in_time = [move for move in moves if not move.late]
    late = [move for move in moves if move.late]
    told = day["order"].sample(in_time, len(in_time))
    half = len(told) // 2
    shelf.report(told[:half])
    shelf.count(shelf.clerks[1], there(second_s), second_s)
    shelf.report(told[half:])
    shelf.count(shelf.clerks[0], there(first_s), first_s)
    if shelf.line().verdict.by is None:  # what is not told yet made the two disagree: as it should
        missing = [move for move in late if first_s < move.at_s <= second_s]
        assert sum(move.change for move in missing) != 0
        shelf.report(missing)
        late = [move for move in late if move not in missing]
    closed = shelf.close()
    shelf.report(day["order"].sample(late, len(late)))
    shelf.tx(watch.look)
    line = shelf.line()
    assert line.line.posted is not None
    not_seen = line.line.posted + day["loss"]  # what the counts showed missing, beyond what was lost
    assert shelf.booked() - there(LAST_S) == not_seen
    assert line.verdict.difference == -day["loss"], "by all that is told now, the loss and nothing else"
    view = shelf.tx(stocktakes.get, shelf.id)
    assert (view.doubts > 0) == (not_seen != 0), "told late, it is a doubt; and only then"
    assert view.model_copy(update={"doubts": 0}) == closed, "closed, it does not change"
    assert yard.books_balance()


def test_issues_while_it_is_posted_are_neither_lost_nor_counted_twice(yard, engine):
    shelf = Shelf(yard, engine)
    for clerk in shelf.clerks:
        shelf.count(clerk, START - 30, 1)
    moves = [Move(2 + n, -1, late=False) for n in range(40)]

    def report(move: Move) -> None:
        shelf.report([move])

    with ThreadPoolExecutor(4) as pool:
        telling = [pool.submit(report, move) for move in moves]
        closed = pool.submit(shelf.close).result()
        for told in telling:
            told.result()
    assert (shelf.line().line.posted, closed.lines_right) == (-30, 0)
    assert shelf.booked() == START - 30 - 40
    assert yard.books_balance()


def test_two_who_post_at_once_post_once(yard, engine):
    shelf = Shelf(yard, engine)
    for clerk in shelf.clerks:
        shelf.count(clerk, START - 30, 1)
    shelf.tx(steps.step, shelf.id, StocktakeStep(id=uuid4(), state="review"), shelf.clerks[0], None)
    _, etag = shelf.tx(sheets.differences, shelf.id, CHIEF, None, 1)

    def post(name: str) -> UUID | None:
        approver, step = Caller(name, frozenset({Role.APPROVER})), StocktakeStep(id=uuid4(), state="posted")
        try:
            return shelf.tx(steps.step, shelf.id, step, approver, etag)[0].movement_id
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(post, ["one", "two", "three", "four"]))
    assert len([movement for movement in done if movement]) == 1
    assert shelf.booked() == START - 30


def test_what_is_in_dispute_is_part_of_the_book(yard, engine):
    """More goes out than is free, before the count and after it: the books put it in dispute, and the count agrees."""
    shelf = Shelf(yard, engine)
    yard.hold(190)
    shelf.report([Move(1, -30, late=False)])
    shelf.count(shelf.clerks[1], START - 30, 2)
    shelf.report([Move(3, -40, late=False)])
    line = shelf.line()
    assert [(one.book, one.difference) for one, _ in line.counts] == [(START - 30, 0)]
    assert shelf.close().movement_id is None
    assert shelf.booked() == START - 70


@pytest.mark.parametrize("late", [False, True])
def test_an_adjustment_told_for_before_the_count_is_part_of_its_book(yard, engine, late):
    """Somebody has corrected the books by hand for a moment before the count: the count agrees with that."""
    shelf = Shelf(yard, engine)
    adjust = yard.adjustment(shelf.lot, -30).model_copy(update={"occurred_at": shelf.second(1)})
    if not late:
        yard.admin.record(adjust)
    for clerk in shelf.clerks:
        shelf.count(clerk, START - 30, 2)
    if late:
        yard.admin.record(adjust)
    assert shelf.close().movement_id is None
    assert shelf.booked() == START - 30
