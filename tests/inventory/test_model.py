"""Random operations on a real PostgreSQL, each answer compared with a plain model in Python."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory import holds, movements, queries
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.stock import Movement, Receive, Transfer
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict
from chubei_shared.tokens import Caller, Role
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, text

BOSS = Caller("model", frozenset({Role.SERVICE}))
LOTS = st.integers(0, 2)
UNITS = st.integers(1, 12)
STORES = st.integers(0, 1)
PICK = st.integers(0, 10**6)


class Books(RuleBasedStateMachine):
    """Two stores, three lots of one item (expiring in their order), and what a plain model says of them."""

    yard: Any
    tx: Transactions
    engine: Engine

    @initialize()
    def open(self) -> None:
        self.yard.item = self.yard.new_item()
        self.stores = [self.yard.place(PlaceKind.STORE) for _ in range(2)]
        self.on_hand: Counter[tuple[int, int]] = Counter()
        self.holds: dict[UUID, Counter[tuple[int, int]]] = {}
        self.undoable: list[tuple[UUID, Counter[tuple[int, int]]]] = []
        self.sent: list[Movement] = []

    # The model

    def free(self, key: tuple[int, int]) -> int:
        return self.on_hand[key] - sum(kept[key] for kept in self.holds.values())

    def first_expiring(self, store: int, units: int) -> Counter[tuple[int, int]] | None:
        """What FEFO takes by the model; None where it does not suffice."""
        taken: Counter[tuple[int, int]] = Counter()
        for lot in range(3):
            if part := min(units, self.free((store, lot))):
                taken[store, lot] = part
                units -= part
        return None if units else taken

    # What both are told

    def record(self, movement: Movement, change: Counter[tuple[int, int]] | None) -> bool:
        """Record in both; the service must refuse exactly what the model says is not there."""
        try:
            self.tx(movements.record, movement, BOSS)
        except Conflict:
            assert change is None or any(self.free(k) + c < 0 for k, c in change.items() if c < 0)
            return False
        assert change is not None
        self.on_hand.update(change)
        self.undoable.append((movement.id, change))
        self.sent.append(movement)
        return True

    def body(self, kind: str, **fields: Any) -> dict[str, Any]:
        return {"kind": kind, "id": uuid4(), "occurred_at": self.yard.now()} | fields

    @rule(store=STORES, lot=LOTS, units=UNITS)
    def receive(self, store: int, lot: int, units: int) -> None:
        named = {"lot_no": f"L{lot}", "maker": "厂", "expires_on": date(2031 + lot, 1, 1)}
        line = {"item_code": self.yard.item, "quantity": units, "lot": named}
        movement = Receive.model_validate(self.body("receive", place_id=self.stores[store], lines=[line]))
        self.record(movement, Counter({(store, lot): units}))

    @rule(store=STORES, units=UNITS)
    def issue(self, store: int, units: int) -> None:
        taken = self.first_expiring(store, units)
        change = taken and Counter({key: -part for key, part in taken.items()})
        self.record(self.yard.issue(units, place_id=self.stores[store]), change)

    @rule(store=STORES, units=UNITS)
    def transfer(self, store: int, units: int) -> None:
        taken = self.first_expiring(store, units)
        change = None
        if taken is not None:
            change = Counter({key: -part for key, part in taken.items()})
            change.update({(1 - store, lot): part for (_, lot), part in taken.items()})
        ends = {"from_place_id": self.stores[store], "to_place_id": self.stores[1 - store]}
        line = {"item_code": self.yard.item, "quantity": units}
        self.record(Transfer.model_validate(self.body("transfer", **ends, lines=[line])), change)

    @rule(pick=PICK)
    def reverse(self, pick: int) -> None:
        if self.undoable:
            number = pick % len(self.undoable)
            original, change = self.undoable[number]
            back = Counter({key: -part for key, part in change.items()})
            if self.record(self.yard.reversal(original), back):
                del (
                    self.undoable[number],
                    self.undoable[-1],
                )  # neither it nor its reversal can be undone again

    @rule(pick=PICK)
    def repeat(self, pick: int) -> None:
        if self.sent:
            _, new = self.tx(movements.record, self.sent[pick % len(self.sent)], BOSS)
            assert not new

    @rule(store=STORES, units=UNITS)
    def hold(self, store: int, units: int) -> None:
        expected = self.first_expiring(store, units)
        request = self.yard.request(self.yard.line(units, place_id=self.stores[store]))
        try:
            self.tx(holds.hold, request, BOSS)
        except Conflict:
            assert expected is None
            return
        assert expected is not None
        self.holds[request.id] = expected

    @rule(pick=PICK, units=UNITS)
    def draw(self, pick: int, units: int) -> None:
        if not self.holds:
            return
        hold_id = list(self.holds)[pick % len(self.holds)]
        kept = self.holds[hold_id]
        store = next(iter(kept))[0]
        movement = self.yard.issue(units, place_id=self.stores[store], hold_id=hold_id)
        if units > kept.total():
            assert not self.record(movement, None)
            return
        drawn: Counter[tuple[int, int]] = Counter()
        for key in sorted(kept):
            drawn[key] = min(units, kept[key])
            units -= drawn[key]
        self.holds[hold_id] = kept - drawn
        if not self.holds[hold_id]:
            del self.holds[hold_id]
        change = Counter({key: -part for key, part in drawn.items() if part})
        assert self.record(movement, change)

    @rule(pick=PICK, lapse=st.booleans())
    def close(self, pick: int, lapse: bool) -> None:
        """Release a hold, or let it expire without anybody noticing."""
        if not self.holds:
            return
        hold_id = list(self.holds)[pick % len(self.holds)]
        del self.holds[hold_id]
        if not lapse:
            self.tx(holds.release, hold_id)
            return
        with self.engine.begin() as connection:
            passed = text("UPDATE hold SET expires_at = now() - interval '1 second' WHERE id = :id")
            connection.execute(passed, {"id": hold_id})

    @invariant()
    def stock_is_what_the_model_says(self) -> None:
        page = self.tx(queries.stock, {"item_code": self.yard.item}, None, 100)
        found = {(r.place_id, r.lot_no): (r.on_hand, r.available) for r in page.rows}
        assert found == {
            (self.stores[store], f"L{lot}"): (units, self.free((store, lot)))
            for (store, lot), units in self.on_hand.items()
            if units
        }

    def teardown(self) -> None:
        assert self.tx(queries.books).faults == []


@pytest.mark.parametrize("seed", [1])
def test_the_service_agrees_with_the_model(yard, engine, seed):
    class Here(Books):
        pass

    Here.yard, Here.tx, Here.engine = yard, Transactions(engine), engine
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=timedelta(seconds=60),
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
