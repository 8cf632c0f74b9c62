"""What a custodian and the nightly run do at a yard."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory.care import nightly
from chubei_shared.china import CHINA, day
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.db import Transactions
from chubei_shared.tokens import Role
from sqlalchemy import Engine, text

NOON = datetime.now(CHINA).replace(hour=12, minute=0)
TODAY = day(NOON)


class Keeper:
    """What a custodian and the nightly run do at a yard."""

    def __init__(self, yard: Any, engine: Engine, sign_in: Any) -> None:
        self.yard, self.tx = yard, Transactions(engine)
        self.admin, self.clerk = sign_in(Role.ADMIN), sign_in(Role.CLERK, yard.store)

    def receive(
        self,
        units: int = 100,
        made: date | None = None,
        expires: date | None = None,
        days_ago: int = 0,
        **lot: Any,
    ) -> UUID:
        box = {"lot_no": uuid4().hex[:8], "maker": "厂", "made_on": made, "expires_on": expires} | lot
        return self.book(
            "receive", lines=[{"item_code": self.yard.item, "quantity": units, "lot": box}],
            occurred_at=NOON - timedelta(days=days_ago),
        ).entries[0].lot_id  # fmt: skip

    def book(self, kind: str, **body: Any) -> Any:
        head = {
            "kind": kind,
            "id": uuid4(),
            "occurred_at": NOON - timedelta(hours=13),
            "place_id": self.yard.store,
        }
        return self.yard.admin.record(MOVEMENT.validate_python(head | body))

    def due(self, kind: str, **query: Any) -> list[dict[str, Any]]:
        found = self.clerk.get(f"/v1/care/due/{kind}", params={"place_id": self.yard.store} | query)
        assert found.status_code == 200, found.text
        return found.json()["rows"]

    def run(self, days: int = 0) -> Any:
        """The run of a night so many days from now."""
        return self.tx(nightly.run, NOON + timedelta(days=days))

    def tasks(self, kind: str, **query: Any) -> list[dict[str, Any]]:
        asked = {"kind": kind, "place_id": self.yard.store} | query
        return self.clerk.get("/v1/care/tasks", params=asked).json()["rows"]

    def step(self, task: dict[str, Any], state: str, by: Any = None, **more: Any) -> Any:
        body = {"id": str(uuid4()), "state": state, "happened_at": (NOON - timedelta(hours=12)).isoformat()}
        return (by or self.clerk).post(f"/v1/care/tasks/{task['id']}/steps", json=body | more)


@pytest.fixture
def keeper(yard: Any, engine: Engine, sign_in: Any) -> Keeper:
    return Keeper(yard, engine, sign_in)


@pytest.fixture
def told(engine: Engine) -> Callable[[str, str], list[Any]]:
    """The events of a topic about a place."""

    def read(topic: str, place_id: str) -> list[Any]:
        with engine.connect() as sql:
            of = text("SELECT body FROM outbox WHERE topic = :t AND body->>'place_id' = :p ORDER BY id")
            return list(sql.scalars(of, {"t": topic, "p": place_id}))

    return read
