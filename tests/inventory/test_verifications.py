"""Checks of reserves: what is promised against what is measured, and what then counts."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from chubei_shared.contracts.catalogue import PlaceKind
from chubei_shared.contracts.reserves import Agreement, Commitment, Verification
from chubei_shared.editions import etag_of
from chubei_shared.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from chubei_shared.tokens import Role


def agreement(yard: Any, **changes: Any) -> Agreement:
    today = yard.today()
    values: dict[str, Any] = {
        "id": f"agr-{uuid4().hex[:8]}", "mode": "contract", "place_id": yard.place(PlaceKind.SUPPLIER),
        "item_code": yard.item, "party": "甲公司", "quantity": 1000, "lead_min": 120, "unit_price_fen": 250,
        "valid_from": today - timedelta(days=900), "valid_until": today + timedelta(days=300),
        "last_verified_on": today - timedelta(days=2), "provenance": yard.invented,
    }  # fmt: skip
    return Agreement(**values | changes)


def check(yard: Any, kind: str, days_ago: float = 0, *figures: int) -> Verification:
    names = ("promised_units", "measured_units", "promised_min", "measured_min")
    happened_at = yard.now() - timedelta(days=days_ago)
    return Verification(
        id=uuid4(), kind=kind, happened_at=happened_at, **dict(zip(names, figures, strict=False))
    )


def test_never_verified_is_not_planned_with_until_somebody_asks(yard):
    record = agreement(yard, last_verified_on=None)
    view = yard.admin.put_reserve(record)
    assert (view.available, view.firm, view.basis.rule) == (1000, 0, "unverified")
    assert "从未核实" in view.basis.zh
    assert not [row for row in yard.service.snapshot().supply if record.id in row.from_ids]
    yard.admin.verify(record.id, check(yard, "call"))
    view = yard.admin.reserve(record.id)
    assert (view.firm, view.basis.rule, view.basis.verified_on) == (1000, "verified", yard.today())


def test_a_year_after_the_last_check_nothing_is_firm_but_it_is_told_as_likely(yard):
    record = agreement(yard, last_verified_on=yard.today() - timedelta(days=400))
    yard.admin.put_reserve(record)
    rows = [row for row in yard.service.snapshot().supply if record.id in row.from_ids]
    assert [(row.quantity, row.likely, row.basis.rule) for row in rows] == [(0, 1000, "unverified")]


def test_the_worst_of_the_last_three_measurements_counts(yard):
    record = agreement(yard)
    yard.admin.put_reserve(record)
    yard.admin.verify(record.id, check(yard, "drill", 40, 100, 10, 120, 400))
    assert (yard.admin.reserve(record.id).firm, yard.admin.reserve(record.id).basis.delay_min) == (100, 280)
    for days_ago in (30, 20):
        yard.admin.verify(record.id, check(yard, "visit", days_ago, 200, 190))
    assert yard.admin.reserve(record.id).firm == 100
    yard.admin.verify(record.id, check(yard, "drill", 10, 500, 600, 120, 130))
    view = yard.admin.reserve(record.id)
    assert (view.firm, view.basis.delay_min, view.likely) == (950, 10, 1000 * 880 // 900)
    row = next(r for r in yard.service.snapshot().supply if record.id in r.from_ids)
    assert (row.quantity, row.likely, row.ready_min, row.basis) == (950, 977, 130, view.basis)


def test_a_check_entered_late_takes_its_place_by_when_it_was(yard):
    record = agreement(yard)
    yard.admin.put_reserve(record)
    for days_ago, found in ((1, 100), (2, 100), (3, 100), (50, 5)):
        yard.admin.verify(record.id, check(yard, "visit", days_ago, 100, found))
    assert yard.admin.reserve(record.id).firm == 1000
    ages = [v.happened_at for v in yard.pages(yard.admin.verifications, reserve_id=record.id)]
    assert ages == sorted(ages, reverse=True)
    assert len(ages) == 4


def test_a_makers_rate_falls_with_what_was_measured(yard):
    today = yard.today()
    record = Commitment(
        id=f"cap-{uuid4().hex[:8]}", mode="capacity", place_id=yard.place(PlaceKind.MAKER), item_code=yard.item,
        party="厂", quantity=400, conversion_min=300, ramp_min=60, rate_per_hour=60, unit_price_fen=1,
        valid_from=today, valid_until=today, last_verified_on=today, provenance=yard.invented,
    )  # fmt: skip
    yard.admin.put_reserve(record)
    yard.admin.verify(record.id, check(yard, "drill", 1, 100, 50, 360, 380))
    row = yard.admin.supply(place_id=record.place_id).rows[0]
    assert (row.quantity, row.ready_min, row.rate_per_hour) == (200, 380, 30)
    assert yard.admin.supply(place_id=record.place_id, by_min=380 + 120).rows[0].quantity == 60
    assert yard.admin.supply(place_id=record.place_id, by_min=379).rows == []


def test_a_check_is_recorded_once_and_by_whom(yard, sign_in):
    record = agreement(yard)
    yard.admin.put_reserve(record)
    http, body = sign_in(Role.CLERK), check(yard, "call").model_dump(mode="json")
    first, second = (http.post(f"/v1/reserves/{record.id}/verifications", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["recorded_by"] == "a-clerk"
    other = agreement(yard)
    yard.admin.put_reserve(other)
    for url, changed in ((record.id, {"note": "x"}), (other.id, {})):
        answer = http.post(f"/v1/reserves/{url}/verifications", json=body | changed)
        assert answer.status_code == Conflict.status
    assert sign_in(Role.AUDITOR).post(url, json=body).status_code in (Forbidden.status, NotFound.status)


def test_what_is_wrong_with_a_check_is_named(yard, sign_in):
    record = agreement(yard)
    yard.admin.put_reserve(record)
    with pytest.raises(NotFound, match="nowhere"):
        yard.admin.verify("nowhere", check(yard, "call"))
    with pytest.raises(Invalid, match="happened_at"):
        yard.admin.verify(record.id, check(yard, "call", -1))
    for kind, figures in (
        ("call", (1, 1)),
        ("visit", (1,)),
        ("visit", ()),
        ("drill", (1, 1)),
        ("visit", (1, 1, 1)),
    ):
        with pytest.raises(ValueError, match="do not go with"):
            check(yard, kind, 0, *figures)


def test_an_edit_names_the_edition_that_it_changes(yard, sign_in):
    record = agreement(yard)
    yard.admin.put_reserve(record)
    http, url = sign_in(Role.COMMANDER), f"/v1/reserves/{record.id}"
    etag = http.get(url).headers["etag"]
    assert etag == etag_of(record)
    mine, theirs = (record.model_copy(update={"lead_min": minutes}) for minutes in (90, 60))
    with pytest.raises(PreconditionRequired, match="If-Match"):
        yard.admin.put_reserve(theirs)
    assert yard.admin.put_reserve(theirs, etag).reserve == theirs
    with pytest.raises(PreconditionFailed) as refused:
        yard.admin.put_reserve(mine, etag)
    assert refused.value.more["etag"] == etag_of(theirs)
    answer = http.put(url, json=mine.model_dump(mode="json"), headers={"If-Match": f'"x", {etag_of(theirs)}'})
    assert (answer.status_code, answer.headers["etag"]) == (200, etag_of(mine))
    with pytest.raises(PreconditionFailed):
        yard.admin.put_reserve(agreement(yard), "*")


def test_an_edition_is_what_people_wrote_not_what_is_counted(yard, sign_in):
    record = agreement(yard)
    yard.admin.put_reserve(record)
    line = yard.line(10, place_id=record.place_id, mode="contract")
    yard.service.hold(yard.request(line))
    assert sign_in(Role.AUDITOR).get(f"/v1/reserves/{record.id}").headers["etag"] == etag_of(record)


def test_the_snapshot_the_rows_and_the_sums_agree(yard):
    yard.receive(40)
    records = [agreement(yard), agreement(yard, lead_min=30)]
    for record in records:
        yard.admin.put_reserve(record)
    yard.admin.verify(records[0].id, check(yard, "drill", 1, 100, 70, 120, 150))
    rows = yard.pages(yard.admin.supply, item_code=yard.item)
    assert rows == sorted(
        (r for r in yard.service.snapshot().supply if r.item_code == yard.item), key=lambda r: r.place_id
    )
    for minute in (0, 30, 149, 150):
        ready = yard.pages(yard.admin.supply, item_code=yard.item, by_min=minute)
        sums = yard.service.availability([minute], yard.item)[0]
        assert sum(r.quantity for r in ready if r.mode == "physical") == sums.physical == 40
        assert sum(r.quantity for r in ready if r.mode == "contract") == sums.contract
    assert [r.quantity for r in yard.admin.supply(place_id=records[1].place_id, mode="contract").rows] == [
        1000
    ]
    assert yard.admin.supply(place_id=records[1].place_id, mode="physical").rows == []
