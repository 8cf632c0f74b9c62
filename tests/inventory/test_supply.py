"""What the planner sees: one consistent view over all modes, and what can be had by which minute."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from chubei_shared.contracts.catalogue import Kit, PlaceKind
from chubei_shared.contracts.reserves import Agreement, Commitment, Fund
from chubei_shared.errors import Invalid, Shortage
from chubei_shared.tokens import Role


@pytest.fixture
def modes(yard: Any) -> dict[str, str]:
    """Reserves of each mode for the yard's item; place ids by mode."""
    today = yard.today()
    places = {"contract": yard.place(PlaceKind.SUPPLIER), "capacity": yard.place(PlaceKind.MAKER)}
    places["fund"] = yard.store
    base = {
        "party": "甲公司", "item_code": yard.item, "valid_from": today - timedelta(days=30),
        "valid_until": today + timedelta(days=300), "unit_price_fen": 10, "last_verified_on": today,
        "provenance": yard.invented,
    }  # fmt: skip
    ids = {mode: {"id": f"{mode}-{uuid4().hex[:8]}", "place_id": place} for mode, place in places.items()}
    records = [
        Agreement(mode="contract", quantity=100, lead_min=120, **ids["contract"], **base),
        Commitment(
            mode="capacity", quantity=500, conversion_min=360, rate_per_hour=60, **ids["capacity"], **base
        ),
        Fund(mode="fund", budget_fen=705, approval_min=60, delivery_min=240, **ids["fund"], **base),
    ]
    for record in records:
        yard.admin.put_reserve(record)
    return places


def rows(yard: Any, **query: Any) -> dict[tuple[str, str], Any]:
    """The snapshot's rows of the yard's item by place and mode."""
    supply = yard.service.snapshot(**query).supply
    return {(row.place_id, row.mode.value): row for row in supply if row.item_code == yard.item}


def test_a_row_for_each_place_and_mode_with_the_minute_it_is_ready(yard, modes):
    lot_id = yard.receive(40)
    found = {key: (row.quantity, row.ready_min, row.rate_per_hour) for key, row in rows(yard).items()}
    assert found == {
        (yard.store, "physical"): (40, 0, None),
        (modes["contract"], "contract"): (100, 120, None),
        (modes["capacity"], "capacity"): (500, 360, 60),
        (yard.store, "fund"): (70, 300, None),
    }
    assert rows(yard)[yard.store, "physical"].from_ids == [str(lot_id)]


def test_only_what_is_free_and_good_until_it_is_needed_counts(yard):
    yard.receive(10, date(2020, 1, 1))
    yard.receive(20, (yard.now() + timedelta(days=3)).date())
    yard.receive(30)
    yard.hold(5)
    assert rows(yard)[yard.store, "physical"].quantity == 45
    later = rows(yard, needed_by=yard.now() + timedelta(days=9))
    assert later[yard.store, "physical"].quantity == 30


def test_a_replan_sees_what_its_own_holds_keep_and_not_what_others_do(yard, modes):
    yard.receive(40)
    own = yard.service.hold(
        yard.request(yard.line(25), yard.line(60, place_id=modes["contract"], mode="contract"))
    )
    yard.hold(10)
    assert rows(yard)[yard.store, "physical"].quantity == 5
    seen = rows(yard, release_holds=[own.id])
    assert seen[yard.store, "physical"].quantity == 30
    assert seen[modes["contract"], "contract"].quantity == 100


def test_an_expired_hold_counts_no_more(yard, modes, expire):
    yard.receive(40)
    held = yard.service.hold(
        yard.request(yard.line(40), yard.line(100, place_id=modes["contract"], mode="contract"))
    )
    assert (modes["contract"], "contract") not in rows(yard)
    expire(held.id)
    assert rows(yard)[yard.store, "physical"].quantity == 40
    assert rows(yard)[modes["contract"], "contract"].quantity == 100


