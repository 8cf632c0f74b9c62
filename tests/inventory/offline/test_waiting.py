"""What names things that are not there yet, and what goes out before it came in."""

from uuid import uuid4

import pytest
from chubei_shared.contracts.base import Certainty, Provenance
from chubei_shared.contracts.catalogue import Place, PlaceKind
from offline_cases import box, id_of


def test_what_goes_out_before_it_came_in_is_in_dispute_until_it_does(phone):
    issue, receipt = phone.issue(6), phone.receive(10)
    assert phone.outcomes(issue) == [("parked", "short")]
    assert phone.row() == (0, 0, 6)
    assert [(d["units"], d["movements"]) for d in phone.disputes()] == [(6, [issue["id"]])]
    assert phone.outcomes(receipt) == [("accepted", None)]
    assert phone.row() == (4, 4, 0)
    assert phone.disputes() == []


def test_goods_of_a_lot_in_dispute_are_not_promised_elsewhere(phone):
    """Six thousand instead of six: what is said to have come from nowhere is no stock to plan with."""
    other = phone.yard.place(PlaceKind.STORE)
    line = {"quantity": 6000, "lot": box("A1")}
    transfer = phone.report(
        "transfer", line, place_id=None, from_place_id=phone.yard.store, to_place_id=other
    )
    phone.send(phone.receive(10), transfer)
    assert phone.row(other) == (6000, 10, 0)
    request = phone.yard.request(phone.yard.line(11, place_id=other))
    with pytest.raises(Exception, match="available 10"):
        phone.yard.service.hold(request)


def test_what_is_held_for_a_plan_stays_and_what_a_clerk_gave_out_of_it_is_in_dispute(phone):
    phone.send(phone.receive(10))
    hold_id = phone.yard.hold(8)
    assert phone.outcomes(phone.issue(6)) == [("parked", "short")]
    assert phone.yard.stock()[:2] == (8, 8)
    assert phone.row() == (8, 0, 4)
    phone.yard.service.release(hold_id)
    assert phone.row() == (4, 4, 0)


def test_unknown_items_and_places_are_waited_for(phone, boss):
    code, place = str(phone.yard.new_item()), f"later-{uuid4().hex[:6]}"
    away = phone.report(
        "transfer", {"quantity": 2, "lot": box("A1"), "item_code": code}, place_id=None,
        from_place_id=phone.yard.store, to_place_id=place,
    )  # fmt: skip
    came = phone.report("receive", {"quantity": 5, "lot": box("A1"), "item_code": code})
    assert phone.outcomes(away, came) == [("parked", "waits"), ("accepted", None)]
    assert phone.parked()[0]["waits_for"] == [f"place:{place}"]
    phone.yard.item = code
    rows = phone.yard.admin.stock(place_id=phone.yard.store, item_code=code).rows
    assert [(r.on_hand, r.parked) for r in rows] == [(5, -2)]
    phone.yard.admin.put_place(named(place))
    phone.send(phone.receive(1, "other"))
    assert phone.parked() == []
    assert phone.yard.stock(place)[0] == 2


def named(place_id: str) -> Place:
    told = Provenance(certainty=Certainty.INVENTED, source="test")
    return Place(id=place_id, kind=PlaceKind.STORE, name_zh=place_id, name_en=place_id, provenance=told)


def test_a_reversal_waits_for_what_it_reverses(phone):
    phone.send(phone.receive(10))
    issue = phone.issue(4)
    undo = phone.reverse(issue)
    assert phone.outcomes(undo) == [("parked", "waits")]
    assert phone.outcomes(issue) == [("accepted", None)]
    assert phone.row() == (10, 10, 0)
    assert phone.outcomes(phone.reverse(issue)) == [("parked", "reversed_already")]


def test_a_lot_may_be_named_by_the_id_that_its_box_determines(phone):
    by_id = phone.report("issue", {"quantity": 4, "lot_id": str(id_of(phone.yard, "A1"))})
    assert phone.outcomes(by_id) == [("parked", "waits")]
    phone.send(phone.receive(10))
    assert phone.row() == (6, 6, 0)
