"""Random operations on a real PostgreSQL, each answer compared with a plain model in Python."""

from collections import Counter
from datetime import date, timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

from chubei_inventory.holds import freed, holds
from chubei_inventory.movements import movements
from chubei_inventory.offline import batches
from chubei_inventory.proof import runs
from chubei_inventory.stock import queries
from chubei_shared.contracts.batches import MovementBatch
from chubei_shared.contracts.catalogue import Lot, PlaceKind, lot_id
from chubei_shared.contracts.holds import HoldReplace
from chubei_shared.contracts.movements import MOVEMENT, Movement
from chubei_shared.contracts.stock import Receive, Transfer
from chubei_shared.db import Transactions
from chubei_shared.errors import Conflict, Invalid
from chubei_shared.tokens import Caller, Role
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, text

BOSS = Caller("model", frozenset({Role.SERVICE}))
LOTS = st.integers(0, 2)
UNITS = st.integers(1, 12)
STORES = st.integers(0, 1)
SEALED, MISSING = 2, 4
"""Added to a store's number: what is sealed off there, what was not found there."""
STATES = {0: "", SEALED: "sealed:", MISSING: "missing:"}
PICK = st.integers(0, 10**6)


Key = tuple[int, int]
"""A store's number (or that of a state of it), and a lot's."""


