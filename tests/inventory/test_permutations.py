"""A clerk's offline day in any order, in any batches, with any repeats: the books end the same.

The proof stands in chubei_inventory.facts; here it is tried on PostgreSQL, for 1,000 orders of one day and for
days that hypothesis makes up.
"""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory.offline import batches
from chubei_inventory.proof import runs
from chubei_shared.contracts.batches import MovementBatch
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.db import Transactions
from chubei_shared.tokens import Caller, Role
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

ORDERS, TOWNS = 1000, 10
MORNING = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
Day = list[dict[str, Any]]
State = tuple[Any, ...]


def box(lot: int) -> dict[str, Any]:
    return {"lot_no": f"L{lot}", "maker": "厂", "expires_on": "2031-01-01"}


class Town:
    """Two stores and an item of their own for one run of a day; their names are left out when states are compared."""

    def __init__(self, yard: Any, tx: Transactions, engine: Engine) -> None:
        self.tx, self.engine, self.item = tx, engine, yard.new_item(returnable=True)
        self.stores = [yard.place(PlaceKind.STORE) for _ in range(2)]
        self.ids: dict[UUID, UUID] = {}

    def own(self, told: UUID) -> str:
        return str(self.ids.setdefault(told, uuid4()))

    def local(self, body: dict[str, Any]) -> dict[str, Any]:
        """A report of the day as this town's clerk sends it: ids, places and the item are the town's."""
        here = dict(body)
        for field in ("id", "reverses_id", "sent_id"):
            if field in here:
                here[field] = self.own(here[field])
        for field in ("place_id", "from_place_id", "to_place_id", "issued_from"):
            if field in here:
                here[field] = self.stores[here[field]]
        if "lines" in here:
            here["lines"] = [{"item_code": self.item, **line} for line in here["lines"]]
        return here

    def state(self) -> State:
        """All that the books say, with the town's names replaced by the day's."""
        names = {place: f"store {n}" for n, place in enumerate(self.stores)}
        told = {str(own): str(id_) for id_, own in self.ids.items()}

        def plain(value: str) -> str:
            for own, name in (names | told).items():
                value = value.replace(own, name)
            return value

        with self.engine.connect() as sql:
            balances = sql.execute(_BALANCES, {"item": self.item}).all()
            facts = sql.execute(_FACTS, {"item": self.item}).all()
            parked = sql.execute(_PARKED, {"ids": list(self.ids.values())}).all()
        return (
            sorted((plain(r.place_id), r.lot_no, r.on_hand, r.held) for r in balances),
            sorted((plain(str(r.id)), plain(r.account), r.lot_no, r.quantity) for r in facts),
            sorted((plain(str(r.id)), r.reason) for r in parked),
        )


def report(towns: Sequence[Town], batches_of: Sequence[Day]) -> None:
    """Each town's batch, all in one: their clerk works in all of them, and nothing of one is another's business."""
    clerk = Caller(
        "clerk", frozenset({Role.CLERK}), places=frozenset(p for town in towns for p in town.stores)
    )
    bodies = [town.local(body) for town, batch in zip(towns, batches_of, strict=True) for body in batch]
    if bodies:
        towns[0].tx(batches.record, MovementBatch(movements=bodies), clerk)


_BALANCES = text(
    "SELECT b.place_id, l.lot_no, b.on_hand, b.held FROM balance b JOIN lot l ON l.id = b.lot_id "
    "WHERE b.item_code = :item AND b.on_hand <> 0"
)
_FACTS = text(
    "SELECT m.id, regexp_replace(e.place_id, '^disputed:', '') AS account, l.lot_no, sum(e.quantity) AS quantity "
    "FROM entry e JOIN movement m ON m.seq = e.movement_seq JOIN lot l ON l.id = e.lot_id "
    "WHERE e.item_code = :item GROUP BY m.id, account, l.lot_no HAVING sum(e.quantity) <> 0"
)
_PARKED = text("SELECT id, reason FROM parked WHERE status = 'open' AND id = ANY(:ids)")


def made_up(number: int, kind: str, lot: int = 1, **fields: Any) -> dict[str, Any]:
    """The number-th report of a day."""
    line = {"lot": box(lot)} | {
        k: fields.pop(k) for k in ("quantity", "change", "good", "repair", "lost") if k in fields
    }
    line |= {
        k: fields.pop(k) for k in ("received", "damaged", "short", "returned", "destroyed") if k in fields
    }
    head = {
        "kind": kind,
        "id": UUID(int=number),
        "occurred_at": (MORNING + timedelta(minutes=number)).isoformat(),
    }
    if kind == "reverse":
        return head | fields
    elsewhere = "from_place_id" in fields
    return head | ({} if elsewhere else {"place_id": 0}) | fields | {"lines": [line]}


