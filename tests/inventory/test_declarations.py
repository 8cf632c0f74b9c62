"""Social and household reserves and donations: told, and never mixed with what is planned with."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from chubei_shared.contracts.declarations import Declaration
from chubei_shared.contracts.stock import Receive
from chubei_shared.editions import etag_of
from chubei_shared.errors import Invalid, PreconditionFailed, PreconditionRequired
from chubei_shared.tokens import Role


def declaration(yard: Any, sphere: str = "social", quantity: int = 500, **changes: Any) -> Declaration:
    today = yard.today()
    values: dict[str, Any] = {
        "id": f"decl-{uuid4().hex[:8]}", "sphere": sphere, "item_code": yard.item, "quantity": quantity,
        "area": "110102001", "party": "某商超", "declared_on": today - timedelta(days=9),
        "valid_until": today + timedelta(days=90), "provenance": yard.invented,
        "households": 250 if sphere == "household" else None,
    }  # fmt: skip
    return Declaration(**values | changes)


def apart(yard: Any) -> list[tuple[int, int, int]]:
    return [(r.social, r.household, r.donated) for r in yard.service.supply_apart(yard.item)]


def received(yard: Any, owner: str, quantity: int) -> None:
    lot = {"lot_no": f"lot-{owner}", "maker": "厂", "owner": owner, "expires_on": yard.soon}
    body = {
        "kind": "receive", "id": uuid4(), "occurred_at": yard.now(), "place_id": yard.store,
        "lines": [{"item_code": yard.item, "quantity": quantity, "lot": lot}],
    }  # fmt: skip
    yard.admin.record(Receive.model_validate(body))


def test_what_others_have_is_counted_apart(yard):
    yard.receive(40)
    received(yard, "donor", 30)
    received(yard, "social", 7)
    yard.admin.put_declaration(declaration(yard))
    yard.admin.put_declaration(declaration(yard, "household", 800))
    assert apart(yard) == [(507, 800, 30)]
    supply = [row.quantity for row in yard.service.snapshot().supply if row.item_code == yard.item]
    assert supply == [row.quantity for row in yard.admin.supply(item_code=yard.item).rows] == [40]
    assert yard.service.availability([0], yard.item)[0].physical == 40


def test_what_is_over_or_withdrawn_counts_no_more(yard):
    today = yard.today()
    standing = declaration(yard)
    yard.admin.put_declaration(standing)
    yard.admin.put_declaration(declaration(yard, valid_until=today - timedelta(days=2)))
    yard.admin.put_declaration(declaration(yard, declared_on=today + timedelta(days=2)))
    assert apart(yard) == [(500, 0, 0)]
    yard.admin.put_declaration(standing.model_copy(update={"withdrawn": True}), etag_of(standing))
    assert apart(yard) == []


def test_a_declaration_is_edited_by_its_edition(yard, sign_in):
    body = declaration(yard)
    assert yard.admin.put_declaration(body) == yard.admin.put_declaration(body) == body
    http, url = sign_in(Role.COMMANDER), f"/v1/declarations/{body.id}"
    assert http.get(url).headers["etag"] == etag_of(body)
    changed = body.model_copy(update={"quantity": 1})
    with pytest.raises(PreconditionRequired):
        yard.admin.put_declaration(changed)
    with pytest.raises(PreconditionFailed):
        yard.admin.put_declaration(changed, '"other"')
    assert yard.admin.put_declaration(changed, etag_of(body)) == changed
    assert http.get(url).json()["quantity"] == 1


def test_telephones_are_for_those_who_call(yard, sign_in):
    people = [{"name": "店长", "phone": "13800000000", "post": ""}]
    body = declaration(yard, area=f"area-{yard.item}", contacts=people)
    yard.admin.put_declaration(body)
    for role, phone in ((Role.CLERK, "13800000000"), (Role.AUDITOR, None)):
        http = sign_in(role)
        listed = http.get("/v1/declarations", params={"area": body.area}).json()["rows"]
        shown = http.get(f"/v1/declarations/{body.id}")
        assert [row["contacts"][0]["phone"] for row in [*listed, shown.json()]] == [phone, phone]
        assert shown.headers["etag"] == etag_of(body)


def test_declarations_are_listed_by_sphere_item_and_area(yard):
    wanted = [declaration(yard, id=f"decl-{n}-{uuid4().hex[:6]}", area=f"area-{yard.item}") for n in range(3)]
    for body in wanted:
        yard.admin.put_declaration(body)
    assert yard.pages(yard.admin.declarations, area=f"area-{yard.item}") == wanted
    assert yard.pages(yard.admin.declarations, item_code=yard.item, sphere="household") == []


def test_what_is_wrong_is_named(yard):
    with pytest.raises(Invalid, match="item_code: 9999995"):
        yard.admin.put_declaration(declaration(yard, item_code="9999995"))
    with pytest.raises(ValueError, match="households belongs to household"):
        declaration(yard, households=3)
    with pytest.raises(ValueError, match="valid_until is before declared_on"):
        declaration(yard, valid_until=yard.today() - timedelta(days=30))