def test_a_plan_is_offered_nothing_of_a_lot_that_is_in_dispute(yard, sign_in):
    """What the snapshot offers is what a hold finds."""
    other, lot = yard.place(PlaceKind.STORE), {"lot_no": "A1", "maker": "厂", "expires_on": str(yard.soon)}
    line = {"item_code": yard.item, "lot": lot}
    head = {"occurred_at": yard.now().isoformat()}
    reports = [
        {"kind": "receive", "id": str(uuid4()), "place_id": yard.store, "lines": [line | {"quantity": 10}]} | head,
        {"kind": "transfer", "id": str(uuid4()), "from_place_id": yard.store, "to_place_id": other,
         "lines": [line | {"quantity": 6000}]} | head,
    ]  # fmt: skip
    http = sign_in(Role.CLERK, yard.store)
    answer = http.post("/v1/movements:batch", json={"movements": reports})
    assert answer.status_code == 200, answer.text
    offered = rows(yard)[other, "physical"].quantity
    assert offered == 10
    with pytest.raises(Shortage):
        yard.service.hold(yard.request(yard.line(offered + 1, place_id=other)))
    yard.service.hold(yard.request(yard.line(offered, place_id=other)))


def test_what_is_at_points_is_counted_apart(yard):
    point = yard.place(PlaceKind.POINT)
    yard.receive(7, place=point)
    yard.receive(3, date(2020, 1, 1), place=point)
    snapshot = yard.service.snapshot()
    assert [(p.item_code, p.quantity) for p in snapshot.at_points if p.place_id == point] == [(yard.item, 7)]
    assert not rows(yard)


def test_the_catalogue_is_in_the_snapshot(yard):
    need = {"item_code": yard.item, "per_person": "0.25", "tier": 1}
    kit = Kit.model_validate(
        {"id": f"kit-{uuid4().hex[:8]}", "name_zh": "标准", "name_en": "Kit", "needs": [need],
         "provenance": yard.invented}
    )  # fmt: skip
    yard.admin.put_kit(kit)
    snapshot = yard.service.snapshot()
    assert kit in snapshot.kits
    assert yard.item in {item.code for item in snapshot.items}
    assert yard.store in {place.id for place in snapshot.places}
    assert {place.kind for place in snapshot.places}.isdisjoint({"outside", "transit"})


def test_availability_grows_by_minute_and_mode(yard, modes):
    yard.receive(40)
    yard.service.hold(yard.request(yard.line(30, place_id=modes["capacity"], mode="capacity")))
    answer = yard.service.availability([0, 119, 120, 300, 390, 420, 720, 2000], yard.item)
    had = {r.minute: (r.physical, r.contract, r.capacity, r.fund) for r in answer}
    assert had == {
        0: (40, 0, 0, 0),
        119: (40, 0, 0, 0),
        120: (40, 100, 0, 0),
        300: (40, 100, 0, 70),
        390: (40, 100, 0, 70),  # the first 30 are promised
        420: (40, 100, 30, 70),
        720: (40, 100, 330, 70),
        2000: (40, 100, 470, 70),
    }


def test_availability_counts_a_lot_to_its_last_day(yard):
    yard.receive(10, (yard.now() + timedelta(days=2)).date())
    yard.receive(5)
    answer = yard.service.availability([0, 60 * 24 * 5], yard.item)
    assert [r.physical for r in answer] == [15, 5]


@pytest.mark.parametrize(
    "minutes", ["", "0,,1", "-1", "1.5", "x", "999999999", ",".join(map(str, range(201)))]
)
def test_minutes_that_are_none_are_refused(yard, sign_in, minutes):
    answer = sign_in(Role.AUDITOR).get("/v1/availability", params={"minutes": minutes})
    assert answer.status_code == 422
    assert "0,60,720" in answer.json()["detail_en"]
    with pytest.raises(Invalid):
        yard.service.availability([-1])
