"""The catalogue in versions: what was published can be read again as it was, whatever comes after."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from chubei_shared.contracts.base import Certainty, Provenance
from chubei_shared.contracts.catalogue import Item, Kit, KitNeed, Norm
from chubei_shared.contracts.catalogue_versions import Draft
from chubei_shared.contracts.inventory_client import InventoryClient
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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

INVENTED = Provenance(certainty=Certainty.INVENTED, source="test")


def item_of(yard: Any, code: str | None = None, version: int | None = None) -> Item:
    return next(
        i for i in yard.pages(yard.admin.items, limit=500, version=version) if i.code == (code or yard.item)
    )


def kit_of(*codes: str, **changes: Any) -> Kit:
    needs = [KitNeed(item_code=code, per_person=Decimal("0.25"), tier=1) for code in codes]
    values: dict[str, Any] = {"id": f"kit-{uuid4().hex[:8]}", "name_zh": "标准", "name_en": "Kit"}
    return Kit(**values | changes, needs=needs, provenance=INVENTED)


def norm_of(code: str, units: int = 1000) -> Norm:
    return Norm(item_code=code, units_per_1000=units, least_physical_pct=60, provenance=INVENTED)


def draft_of(**content: Any) -> Draft:
    return Draft(id=uuid4(), name="目录 2027-1", **content)


def newest(yard: Any) -> int:
    return yard.admin.catalogue_versions(limit=1).rows[0].number


def publish(yard: Any, draft: Draft) -> Any:
    yard.admin.put_draft(draft)
    return yard.admin.publish_draft(draft.id, etag_of(draft))


def test_what_is_put_makes_a_version_and_the_same_again_none(yard):
    before, item = newest(yard), item_of(yard)
    yard.admin.put_item(item)
    assert newest(yard) == before
    yard.admin.put_item(item.model_copy(update={"pack": 12}), "*")
    assert newest(yard) == before + 1
    assert (item_of(yard).pack, item_of(yard, version=before).pack) == (12, 24)
    told = yard.admin.catalogue_changes(before + 1)
    assert [(c.kind, c.key, c.change, c.fields) for c in told.changes] == [
        ("item", yard.item, "changed", ["pack"])
    ]  # fmt: skip


def test_a_draft_changes_nothing_until_it_is_published_and_then_all_at_once(yard):
    other, before = yard.new_item(), newest(yard)
    kit = kit_of(yard.item, other, setting="outdoor", season="winter")
    draft = draft_of(
        items=[item_of(yard).model_copy(update={"weight_g": 600})], kits=[kit], norms=[norm_of(other)]
    )
    view = yard.admin.put_draft(draft)
    assert [(c.kind, c.change) for c in view.changes] == [
        ("item", "changed"), ("kit", "added"), ("norm", "added")
    ]  # fmt: skip
    assert newest(yard) == before
    assert item_of(yard).weight_g == 550
    done = yard.admin.publish_draft(draft.id, etag_of(draft))
    assert (done.status, done.published_as, newest(yard)) == ("published", before + 1, before + 1)
    assert item_of(yard).weight_g == 600
    assert kit in yard.pages(yard.admin.kits, limit=500)
    assert norm_of(other) in yard.pages(yard.admin.norms, limit=500)
    assert kit not in yard.pages(yard.admin.kits, limit=500, version=before)
    assert yard.service.snapshot().catalogue_version == before + 1
    assert yard.admin.publish_draft(draft.id, etag_of(draft)) == done, "again is the same answer"
    with pytest.raises(Conflict, match="published as version"):
        yard.admin.put_draft(draft.model_copy(update={"note": "x"}), etag_of(draft))


def test_what_is_withdrawn_stays_in_the_books_and_in_older_versions(yard):
    yard.receive(10)
    kit = kit_of(yard.item)
    first = publish(yard, draft_of(kits=[kit])).published_as
    with pytest.raises(Invalid, match=f"kit {kit.id}"):
        publish(yard, draft_of(withdraw_items=[yard.item]))
    second = publish(yard, draft_of(withdraw_items=[yard.item], withdraw_kits=[kit.id])).published_as
    changed = yard.admin.catalogue_changes(second, since=first).changes
    assert [(c.key, c.change) for c in changed] == [(yard.item, "withdrawn"), (kit.id, "withdrawn")]
    snapshot = yard.service.snapshot()
    assert yard.item not in {item.code for item in snapshot.items}
    assert kit.id not in {kit.id for kit in snapshot.kits}
    assert item_of(yard, version=first).code == yard.item
    assert kit in yard.pages(yard.admin.kits, limit=500, version=first)
    assert yard.stock()[0] == 10
    yard.receive(5)
    yard.admin.put_item(item_of(yard, version=first))
    assert item_of(yard).code == yard.item


def test_a_draft_that_others_overtook_is_looked_at_again(yard):
    item = item_of(yard)
    draft = draft_of(items=[item.model_copy(update={"pack": 6})])
    yard.admin.put_draft(draft)
    yard.new_item()
    yard.admin.put_item(item.model_copy(update={"pack": 8}), "*")
    with pytest.raises(Conflict) as refused:
        yard.admin.publish_draft(draft.id, etag_of(draft))
    assert refused.value.more["changed"] == [f"item {yard.item}"]
    assert yard.admin.draft(draft.id).changes[0].before["pack"] == 8
    yard.admin.put_draft(draft, etag_of(draft))
    yard.admin.publish_draft(draft.id, etag_of(draft))
    assert item_of(yard).pack == 6


def test_what_is_published_is_what_was_looked_at(yard):
    draft = draft_of(norms=[norm_of(yard.item)])
    yard.admin.put_draft(draft)
    changed = draft.model_copy(update={"norms": [norm_of(yard.item, 5)]})
    with pytest.raises(PreconditionRequired):
        yard.admin.put_draft(changed)
    yard.admin.put_draft(changed, etag_of(draft))
    with pytest.raises(PreconditionFailed):
        yard.admin.publish_draft(draft.id, etag_of(draft))
    assert yard.admin.publish_draft(draft.id, etag_of(changed)).status == "published"


def test_an_edit_of_an_item_may_name_its_edition(yard, sign_in):
    http, item = sign_in(Role.ADMIN), item_of(yard)
    url = f"/v1/items/{yard.item}"
    etag = http.get(url).headers["etag"]
    body = item.model_copy(update={"pack": 12}).model_dump(mode="json")
    assert http.put(url, json=body, headers={"If-Match": etag}).status_code == 200
    answer = http.put(url, json=body | {"pack": 6}, headers={"If-Match": etag})
    assert answer.status_code == 412
    assert answer.json()["etag"] == http.get(url).headers["etag"]


def test_who_drafts_and_who_publishes(yard, sign_in):
    draft = draft_of(norms=[norm_of(yard.item)])
    commander, approver = (InventoryClient(sign_in(role)) for role in (Role.COMMANDER, Role.APPROVER))
    with pytest.raises(Forbidden):
        approver.put_draft(draft)
    assert commander.put_draft(draft).changed_by == "a-commander"
    with pytest.raises(Forbidden):
        commander.publish_draft(draft.id, etag_of(draft))
    approver.publish_draft(draft.id, etag_of(draft))
    assert yard.admin.catalogue_versions(limit=1).rows[0].published_by == "a-approver"


def test_a_discarded_draft_is_over(yard, sign_in):
    draft = draft_of(norms=[norm_of(yard.item)])
    yard.admin.put_draft(draft)
    http = sign_in(Role.COMMANDER)
    for _ in range(2):
        assert http.post(f"/v1/catalogue/drafts/{draft.id}:discard").json()["status"] == "discarded"
    with pytest.raises(Conflict, match="discarded"):
        yard.admin.publish_draft(draft.id, "*")
    listed = http.get("/v1/catalogue/drafts", params={"limit": 1}).json()["rows"]
    assert listed[0]["draft"]["id"] == str(draft.id)


def test_what_is_not_there_or_stands_twice_is_named(yard, sign_in):
    with pytest.raises(NotFound, match="999999"):
        yard.admin.items(version=999_999)
    with pytest.raises(NotFound):
        yard.admin.catalogue_changes(999_999)
    with pytest.raises(NotFound):
        yard.admin.draft(uuid4())
    with pytest.raises(ValueError, match="stands twice in norms"):
        draft_of(norms=[norm_of(yard.item)], withdraw_norms=[yard.item])
    draft = draft_of()
    answer = sign_in(Role.ADMIN).put(f"/v1/catalogue/drafts/{uuid4()}", json=draft.model_dump(mode="json"))
    assert answer.json()["errors"][0]["field"] == "id"


def test_versions_and_differences_add_up(yard):
    first = newest(yard)
    for pack in (6, 8, 24):
        yard.admin.put_item(item_of(yard).model_copy(update={"pack": pack}), "*")
    assert yard.admin.catalogue_changes(first + 3, since=first).changes == []
    back = yard.admin.catalogue_changes(first, since=first + 2).changes
    assert [(c.before["pack"], c.after["pack"]) for c in back] == [(8, 24)]
    numbers = [v.number for v in yard.pages(yard.admin.catalogue_versions, limit=500)]
    assert numbers == list(range(first + 3, 0, -1))


packs = st.none() | st.integers(1, 5)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(packs, min_size=1, max_size=5))
def test_every_version_reads_for_ever_as_it_was_published(yard, steps):
    """Any walk of puts and withdrawals: each version still shows what the walk had then."""
    code, seen = yard.new_item(pack=99), {}
    item = item_of(yard, code)
    for pack in steps:
        if pack is None:
            publish(yard, draft_of(withdraw_items=[code]))
        else:
            there = code in {i.code for i in yard.pages(yard.admin.items, limit=500)}
            yard.admin.put_item(item.model_copy(update={"pack": pack}), "*" if there else None)
        seen[newest(yard)] = pack
    for number, pack in seen.items():
        found = [i.pack for i in yard.pages(yard.admin.items, limit=500, version=number) if i.code == code]
        assert found == ([] if pack is None else [pack])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE catalogue_version SET name = 'x'",
        "DELETE FROM catalogue_version",
        "UPDATE catalogue_entry SET body = '{}'",
        "DELETE FROM catalogue_entry",
        "UPDATE catalogue_entry SET until = since + 1 WHERE since < (SELECT max(number) - 1 FROM catalogue_version)",
        "INSERT INTO catalogue_entry (kind, key, since, body) VALUES ('norm', '1', 1, '{}')",
    ],
)
def test_what_was_published_is_not_written_to(yard, engine, statement):
    for pack in (1, 2, 3):
        yard.admin.put_item(item_of(yard).model_copy(update={"pack": pack}), "*")
    with (
        engine.connect() as connection,
        pytest.raises(DBAPIError, match=r"stays as it was|newest version only"),
    ):
        connection.execute(text(statement))


def test_ten_at_once_make_ten_versions_one_after_the_other(yard):
    first, item = newest(yard), item_of(yard)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda n: yard.admin.put_item(item.model_copy(update={"pack": n}), "*"), range(1, 11)))
    told = [yard.admin.catalogue_changes(n).changes[0] for n in range(first + 1, first + 11)]
    assert sorted(change.after["pack"] for change in told) == list(range(1, 11))
    chain = [told[0].before["pack"], *(change.after["pack"] for change in told)]
    assert [(c.before["pack"], c.after["pack"]) for c in told] == list(pairwise(chain))