class Books(RuleBasedStateMachine):
    """Two stores, three lots of one item (expiring in their order), and what a plain model says of them."""

    yard: Any
    tx: Transactions
    engine: Engine

    @initialize(stock=st.integers(0, 9))
    def open(self, stock: int) -> None:
        self.yard.item = self.yard.new_item()
        self.stores = [self.yard.place(PlaceKind.STORE) for _ in range(2)]
        self.reported: Counter[tuple[int, int]] = Counter()
        self.on_hand: Counter[tuple[int, int]] = Counter()
        self.holds: dict[UUID, Counter[tuple[int, int]]] = {}
        self.undoable: list[tuple[UUID, Counter[tuple[int, int]]]] = []
        self.sent: list[Movement] = []
        for store, lot in product(range(2), range(3)) if stock else ():
            self.receive(store, lot, stock)

    # The model

    def free(self, key: tuple[int, int]) -> int:
        return self.on_hand[key] - sum(kept[key] for kept in self.holds.values())

    def held(self, key: Key) -> int:
        return sum(kept[key] for kept in self.holds.values())

    def lot_id(self, lot: int) -> UUID:
        box = Lot(lot_no=f"L{lot}", maker="厂", expires_on=date(2031 + lot, 1, 1))
        return lot_id(self.yard.item, box)

    def in_dispute(self, lot: int) -> int:
        """Of a lot, everywhere."""
        return sum(self.on_hand[key] - self.reported[key] for key in self.keys() if key[1] == lot)

    def promised(self, key: tuple[int, int]) -> int:
        """What of an account can be promised: nothing of what is in dispute of its lot."""
        return max(0, self.free(key) - self.in_dispute(key[1]))

    def keys(self) -> set[tuple[int, int]]:
        return set(self.on_hand) | set(self.reported)

    def settle(self) -> None:
        """The law: each account has what was reported of it, and never less than is held."""
        for key in self.keys():
            self.on_hand[key] = max(self.reported[key], sum(kept[key] for kept in self.holds.values()))

    def first_expiring(self, store: int, units: int) -> Counter[tuple[int, int]] | None:
        """What FEFO takes by the model; None where it does not suffice."""
        taken: Counter[tuple[int, int]] = Counter()
        for lot in range(3):
            if part := min(units, self.promised((store, lot))):
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
        self.reported.update(change)
        self.settle()
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

    @rule(store=STORES, lot=LOTS, units=UNITS, back=st.booleans())
    def seal(self, store: int, lot: int, units: int, back: bool) -> None:
        """Seal goods off, or put them back: they count as the store's own only on its shelf."""
        box = {"lot_no": f"L{lot}", "maker": "厂", "expires_on": date(2031 + lot, 1, 1)}
        line = {"item_code": self.yard.item, "quantity": units, "lot": box}
        kind = "release" if back else "seal"
        body = self.body(kind, place_id=self.stores[store], reason="受潮", lines=[line])
        sealed, sign = (store + SEALED, lot), 1 if back else -1
        enough = (self.on_hand[sealed] if back else self.promised((store, lot))) >= units
        change = Counter({(store, lot): sign * units, sealed: -sign * units}) if enough else None
        try:
            self.record(MOVEMENT.validate_python(body), change)
        except Invalid:  # nobody has seen the lot yet
            assert change is None

    @rule(store=STORES, lot=LOTS, units=UNITS, kind=st.sampled_from(["issue", "receive", "transfer"]))
    def report(self, store: int, lot: int, units: int, kind: str) -> None:
        """What was done offline is booked whatever the books hold; what they had not is in dispute."""
        box = {"lot_no": f"L{lot}", "maker": "厂", "expires_on": f"{2031 + lot}-01-01"}
        line = {"item_code": self.yard.item, "quantity": units, "lot": box}
        ends = {"place_id": self.stores[store]}
        if kind == "transfer":
            ends = {"from_place_id": self.stores[store], "to_place_id": self.stores[1 - store]}
        body = self.body(kind, lines=[line], **ends)
        body |= {"id": str(body["id"]), "occurred_at": body["occurred_at"].isoformat()}
        answer = self.tx(batches.record, MovementBatch(movements=[body, body]), BOSS)
        change = Counter({(store, lot): units if kind == "receive" else -units})
        if kind == "transfer":
            change[1 - store, lot] += units
        short = kind != "receive" and self.free((store, lot)) < units
        self.reported.update(change)
        self.settle()
        assert [row.outcome for row in answer.rows] == ["parked" if short else "accepted", "known"]

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

    @rule(store=STORES, units=UNITS, elsewhere=st.integers(0, 6))
    def hold(self, store: int, units: int, elsewhere: int) -> None:
        """At one store, or at both in one request: all or nothing."""
        expected = self.first_expiring(store, units)
        lines = [self.yard.line(units, place_id=self.stores[store])]
        if elsewhere:
            there = self.first_expiring(1 - store, elsewhere)
            expected = None if expected is None or there is None else expected + there
            lines.append(self.yard.line(elsewhere, place_id=self.stores[1 - store]))
        request = self.yard.request(*lines)
        try:
            self.tx(holds.hold, request, BOSS)
        except Conflict:
            assert expected is None
            return
        assert expected is not None
        self.holds[request.id] = expected

    @rule(store=STORES, lot=LOTS, units=UNITS)
    def hold_a_lot(self, store: int, lot: int, units: int) -> None:
        """A lot that is named twice in a request is counted once."""
        named = {"place_id": self.stores[store], "lot_id": self.lot_id(lot)}
        request = self.yard.request(self.yard.line(units, **named), self.yard.line(1, **named))
        enough = self.promised((store, lot)) >= units + 1
        try:
            self.tx(holds.hold, request, BOSS)
        except (Conflict, Invalid):  # Invalid: nobody has seen the lot yet
            assert not enough
            return
        assert enough
        self.holds[request.id] = Counter({(store, lot): units + 1})

    @rule(picks=st.lists(PICK, max_size=3), store=STORES, units=UNITS)
    def replace(self, picks: list[int], store: int, units: int) -> None:
        before = dict(self.holds)
        released = {list(before)[pick % len(before)] for pick in picks if before}
        for hold_id in released:
            del self.holds[hold_id]
        expected = self.first_expiring(store, units)
        request = self.yard.request(self.yard.line(units, place_id=self.stores[store]))
        try:
            self.tx(freed.replace, HoldReplace(release=sorted(released), hold=request), BOSS)
        except Conflict:
            assert expected is None
            self.holds = before
            return
        assert expected is not None
        self.holds[request.id] = expected
        self.settle()

    @rule(store=STORES, lot=LOTS, units=UNITS)
    def short_pick(self, store: int, lot: int, units: int) -> None:
        self.miss(store, lot, units, None)

    @rule(pick=PICK, where=PICK, units=UNITS)
    def short_pick_for(self, pick: int, where: int, units: int) -> None:
        """A picker misses something of what the own hold keeps."""
        if self.holds:
            picker = list(self.holds)[pick % len(self.holds)]
            keys = sorted(self.holds[picker])
            self.miss(*keys[where % len(keys)], units, picker)

    def miss(self, store: int, lot: int, units: int, picker: UUID | None) -> None:
        key = (store, lot)
        line = {"item_code": self.yard.item, "quantity": units, "lot_id": self.lot_id(lot)}
        body = self.body("short_pick", place_id=self.stores[store], picked_for=picker, lines=[line])
        if units > self.reported[key]:
            assert not self.record(MOVEMENT.validate_python(body), None)
            return
        given = self.give_up(key, self.held(key) - (self.reported[key] - units), picker)
        assert self.record(
            MOVEMENT.validate_python(body), Counter({key: -units, (store + MISSING, lot): units})
        )
        self.take_others(given, picker)
        self.holds = {hold_id: kept for hold_id, kept in self.holds.items() if kept}

    @rule(pick=PICK)
    def repick(self, pick: int) -> None:
        """Of what is in dispute where it is held, a hold gets other lots."""
        if not self.holds:
            return
        hold_id = list(self.holds)[pick % len(self.holds)]
        mine = {hold_id: self.holds[hold_id]}
        given = [
            one
            for key in list(self.holds[hold_id])
            for one in self.give_up(key, self.held(key) - max(0, self.reported[key]), None, mine)
        ]
        self.tx(freed.repick, hold_id)
        self.take_others(given, None)
        self.settle()
        self.holds = {hold_id: kept for hold_id, kept in self.holds.items() if kept}

    def give_up(
        self, key: Key, excess: int, picker: UUID | None, among: dict[UUID, Counter[Key]] | None = None
    ) -> list[tuple[UUID, Key, int]]:
        """Who held it last first, the picker at the very end."""
        newest_first = list(reversed(self.holds if among is None else among))
        given = []
        for hold_id in sorted(newest_first, key=lambda one: one == picker):
            units = min(max(0, excess), self.holds[hold_id][key])
            if units:
                given.append((hold_id, key, units))
                self.holds[hold_id] = self.holds[hold_id] - Counter({key: units})
                excess -= units
        return given

    def take_others(self, given: list[tuple[UUID, Key, int]], picker: UUID | None) -> None:
        order = list(self.holds)
        for hold_id, (store, _), units in sorted(given, key=lambda g: (g[0] != picker, order.index(g[0]))):
            for lot in range(3):
                part = min(units, self.promised((store, lot)))
                self.holds[hold_id] = self.holds[hold_id] + Counter({(store, lot): part})
                units -= part

    @rule(pick=PICK, units=UNITS)
    def draw(self, pick: int, units: int) -> None:
        if not self.holds:
            return
        hold_id = list(self.holds)[pick % len(self.holds)]
        store = next(iter(self.holds[hold_id]))[0]
        elsewhere = Counter({key: n for key, n in self.holds[hold_id].items() if key[0] != store})
        kept = self.holds[hold_id] - elsewhere
        movement = self.yard.issue(units, place_id=self.stores[store], hold_id=hold_id)
        if units > kept.total():
            assert not self.record(movement, None)
            return
        drawn: Counter[tuple[int, int]] = Counter()
        for key in sorted(kept):
            drawn[key] = min(units, kept[key])
            units -= drawn[key]
        self.holds[hold_id] = kept - drawn + elsewhere
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
            self.tx(freed.release, hold_id)
            self.settle()
            return
        with self.engine.begin() as connection:
            passed = text("UPDATE hold SET expires_at = now() - interval '1 second' WHERE id = :id")
            connection.execute(passed, {"id": hold_id})
        self.tx(holds.expire_due)
        self.tx(freed.settle_freed)
        self.settle()

    @invariant()
    def stock_is_what_the_model_says(self) -> None:
        page = self.tx(queries.stock, {"item_code": self.yard.item}, None, 100)
        found = {(r.place_id, r.lot_no): (r.on_hand, r.disputed, r.available) for r in page.rows}
        expected = {}
        for (store, lot), units in self.on_hand.items():
            disputed = units - self.reported[store, lot]
            if units or disputed:
                off = store - store % 2
                place = STATES[off] + self.stores[store % 2]
                free = 0 if off else self.promised((store, lot))
                expected[place, f"L{lot}"] = (units, disputed, free)
        assert found == expected

    def teardown(self) -> None:
        assert self.tx(runs.books).faults == []


def test_the_service_agrees_with_the_model(yard, engine):
    class Here(Books):
        pass

    Here.yard, Here.tx, Here.engine = yard, Transactions(engine), engine
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=timedelta(seconds=60),
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
