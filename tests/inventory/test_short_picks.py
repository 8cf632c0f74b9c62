"""Lots that are held and can not be had after all: short picks, recalls, disputes; what holds get instead."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from chubei_inventory.holds.repicks import Kept, yielding
from chubei_inventory.ledger.fefo import Shelf, barred
from chubei_inventory.stock.pool import Row
from chubei_shared.contracts.batches import MovementBatch
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.holds import HoldStatus, HoldView, Why
from chubei_shared.contracts.movements import MOVEMENT, Movement
from chubei_shared.contracts.recalls import Recall
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound, Shortage
from chubei_shared.tokens import Role
from sqlalchemy import text

EARLY, NEXT, LATE = (date(year, 1, 1) for year in (2031, 2032, 2033))


def movement(yard: Any, kind: str, lot_id: UUID, units: int, **fields: Any) -> Movement:
    line = {"item_code": yard.item, "lot_id": lot_id, "quantity": units}
    body = {"kind": kind, "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store, "lines": [line]}
    return MOVEMENT.validate_python(body | fields)


def kept(view: HoldView) -> dict[UUID | None, int]:
    sums: dict[UUID | None, int] = {}
    for line in view.lines:
        if line.outstanding:
            sums[line.lot_id] = sums.get(line.lot_id, 0) + line.outstanding
    return sums


def told(view: HoldView) -> list[tuple[UUID, Why, int, int, int]]:
    return [(r.lot_id, r.reason, r.units, r.moved, r.short) for r in view.repicked]


@pytest.fixture
def events(engine: Any) -> Callable[[UUID], list[tuple[str, int]]]:
    """What the outbox says of a hold: topics and what is short."""

    def of(hold_id: UUID) -> list[tuple[str, int]]:
        asked = "SELECT topic, body FROM outbox WHERE body->>'hold_id' = :id AND body ? 'short' ORDER BY id"
        with engine.connect() as connection:
            return [(r.topic, r.body["short"]) for r in connection.execute(text(asked), {"id": str(hold_id)})]

    return of


def test_what_the_picker_does_not_find_comes_from_the_lot_that_expires_next(yard, events):
    early, late, after = yard.receive(10, EARLY), yard.receive(10, LATE), yard.receive(10, NEXT)
    hold_id = yard.hold(10)
    yard.admin.record(movement(yard, "short_pick", early, 6, picked_for=hold_id))
    view = yard.service.get_hold(hold_id)
    assert kept(view) == {early: 4, after: 6}
    assert told(view) == [(early, Why.MISSING, 6, 6, 0)]
    assert events(hold_id) == [("hold.repicked", 0)]
    assert yard.stock() == (24, 10, 14)
    assert yard.stock(f"missing:{yard.store}") == (6, 0, 0)
    loaded = yard.service.record(yard.issue(10, hold_id=hold_id))
    assert {e.lot_id: -e.quantity for e in loaded.entries if e.quantity < 0} == {early: 4, after: 6}
    assert yard.service.get_hold(hold_id).status is HoldStatus.ISSUED
    assert late not in kept(view)
    assert yard.books_balance()


def test_where_no_other_lot_is_free_the_shortfall_is_told(yard, events):
    lot_id, other = yard.receive(10, EARLY), yard.receive(3, NEXT)
    hold_id = yard.hold(9)
    short = movement(yard, "short_pick", lot_id, 8, picked_for=hold_id)
    first = yard.admin.record(short)
    view = yard.service.get_hold(hold_id)
    assert (kept(view), told(view)) == ({lot_id: 2, other: 3}, [(lot_id, Why.MISSING, 7, 3, 4)])
    assert view.repicked[0].movement_id == short.id
    assert events(hold_id) == [("hold.short", 4)]
    with pytest.raises(Shortage) as refused:
        yard.service.record(yard.issue(9, hold_id=hold_id))
    assert refused.value.more["shortages"][0]["available"] == 5
    assert yard.admin.record(short) == first, "sent again, it is the same report"
    assert told(yard.service.get_hold(hold_id)) == told(view)
    assert yard.books_balance()


def test_who_picks_keeps_what_was_found_and_who_held_last_gives_up_first(yard):
    lot_id = yard.receive(30, EARLY)
    oldest, picker, newest = (yard.hold(10) for _ in range(3))
    yard.admin.record(movement(yard, "short_pick", lot_id, 15, picked_for=picker))
    left = {hold_id: kept(yard.service.get_hold(hold_id)) for hold_id in (oldest, picker, newest)}
    assert left == {oldest: {lot_id: 5}, picker: {lot_id: 10}, newest: {}}


def test_what_is_free_is_missed_before_what_is_held(yard):
    lot_id = yard.receive(10, EARLY)
    hold_id = yard.hold(6)
    yard.admin.record(movement(yard, "short_pick", lot_id, 4))
    view = yard.service.get_hold(hold_id)
    assert (kept(view), view.repicked) == ({lot_id: 6}, [])
    assert yard.stock() == (6, 6, 0)


def test_nothing_that_expires_by_arrival_and_nothing_given_takes_the_place_of_what_is_missing(yard):
    arrives = yard.now() + timedelta(days=5)
    lot_id = yard.receive(5, LATE)
    hold_id = yard.service.hold(yard.request(yard.line(5, needed_at=arrives))).id
    yard.receive(5, yard.today() + timedelta(days=3))
    box = {"lot_no": "D", "maker": "厂", "expires_on": LATE, "owner": "donor"}
    line = {"item_code": yard.item, "quantity": 5, "lot": box}
    yard.admin.record(movement(yard, "receive", lot_id, 5, lines=[line]))
    yard.admin.record(movement(yard, "short_pick", lot_id, 5, picked_for=hold_id))
    assert told(yard.service.get_hold(hold_id)) == [(lot_id, Why.MISSING, 5, 0, 5)]


def test_more_than_the_books_have_is_not_missing(yard):
    lot_id = yard.receive(10)
    with pytest.raises(Conflict, match="have 10 of lot"):
        yard.admin.record(movement(yard, "short_pick", lot_id, 11))
    with pytest.raises(NotFound):
        yard.admin.record(movement(yard, "short_pick", lot_id, 1, picked_for=uuid4()))
    nameless = {"lines": [{"item_code": yard.item, "quantity": 1}]}
    with pytest.raises(Invalid, match=r"lines\.0\.lot_id"):
        yard.admin.record(movement(yard, "short_pick", lot_id, 1, **nameless))
    assert yard.stock() == (10, 0, 10)


def test_what_is_found_again_goes_back_and_what_stays_missing_is_written_off_by_two(yard, sign_in):
    lot_id = yard.receive(10)
    yard.admin.record(movement(yard, "short_pick", lot_id, 5))
    with pytest.raises(Shortage):
        yard.admin.record(yard.issue(6))
    yard.admin.record(movement(yard, "release", lot_id, 2, from_state="missing"))
    off = movement(yard, "scrap", lot_id, 3, from_state="missing", reason="盘亏")
    with pytest.raises(Forbidden, match="approval"):
        yard.admin.record(off)
    (answer,) = yard.admin.record_batch(MovementBatch(movements=[off.model_dump(mode="json")])).rows
    assert answer.reason == "needs_approval"
    boss = sign_in(Role.APPROVER)
    parked = boss.get("/v1/parked-movements", params={"place_id": yard.store}).json()["rows"]
    answer = boss.post(f"/v1/parked-movements/{parked[0]['key']}:accept", json={"reason": "三人复点"})
    assert answer.status_code == 200, answer.text
    assert (yard.stock(), yard.stock(f"missing:{yard.store}")) == ((7, 0, 7), (0, 0, 0))
    entries = yard.admin.movement(off.id).entries
    assert {e.place_id: e.quantity for e in entries} == {f"missing:{yard.store}": -3, "outside:adjusted": 3}


def test_a_clerk_reports_it_at_the_own_store_only(yard, sign_in):
    lot_id = yard.receive(10)
    body = movement(yard, "short_pick", lot_id, 1).model_dump(mode="json")
    assert sign_in(Role.CLERK, "another-store").post("/v1/movements", json=body).status_code == 403
    assert sign_in(Role.CLERK, yard.store).post("/v1/movements", json=body).status_code == 201


def test_reported_offline_it_is_in_dispute_until_the_hold_gets_other_lots(yard):
    lot_id, other = yard.receive(10, EARLY), yard.receive(10, NEXT)
    hold_id = yard.hold(10)
    short = movement(yard, "short_pick", lot_id, 4).model_dump(mode="json")
    (answer,) = yard.admin.record_batch(MovementBatch(movements=[short])).rows
    assert answer.reason == "short"
    assert kept(yard.service.get_hold(hold_id)) == {lot_id: 10}
    view = yard.service.repick(hold_id)
    assert (kept(view), told(view)) == ({lot_id: 6, other: 4}, [(lot_id, Why.DISPUTED, 4, 4, 0)])
    rows = yard.admin.stock(place_id=yard.store, item_code=yard.item).rows
    assert {r.lot_id: (r.on_hand, r.held, r.disputed) for r in rows} == {lot_id: (6, 6, 0), other: (10, 4, 0)}
    assert yard.service.repick(hold_id) == view
    assert yard.books_balance()


def test_a_recall_gives_plans_other_lots_at_once(yard, sign_in, events):
    recalled, other = yard.receive(10, EARLY, lot_no="R1"), yard.receive(6, NEXT)
    far = yard.place(PlaceKind.STORE)
    yard.receive(5, EARLY, lot_no="R1", place=far)
    hold_id = yard.service.hold(yard.request(yard.line(8), yard.line(5, place_id=far))).id
    body = Recall(
        id=uuid4(), maker="厂", lot_no="R1", item_code=yard.item, occurred_at=yard.now(), reason="抽检"
    )
    answer = sign_in(Role.COMMANDER).post("/v1/recalls", json=body.model_dump(mode="json"))
    assert [row["held"] for row in answer.json()["stock"]] == [0, 0]
    view = yard.service.get_hold(hold_id)
    assert kept(view) == {other: 6}
    assert sorted(told(view), key=str) == [
        (recalled, Why.RECALLED, 5, 0, 5), (recalled, Why.RECALLED, 8, 6, 2),
    ]  # fmt: skip
    assert [topic for topic, _ in events(hold_id)] == ["hold.short", "hold.short"]
    assert yard.books_balance()


def test_a_hold_that_is_over_is_not_repicked(yard, expire):
    lot_id = yard.receive(10, EARLY)
    yard.receive(10, NEXT)
    hold_id = yard.hold(10)
    expire(hold_id)
    yard.admin.record(movement(yard, "short_pick", lot_id, 4, picked_for=hold_id))
    view = yard.service.repick(hold_id)
    assert (view.status, view.repicked, yard.stock()[1]) == (HoldStatus.EXPIRED, [], 0)
    with pytest.raises(NotFound):
        yard.service.repick(uuid4())


def test_who_may_repick(yard, sign_in):
    yard.receive(10)
    path = f"/v1/holds/{yard.hold(5)}:repick"
    for role, status in ((Role.CLERK, 403), (Role.APPROVER, 403), (Role.AUDITOR, 403), (Role.COMMANDER, 200)):
        assert sign_in(role, yard.store).post(path).status_code == status


def test_units_are_given_up_once_each():
    day, now = date(2026, 11, 21), "2026-11-21T00:00:0{}+00:00"
    of_lot = [
        Kept(
            UUID(int=n),
            1,
            Row("S", "1"),
            Shelf(UUID(int=9), "L", None, None, "ok", 5),
            day,
            "p",
            now.format(n),
        )
        for n in (1, 2, 3)
    ]
    given = yielding(of_lot, 7, barred(Why.MISSING), first=UUID(int=3))
    assert [(g.kept.hold_id.int, g.units) for g in given] == [(2, 5), (1, 2)]
    assert yielding(of_lot, 0, barred(Why.MISSING)) == yielding(of_lot, -4, barred(Why.MISSING)) == []
    assert sum(g.units for g in yielding(of_lot, 99, barred(Why.MISSING))) == 15
