"""A store with a lot, its people, and a stocktake of it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_shared.contracts.stocktakes import StocktakeState
from chubei_shared.db import Transactions
from chubei_shared.tokens import Caller, Role, Signer
from sqlalchemy import Engine
from starlette.testclient import TestClient

S = StocktakeState
Person = Callable[..., TestClient]


@pytest.fixture(scope="session")
def person(app: Any, settings: Any) -> Person:
    """`person("zhang", Role.CLERK, "store-1")`: an HTTP client of somebody with a name."""

    def signed(name: str, role: Role, *places: str) -> TestClient:
        caller = Caller(subject=name, roles=frozenset({role}), places=frozenset(places))
        issuer = "allocation" if role is Role.SERVICE else "gateway"
        token = Signer(settings.keys_dir, issuer).issue(caller, timedelta(hours=1))
        return TestClient(app, headers={"Authorization": f"Bearer {token}"}, raise_server_exceptions=False)

    return signed


class Taking:
    """A store with a lot of 100 units, its people, and a stocktake of it."""

    def __init__(self, yard: Any, person: Person, engine: Engine) -> None:
        self.yard, self.tx, self.engine = yard, Transactions(engine), engine
        self.lot = yard.receive(100)
        self.zhang, self.wang = (person(name, Role.CLERK, yard.store) for name in ("zhang", "wang"))
        self.chief, self.boss = person("chief", Role.APPROVER), person("boss", Role.ADMIN)
        self.id = ""

    def open(self, by: TestClient | None = None, **more: Any) -> Any:
        body = {
            "id": str(uuid4()),
            "place_id": self.yard.store,
            "reason": "月末盘点",
            "voucher": "PD-1",
        } | more
        answer = (by or self.zhang).post("/v1/stocktakes", json=body)
        if answer.status_code == 201:
            self.id = body["id"]
        return answer

    def count(self, by: TestClient, units: int, at: datetime | None = None, **more: Any) -> Any:
        body = {"id": str(uuid4()), "account": self.yard.store, "units": units} | more
        body["counted_at"] = (at or self.yard.now()).isoformat()
        if "lot" not in body:
            body.setdefault("lot_id", str(self.lot))
        return by.post(f"/v1/stocktakes/{self.id}/counts", json=body)

    def step(self, by: TestClient, state: str, etag: str | None = None, **more: Any) -> Any:
        headers = {} if etag is None else {"If-Match": etag}
        body = {"id": str(uuid4()), "state": state} | more
        return by.post(f"/v1/stocktakes/{self.id}/steps", json=body, headers=headers)

    def differences(self, by: TestClient | None = None) -> tuple[list[dict[str, Any]], str]:
        answer = (by or self.chief).get(f"/v1/stocktakes/{self.id}/differences")
        assert answer.status_code == 200, answer.text
        return answer.json()["rows"], answer.headers["ETag"]

    def post(self, by: TestClient | None = None) -> Any:
        return self.step(by or self.chief, "posted", self.differences()[1])

    def sheet(self, by: TestClient | None = None) -> list[dict[str, Any]]:
        return (by or self.zhang).get(f"/v1/stocktakes/{self.id}/sheet").json()["rows"]

    def view(self) -> dict[str, Any]:
        return self.boss.get(f"/v1/stocktakes/{self.id}").json()

    def brought_to(self, state: StocktakeState) -> None:
        assert self.open().status_code == 201
        if state is S.CANCELLED:
            assert self.step(self.chief, "cancelled").status_code == 201
        if state in (S.REVIEW, S.POSTED):
            assert self.count(self.wang, 100).status_code == 201
            assert self.step(self.zhang, "review").status_code == 201
        if state is S.POSTED:
            assert self.post().status_code == 201

    def issue(self, units: int, at: datetime, lot: UUID | None = None) -> None:
        line = {"lot_id": lot or self.lot}
        self.yard.admin.record(self.yard.issue(units, occurred_at=at, line=line))


@pytest.fixture
def taking(yard: Any, person: Person, engine: Engine) -> Taking:
    return Taking(yard, person, engine)
