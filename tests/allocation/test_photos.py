"""Photos at an order: by whom, once, small; listed, looked at, forgotten in time; signatures too."""

from base64 import b64encode
from datetime import timedelta
from uuid import uuid4

import pytest
from chubei_allocation import tasks
from chubei_allocation.photos import photos
from chubei_shared.contracts.photos import Photo
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import Role
from nights import Night
from sqlalchemy import text

JPEG = b"\xff\xd8\xff\xe0" + bytes(2000)


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
    auditor = night.world.house.as_(Role.AUDITOR)
    assert auditor.photos(order.id).rows == [shown]
    answer = auditor.http.get(f"/v1/orders/{order.id}/photos/{shown.id}")
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    other = next(one for one in night.orders if one.id != order.id)
    assert auditor.http.get(f"/v1/orders/{other.id}/photos/{shown.id}").status_code == 404


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
    body = photo(night).model_dump(mode="json") | {"jpeg": b64encode(b"GIF89a").decode()}
    refused = clerk.http.post(f"/v1/orders/{order.id}/photos", json=body)
    assert refused.status_code == 422
    assert "JPEG" in refused.json()["detail_en"]
    monkeypatch.setattr(photos, "MOST", 1)
    clerk.add_photo(order.id, photo(night))
    with pytest.raises(Conflict, match="no more"):
        clerk.add_photo(order.id, photo(night))


def test_images_and_signatures_are_forgotten_in_time(night):
    house = night.world.house
    order = night.order(at=night.world.north)
    shown = night.world.clerks[night.world.north].add_photo(order.id, photo(night))
    celery = tasks.make_celery(house.settings)
    celery.tasks[tasks.FORGET].run()
    assert not night.world.commander.photos(order.id).rows[0].forgotten
    house.tx(lambda s: s.execute(text("UPDATE order_photo SET kept_until = now()")))
    celery.tasks[tasks.FORGET].run()
    (row,) = night.world.commander.photos(order.id).rows
    assert (row.id, row.forgotten) == (shown.id, True)
    assert house.tx(lambda s: s.scalar(text("SELECT count(*) FROM order_photo WHERE jpeg IS NOT NULL"))) == 0
    assert night.world.commander.http.get(f"/v1/orders/{order.id}/photos/{shown.id}").status_code == 404
