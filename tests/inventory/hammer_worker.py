"""One of many processes at the same few lots: `python hammer_worker.py`, with its orders as JSON on standard input.

Prints what it did as JSON: units by kind, refusals, and every deadlock or serialization failure that it met.
"""

import json
import random
import sys
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from chubei_inventory.movements import movements
from chubei_inventory.offline import batches
from chubei_shared.contracts.batches import MovementBatch
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.db import Transactions, make_engine
from chubei_shared.errors import Conflict
from chubei_shared.tokens import Caller, Role
from sqlalchemy import event, make_url
from sqlalchemy.engine import ExceptionContext

BOSS = Caller("hammer", frozenset({Role.SERVICE}))


class Worker:
    def __init__(self, orders: dict[str, Any]) -> None:
        self.items, self.stores = orders["items"], orders["stores"]
        self.chance = random.Random(orders["seed"])  # noqa: S311
        self.done: Counter[str] = Counter()
        engine = make_engine(make_url(orders["url"]), pool_size=1)
        event.listen(engine, "handle_error", self.watch)
        self.tx = Transactions(engine)

    def watch(self, context: ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) in ("40P01", "40001"):
            self.done["deadlocks"] += 1

    def body(self, kind: str, units: int, codes: list[str], **fields: Any) -> dict[str, Any]:
        head = {"kind": kind, "id": str(uuid4()), "occurred_at": datetime.now(UTC).isoformat()}
        return head | fields | {"lines": [{"item_code": code, "quantity": units} for code in codes]}

    def act(self) -> None:
        units, (here, there) = self.chance.randint(1, 4), self.chance.sample(self.stores, 2)
        codes = self.chance.sample(self.items, self.chance.randint(1, 3))  # in any order
        kind = self.chance.choice(["issue", "issue", "transfer", "batch"])
        if kind == "batch":
            box = {"lot_no": "HOT", "maker": "厂", "expires_on": "2031-01-01"}
            reports = [self.body(what, units, codes, place_id=here) for what in ("issue", "receive")]
            for line in (line for report in reports for line in report["lines"]):
                line["lot"] = box
            self.tx(batches.record, MovementBatch(movements=reports), BOSS)
            self.done["in"] += units * len(codes)
            self.done["out"] += units * len(codes)
        elif kind == "transfer":
            self.record(self.body("transfer", units, codes, from_place_id=here, to_place_id=there))
        elif self.record(self.body("issue", units, codes, place_id=here)):
            self.done["out"] += units * len(codes)

    def record(self, body: dict[str, Any]) -> bool:
        """Whether it was not refused; half of them are sent twice."""
        try:
            for _ in range(self.chance.randint(1, 2)):
                self.tx(movements.record, MOVEMENT.validate_python(body), BOSS)
        except Conflict:
            self.done["refused"] += 1
            return False
        self.done["recorded"] += 1
        return True


def main() -> None:
    orders = json.load(sys.stdin)
    worker = Worker(orders)
    for _ in range(orders["acts"]):
        worker.act()
    print(json.dumps(worker.done, default=lambda one: str(UUID(one))))


if __name__ == "__main__":
    main()
