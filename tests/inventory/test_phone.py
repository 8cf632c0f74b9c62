"""A clerk's phone in a basement: it works without a network, loses power, repeats, has a wrong clock, an old token."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory.movements import movements
from chubei_shared.contracts.catalogue import Lot, PlaceKind, lot_id
from chubei_shared.contracts.stock import Receive
from chubei_shared.settings import Settings
from chubei_shared.tokens import Caller, Role, Signer
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

BOX = {"lot_no": "A1", "maker": "厂", "expires_on": "2031-01-01"}


class PowerLost(Exception):
    """The battery is empty, or the connection broke: what was in memory is gone."""


class Phone:
    """All that survives is in `disk`; a report is written there before it is sent, and struck off once answered."""

    def __init__(self, app: FastAPI, settings: Settings, store: str, disk: Path) -> None:
        self.app, self.settings, self.store, self.disk = app, settings, store, disk
        self.clock_off = timedelta()
        self.token = self.signed(timedelta(hours=1))
        self.kit: dict[str, Any] = {"bins": {}, "lots": {}, "items": {}, "cursor": None}

    def signed(self, life: timedelta) -> str:
        clerk = Caller("clerk-wang", frozenset({Role.CLERK}), places=frozenset({self.store}))
        return Signer(self.settings.keys_dir, "gateway").issue(clerk, life)

    def sign_in(self) -> None:
        self.token = self.signed(timedelta(hours=1))

    def http(self) -> TestClient:
        headers = {"Authorization": f"Bearer {self.token}"}
        return TestClient(self.app, headers=headers, raise_server_exceptions=False)

    # Working without a network

    def waiting(self) -> list[dict[str, Any]]:
        return json.loads(self.disk.read_text()) if self.disk.exists() else []

    def keep(self, reports: list[dict[str, Any]]) -> None:
        whole = self.disk.with_suffix(".new")
        whole.write_text(json.dumps(reports))
        whole.replace(self.disk)  # all of it or what was there before

    def write_down(self, kind: str, item: str, quantity: int) -> dict[str, Any]:
        body = {
            "kind": kind, "id": str(uuid4()), "occurred_at": (datetime.now(UTC) + self.clock_off).isoformat(),
            "place_id": self.store, "lines": [{"item_code": item, "quantity": quantity, "lot": BOX}],
        }  # fmt: skip
        self.keep([*self.waiting(), body])
        return body

    # With a network

    def sync(
        self, size: int = 3, lose_power_at: int | None = None, answer_lost_at: int | None = None
    ) -> list[dict]:
        """Send what waits, in batches; the n-th may break before it is sent, or before its answer is kept."""
        answers = []
        number = 0
        while waiting := self.waiting():
            if number == lose_power_at:
                raise PowerLost
            answer = self.http().post("/v1/movements:batch", json={"movements": waiting[:size]})
            if number == answer_lost_at:
                raise PowerLost
            if answer.status_code != 200:
                return [answer.json()]
            answers += answer.json()["rows"]
            self.keep(waiting[size:])
            number += 1
        return answers

    def refresh(self) -> dict[str, Any]:
        query = {"place_id": self.store} | ({"since": self.kit["cursor"]} if self.kit["cursor"] else {})
        told = self.http().get("/v1/offline-kit", params=query).json()
        if told["whole"]:
            self.kit["bins"] = {}
        for one in told["bins"]:
            self.kit["bins"][one["account"], one["lot_id"]] = one["units"]
        self.kit["bins"] = {key: units for key, units in self.kit["bins"].items() if units}
        self.kit["lots"] |= {one["id"]: one for one in told["lots"]}
        self.kit["items"] = (
            {one["code"]: one for one in told["items"]} if told["items"] else self.kit["items"]
        )
        self.kit["cursor"] = told["cursor"]
        return told

    def shelf(self) -> int:
        return sum(units for (account, _), units in self.kit["bins"].items() if account == self.store)


@pytest.fixture
def phone(yard: Any, app: FastAPI, settings: Settings, tmp_path: Path) -> Phone:
    return Phone(app, settings, yard.store, tmp_path / "reports.json")


def test_power_lost_at_every_moment_and_nothing_is_lost_or_counted_twice(yard, phone):
    chance = random.Random(7)  # noqa: S311
    expected = 0
    for _ in range(12):
        for _ in range(chance.randint(1, 9)):
            kind, units = chance.choice(["receive", "receive", "issue"]), chance.randint(1, 5)
            phone.write_down(kind, yard.item, units)
            expected += units if kind == "receive" else -units
        for breaks in ({"lose_power_at": 1}, {"answer_lost_at": 0}, {"answer_lost_at": 1}):
            try:
                phone.sync(**breaks)
            except PowerLost:
                phone = Phone(
                    phone.app, phone.settings, phone.store, phone.disk
                )  # on again: only the disk is left
    phone.sync()
    row = yard.admin.stock(place_id=yard.store, item_code=yard.item).rows[0]
    assert row.on_hand - row.disputed == expected
    assert phone.waiting() == []
    assert yard.books_balance()


def test_a_token_that_expired_a_day_ago_costs_a_sign_in_and_no_report(yard, phone):
    phone.write_down("receive", yard.item, 10)
    phone.token = phone.signed(timedelta(days=-1))
    assert phone.sync()[0]["status"] == 401
    assert len(phone.waiting()) == 1
    phone.sign_in()
    assert [row["outcome"] for row in phone.sync()] == ["accepted"]
    view = yard.admin.movements(place_id=yard.store).rows[0]
    assert view.recorded_by == "clerk-wang"


@pytest.mark.parametrize(("off", "outcome"), [(-400, "accepted"), (0.5, "accepted"), (3, "parked")])
def test_a_wrong_clock_loses_nothing(yard, phone, sign_in, off, outcome):
    """Behind, or a little ahead: it is booked with both times. Days ahead: a supervisor says when it was."""
    phone.clock_off = timedelta(days=off)
    body = phone.write_down("receive", yard.item, 10)
    assert [row["outcome"] for row in phone.sync()] == [outcome]
    if outcome == "parked":
        parked = phone.http().get("/v1/parked-movements", params={"place_id": yard.store}).json()["rows"][0]
        right = body | {"occurred_at": datetime.now(UTC).isoformat()}
        path = f"/v1/parked-movements/{parked['key']}:accept"
        sign_in(Role.APPROVER).post(path, json={"reason": "时钟有误", "movement": right})
    assert yard.stock()[0] == 10
    view = yard.admin.movement(UUID(body["id"]))
    assert abs(view.recorded_at - datetime.now(UTC)) < timedelta(hours=1)
    told = datetime.fromisoformat(body["occurred_at"])
    assert view.occurred_at == told if outcome == "accepted" else view.occurred_at < told


# The kit


def test_the_kit_is_what_is_there_and_then_what_has_changed(yard, phone):
    yard.receive(10, lot_no="A1")
    phone.write_down("receive", yard.item, 4)
    phone.sync()
    whole = phone.refresh()
    assert whole["whole"]
    assert phone.shelf() == 14
    assert yard.item in phone.kit["items"]
    nothing = phone.refresh()
    assert (nothing["whole"], nothing["items"], nothing["bins"]) == (False, None, [])
    yard.admin.record(yard.issue(14))
    hold_free = phone.refresh()
    assert phone.shelf() == 0
    assert hold_free["items"] is None
    late = yard.receive(5)
    yard.hold(3)
    told = phone.refresh()
    assert str(late) in phone.kit["lots"]
    assert [line["outstanding"] for hold in told["holds"] for line in hold["lines"]] == [3]


def test_a_kit_says_what_is_off_the_shelf_in_dispute_and_parked(yard, phone):
    phone.write_down("issue", yard.item, 4)
    no_lot = phone.write_down("issue", yard.item, 1)
    no_lot["lines"][0].pop("lot")
    phone.keep([*phone.waiting()[:1], no_lot])
    phone.refresh()
    phone.sync()
    told = phone.refresh()
    lot = str(lot_id(yard.item, Lot.model_validate(BOX)))
    assert phone.kit["bins"] == {(f"disputed:{yard.store}", lot): -4}
    assert [(one["id"], one["reason"]) for one in told["parked"]] == [(no_lot["id"], "no_lot")]


def test_changes_that_commit_late_are_not_missed(yard, phone, engine: Engine):
    """Seen in systems that count on a sequence: row 7 is read and the cursor moves on, then row 6 commits."""
    boss = Caller("boss", frozenset({Role.SERVICE}))

    def receipt(number: int) -> Receive:
        line = {"item_code": yard.item, "quantity": 10**number, "lot": BOX | {"lot_no": f"L{number}"}}
        head = {"kind": "receive", "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store}
        return Receive.model_validate(head | {"lines": [line]})

    phone.refresh()
    with Session(engine) as slow:
        movements.record(slow, receipt(0), boss)  # has its numbers, and is not committed yet
        with Session(engine) as quick, quick.begin():
            movements.record(quick, receipt(1), boss)
        phone.refresh()
        assert phone.shelf() == 10
        slow.commit()
    phone.refresh()
    assert phone.shelf() == 11


def test_kits_of_many_places_do_not_mix(yard, phone):
    yard.receive(10)
    other = yard.place(PlaceKind.STORE)
    cursor = phone.refresh()["cursor"]
    told = phone.http().get("/v1/offline-kit", params={"place_id": other, "since": cursor}).json()
    assert (told["whole"], told["bins"]) == (True, [])
    assert phone.http().get("/v1/offline-kit", params={"place_id": "nowhere"}).status_code == 404


def test_the_kit_and_the_stock_agree_after_any_work(yard, phone):
    chance = random.Random(3)  # noqa: S311
    for _ in range(10):
        for _ in range(chance.randint(1, 4)):
            phone.write_down(chance.choice(["receive", "issue", "seal"]), yard.item, chance.randint(1, 9))
        reports = [body | ({"reason": "x"} if body["kind"] == "seal" else {}) for body in phone.waiting()]
        phone.keep(reports)
        phone.sync(size=chance.randint(1, 4))
        phone.refresh()
        rows = yard.admin.stock(at_place_id=yard.store).rows
        there = Counter({row.place_id: row.on_hand for row in rows if row.on_hand})
        assert {a: u for (a, _), u in phone.kit["bins"].items() if not a.startswith("disputed:")} == there
        in_dispute = sum(row.disputed for row in rows)
        assert -sum(u for (a, _), u in phone.kit["bins"].items() if a.startswith("disputed:")) == in_dispute
