"""Items, kits and places: put, read, paged; what is wrong is named."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from chubei_shared.contracts.catalogue import Kit, Place, PlaceKind
from chubei_shared.errors import Invalid
from chubei_shared.tokens import Role


def kit(yard: Any, *items: str) -> Kit:
    needs = [{"item_code": code, "per_person": "0.250000", "tier": 1} for code in items]
    needs[0]["group"] = "infant"
    return Kit.model_validate(
        {"id": f"kit-{uuid4().hex[:8]}", "name_zh": "标准", "name_en": "Kit", "needs": needs,
         "provenance": yard.invented}
    )  # fmt: skip


def test_an_item_put_again_changes_nothing_and_put_anew_changes(yard, sign_in):
    http = sign_in(Role.ADMIN)
    item = http.get(f"/v1/items/{yard.item}").json()
    assert http.put(f"/v1/items/{yard.item}", json=item).json() == item
    changed = http.put(f"/v1/items/{yard.item}", json=item | {"pack": 12}, headers={"If-Match": "*"})
    assert changed.json()["pack"] == 12
    assert http.get(f"/v1/items/{yard.item}").json() == item | {"pack": 12}


@pytest.mark.parametrize("path", ["items", "kits", "places"])
def test_a_record_is_changed_by_who_has_read_it(yard, sign_in, path):
    """428 without If-Match, 412 with that of an older edition, 200 with the one that GET tells."""
    http = sign_in(Role.ADMIN)
    wanted = kit(yard, yard.item)
    yard.admin.put_kit(wanted)
    url = f"/v1/{path}/" + {"items": yard.item, "kits": wanted.id, "places": yard.store}[path]
    read = http.get(url)
    first, body = read.headers["etag"], read.json()
    changed = body | {"name_en": "Another"}
    refused = http.put(url, json=changed)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (428, "If-Match")
    answer = http.put(url, json=changed, headers={"If-Match": first})
    assert (answer.status_code, answer.headers["etag"]) == (200, http.get(url).headers["etag"])
    late = http.put(url, json=body, headers={"If-Match": first})
    assert (late.status_code, http.get(url).json()) == (412, changed)
    assert http.put(url, json=changed).status_code == 200, "the same again changes nothing"


def test_a_kit_keeps_the_order_and_the_exact_rates_of_its_needs(yard, sign_in):
    other = yard.new_item()
    wanted = kit(yard, other, yard.item)
    yard.admin.put_kit(wanted)
    yard.admin.put_kit(wanted)
    found = Kit.model_validate(sign_in(Role.CLERK).get(f"/v1/kits/{wanted.id}").json())
    assert found == wanted
    assert found.needs[0].per_person == Decimal("0.25")
    shorter = wanted.model_copy(update={"needs": wanted.needs[1:]})
    yard.admin.put_kit(shorter, "*")
    assert next(k for k in yard.pages(yard.admin.kits) if k.id == wanted.id) == shorter


def test_a_kit_names_an_item_once_and_a_known_one(yard, sign_in):
    twice = kit(yard, yard.item).model_dump(mode="json")
    twice["needs"] *= 2
    answer = sign_in(Role.ADMIN).put(f"/v1/kits/{twice['id']}", json=twice)
    assert answer.status_code == 422
    assert "stands twice" in answer.json()["detail_en"]
    with pytest.raises(Invalid, match="9999997"):
        yard.admin.put_kit(kit(yard, "9999997"))


def test_places_with_any_sign_in_their_id(yard, sign_in):
    name = f"店#{uuid4().hex[:6]}".replace("店", "store:")
    place = Place(
        id=name,
        kind=PlaceKind.STORE,
        name_zh="店",
        name_en="Store",
        lon=116.4,
        lat=39.9,
        provenance=yard.invented,
    )
    assert yard.admin.put_place(place) == place
    assert place in yard.all_places()


def test_the_books_own_places_are_not_put(yard):
    for place_id, kind in (
        ("outside:x", "store"),
        ("transit:x", "store"),
        ("x", "outside"),
        ("x", "transit"),
    ):
        place = Place(id=place_id, kind=kind, name_zh="x", name_en="x", provenance=yard.invented)
        with pytest.raises(Invalid, match="open by themselves"):
            yard.admin.put_place(place)


def test_the_books_own_places_are_listed_by_kind_only(sign_in):
    http = sign_in(Role.AUDITOR)
    listed = http.get("/v1/places", params={"kind": "outside"}).json()["rows"]
    assert {"outside:received", "outside:issued", "outside:fund"} <= {place["id"] for place in listed}


def test_path_and_body_name_the_same_thing(yard, sign_in):
    http = sign_in(Role.ADMIN)
    item = http.get(f"/v1/items/{yard.item}").json()
    answer = http.put("/v1/items/1234567", json=item)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "code"


def test_what_is_not_there_is_not_found(sign_in):
    http = sign_in(Role.CLERK)
    paths = ("items/9999996", "kits/none", "places/none", "reserves/none", f"movements/{uuid4()}")
    for path in paths:
        answer = http.get(f"/v1/{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_items_and_pages_join(yard):
    codes = [item.code for item in yard.pages(yard.admin.items, limit=3)]
    assert codes == sorted(set(codes))
    assert yard.item in codes