def a_day() -> Day:
    """Twenty-two reports: most need another one to be there first, some never had the goods, two can not be booked."""
    away = {"from_place_id": 0, "to_place_id": 1}
    return [
        made_up(1, "receive", quantity=10),
        made_up(2, "issue", quantity=6),
        made_up(3, "issue", quantity=12),  # three more than there ever were
        made_up(4, "receive", 2, quantity=50),
        made_up(5, "transfer", 2, quantity=20, **away),
        made_up(6, "issue", 2, quantity=13, place_id=1),
        made_up(7, "send", 2, quantity=15, **away),
        made_up(8, "arrive", 2, received=12, damaged=2, short=1, place_id=1, sent_id=UUID(int=7)),
        made_up(9, "seal", 2, quantity=5, reason="受潮"),
        made_up(10, "release", 2, quantity=3),
        made_up(11, "issue", 3, quantity=4),  # of a lot that never came
        made_up(12, "reverse", reverses_id=UUID(int=5)),  # so the other store has given out what it never had
        made_up(13, "return", good=5, repair=1, issued_from=0),
        made_up(14, "test", 2, quantity=2),
        made_up(15, "tested", 2, returned=1, destroyed=1, passed=True),
        made_up(16, "adjust", 2, change=-1, reason="盘点"),
        made_up(17, "pack", 2, quantity=4, module_id="M1"),
        made_up(18, "move_module", 2, quantity=4, module_id="M1", **away),
        made_up(19, "scrap", 2, quantity=1, reason="破损"),  # waits for an approver
        made_up(20, "reverse", reverses_id=UUID(int=99)),  # of nothing
        made_up(21, "short_pick", 2, quantity=2),
        made_up(22, "release", 2, quantity=1, from_state="missing"),
    ]


def shuffled_batches(day: Day, chance: random.Random) -> list[Day]:
    """The day in another order, cut into batches anywhere, some reports sent again, some batches sent again."""
    sent = day + chance.sample(day, chance.randint(0, len(day) // 3))
    chance.shuffle(sent)
    cuts = sorted(chance.sample(range(1, len(sent)), chance.randint(0, min(5, len(sent) - 1))))
    parts = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    return parts + chance.sample(parts, chance.randint(0, 1))


@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_orders_of_a_day_end_in_one_state(yard, engine, seed):
    """Four times 250, ten towns at a time."""
    tx, chance = Transactions(engine), random.Random(seed)  # noqa: S311
    straight = Town(yard, tx, engine)
    report([straight], [a_day()])
    expected = straight.state()
    assert [row[:3] for row in expected[0] if row[0].startswith("disputed:")] == [
        ("disputed:store 0", "L1", -3), ("disputed:store 0", "L3", -4), ("disputed:store 1", "L2", -1),
    ]  # fmt: skip
    assert [reason for _, reason in expected[2]] == ["needs_approval", "waits"]
    for _ in range(ORDERS // 4 // TOWNS):
        towns = [Town(yard, tx, engine) for _ in range(TOWNS)]
        days_of = [shuffled_batches(a_day(), chance) for _ in towns]
        for turn in zip_longest(*days_of, fillvalue=[]):
            report(towns, turn)
        for town in towns:
            assert town.state() == expected
    assert tx(runs.books).faults == []


# Days that hypothesis makes up, against a model of a few lines


STORES, LOTS, UNITS = st.integers(0, 1), st.integers(1, 2), st.integers(1, 9)


@st.composite
def days(draw: Any) -> Day:
    day: Day = []
    for number in range(1, draw(st.integers(2, 9)) + 1):
        kind = draw(st.sampled_from(["receive", "issue", "transfer", "seal", "adjust", "reverse"]))
        lot, units, store = draw(LOTS), draw(UNITS), draw(STORES)
        if kind == "reverse":
            day.append(made_up(number, kind, reverses_id=UUID(int=draw(st.integers(1, 9)))))
        elif kind == "transfer":
            day.append(made_up(number, kind, lot, quantity=units, from_place_id=store, to_place_id=1 - store))
        elif kind == "adjust":
            day.append(
                made_up(number, kind, lot, change=draw(st.sampled_from([units, -units])), place_id=store)
            )
        else:
            day.append(made_up(number, kind, lot, quantity=units, place_id=store, reason="x"))
    return day


def sums(day: Sequence[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """The model: the sum of all reports on the stores' shelves and seals; a reversal takes its original back out."""
    plain = {body["id"]: body for body in day if body["kind"] != "reverse"}
    undone = {body["reverses_id"] for body in day if body["kind"] == "reverse"}
    total: Counter[tuple[str, str]] = Counter()
    for id_, body in plain.items():
        if id_ in undone:
            continue
        line = body["lines"][0]
        lot, units = line["lot"]["lot_no"], line.get("quantity", line.get("change"))
        here = f"store {body.get('place_id', body.get('from_place_id'))}"
        changes = {
            "receive": {here: units}, "issue": {here: -units, f"lent:{here}": units}, "adjust": {here: units},
            "seal": {here: -units, f"sealed:{here}": units},
            "transfer": {here: -units, f"store {body.get('to_place_id')}": units},
        }[body["kind"]]  # fmt: skip
        for account, change in changes.items():
            total[account, lot] += change
    return total


@given(days(), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_day_in_any_order_is_the_sum_of_its_reports(yard, engine, day, seed):
    town = Town(yard, Transactions(engine), engine)
    for batch in shuffled_batches(day, random.Random(seed)):  # noqa: S311
        report([town], [batch])
    balances = {(place, lot): units for place, lot, units, _ in town.state()[0] if "outside" not in place}
    expected = {
        (account if units > 0 else f"disputed:{account}", lot): units
        for (account, lot), units in sums(day).items()
        if units
    }
    assert balances == expected
