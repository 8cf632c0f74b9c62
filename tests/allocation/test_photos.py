"""Photos at an order: by whom, once, small; listed, looked at, forgotten in time; signatures too."""

from base64 import b64encode
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from chubei_allocation import tasks
from chubei_allocation.photos import photos
from chubei_shared.contracts.orders import OrderView, Proof, StepKind
from chubei_shared.contracts.photos import Photo
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import PEOPLE, Role
from httpx import Response
from nights import LOADED, PICKED, Night
from sqlalchemy import text

JPEG = b"\xff\xd8\xff\xe0" + bytes(2000)
SIGNED = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()


def photo(night: Night, **more) -> Photo:
    told = {
        "id": uuid4(),
        "stop": 0,
        "occurred_at": night.incident.occurred_at + timedelta(minutes=60),
        "jpeg": b64encode(JPEG).decode(),
        "note": "外箱受潮",
    }
    return Photo.model_validate(told | more)


@pytest.fixture
def night(stocked) -> Night:
    return Night(stocked)


def test_a_clerk_adds_a_photo_once_and_who_may_read_sees_it(night):
    order = night.order(at=night.world.north)
    clerk, body = night.world.clerks[night.world.north], photo(night)
    shown = clerk.add_photo(order.id, body)
    assert clerk.add_photo(order.id, body) == shown
    assert (shown.stop, shown.note, shown.forgotten) == (0, "外箱受潮", False)
    with pytest.raises(Conflict, match="another photo"):
        clerk.add_photo(order.id, photo(night, id=body.id, note="另一张"))
    assert night.world.house.as_(Role.AUDITOR).photos(order.id).rows == [shown]
    told = text("SELECT body ->> 'number' FROM outbox WHERE topic = 'order.photo'")
    assert night.world.house.tx(lambda s: list(s.scalars(told))) == [order.number]
    answer = look(night, order, shown.id)
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    other = next(one for one in night.orders if one.id != order.id)
    assert look(night, other, shown.id).status_code == 404


def test_images_are_for_those_who_work_with_an_order(night):
    """The others read that there is one. Signatures likewise."""
    order = night.order(at=night.world.north)
    shown = night.world.clerks[night.world.north].add_photo(order.id, photo(night))
    signed, *_ = signed_at_two(night)
    for role in PEOPLE:
        wanted = 200 if role in (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR) else 403
        assert look(night, order, shown.id, role).status_code == wanted, role
        assert sign(night, *signed, role).status_code == wanted, role
        assert night.world.house.as_(role).photos(order.id).rows == [shown]


def test_what_is_no_photo_or_not_theirs_is_refused(night, monkeypatch):
    order = night.order(at=night.world.north)
    clerk = night.world.clerks[night.world.north]
    with pytest.raises(Forbidden, match="Only a clerk"):
        night.world.clerks[night.world.south].add_photo(order.id, photo(night))
    with pytest.raises(Invalid, match="stops, from 0"):
        clerk.add_photo(order.id, photo(night, stop=99))
    with pytest.raises(Invalid, match="before the incident"):
        clerk.add_photo(order.id, photo(night, occurred_at=night.incident.occurred_at - timedelta(days=1)))
    with pytest.raises(NotFound):
        clerk.add_photo(uuid4(), photo(night))
    http = night.world.house.http(Role.CLERK, places=frozenset({night.world.north}))
    for image in (b"GIF89a", JPEG[:4] + bytes(512 * 1024)):
        body = photo(night).model_dump(mode="json") | {"jpeg": b64encode(image).decode()}
        refused = http.post(f"/v1/orders/{order.id}/photos", json=body)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "jpeg"
        assert "512 KiB" in refused.json()["detail_en"]
    monkeypatch.setattr(photos, "MOST", 1)
    clerk.add_photo(order.id, photo(night))
    with pytest.raises(Conflict, match="no more"):
        clerk.add_photo(order.id, photo(night))


def test_images_and_signatures_older_than_set_are_forgotten_and_newer_ones_kept(night):
    house, order = night.world.house, night.order(at=night.world.north)
    clerk = night.world.clerks[night.world.north]
    old, new = (clerk.add_photo(order.id, photo(night)) for _ in range(2))
    first, second = signed_at_two(night)
    days = house.settings.personal_data_days
    over = text("UPDATE order_photo SET kept_until = now() WHERE id = :id")
    house.tx(lambda s: s.execute(over, {"id": old.id}))
    aged = text("UPDATE order_step SET recorded_at = now() - make_interval(days => :age) WHERE id = :id")
    ages = [{"id": first[1], "age": days}, {"id": second[1], "age": days - 1}]
    house.tx(lambda s: s.execute(aged, ages))
    tasks.make_celery(house.settings).tasks[tasks.FORGET].run()
    rows = night.world.commander.photos(order.id).rows
    assert {row.id: row.forgotten for row in rows} == {old.id: True, new.id: False}
    assert [look(night, order, one.id).status_code for one in (old, new)] == [404, 200]
    assert [sign(night, *one).status_code for one in (first, second)] == [404, 200]
    kept = "SELECT count(*) FROM order_photo WHERE jpeg IS NOT NULL"
    assert house.tx(lambda s: s.scalar(text(kept))) == 1
    steps = night.world.commander.order(first[0]).steps
    assert [step.proofs for step in steps if step.id == first[1]] == [[Proof.SIGNATURE]]
    assert clerk.add_photo(order.id, photo(night, id=old.id)).forgotten  # a retry, however late


def signed_at_two(night: Night) -> list[tuple[UUID, UUID]]:
    """The take-overs of two orders, each signed: order and step."""
    signed = []
    for order in night.orders[:2]:
        first = order.stops[0]
        for kind in (PICKED, LOADED):
            night.by(first).step(order.id, night.body(0, kind))
        taken = night.body(0, StepKind.TAKEN_OVER, signature_png=SIGNED)
        signed.append((order.id, night.by(first).step(order.id, taken).steps[-1].id))
    return signed


def sign(night: Night, order_id: UUID, step_id: UUID, role: Role = Role.AUDITOR) -> Response:
    return night.world.house.http(role).get(f"/v1/orders/{order_id}/steps/{step_id}/signature")


def look(night: Night, order: OrderView, photo_id: UUID, role: Role = Role.AUDITOR) -> Response:
    return night.world.house.http(role).get(f"/v1/orders/{order.id}/photos/{photo_id}")
