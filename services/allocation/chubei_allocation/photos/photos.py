"""Verbs on photos: added once, listed, looked at, forgotten in time."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from chubei_shared import outbox
from chubei_shared.contracts.orders import Stop
from chubei_shared.contracts.photos import Photo, PhotoList, PhotoView
from chubei_shared.errors import Conflict, Forbidden, Invalid, NotFound
from chubei_shared.tokens import Caller, Role
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chubei_allocation import locks
from chubei_allocation.dispatch import orders
from chubei_allocation.incidents import incidents
from chubei_allocation.photos.tables import OrderPhoto

MOST: Final = 50
"""Of one order."""


def add(session: Session, order_id: UUID, body: Photo, keep: timedelta, caller: Caller) -> PhotoView:
    """Raises NotFound; Invalid; Forbidden at somebody else's stop; Conflict for an id of another photo, or too many."""
    order = orders.get(session, order_id, lock=True)
    locks.one_at_a_time(session, body.id)
    image = b64decode(body.jpeg)
    told = (order_id, body.stop, body.note, sha256(image).hexdigest())
    if known := session.get(OrderPhoto, body.id):
        if (known.order_id, known.stop, known.note, known.sha256) != told:
            raise Conflict(
                f"编号 {body.id} 已用于另一张照片,请换新编号",
                f"Id {body.id} is another photo's: mint a new one",
            )
        return _view(known)
    _check_stop(orders.stops_of(order), body.stop, caller)
    incidents.check_time(incidents.get(session, order.incident_id), body.occurred_at)
    if session.scalar(select(func.count()).where(OrderPhoto.order_id == order_id)) == MOST:
        raise Conflict(
            f"此单已有 {MOST} 张照片,不能再加", f"This order has {MOST} photos: no more can be added"
        )
    now = datetime.now(UTC)
    row = OrderPhoto(
        id=body.id,
        order_id=order_id,
        stop=body.stop,
        occurred_at=body.occurred_at,
        recorded_at=now,
        recorded_by=caller.person,
        note=body.note,
        sha256=told[-1],
        jpeg=image,
        kept_until=now + keep,
    )
    session.add(row)
    session.flush()
    outbox.enqueue(
        session, "order.photo", {"order_id": str(order_id), "number": order.number, "stop": body.stop}
    )
    return _view(row)


def _check_stop(stops: Sequence[Stop], number: int, caller: Caller) -> None:
    if number >= len(stops):
        raise Invalid(
            f"stop:此单只有 {len(stops)} 站,从 0 起", f"stop: the order has {len(stops)} stops, from 0"
        )
    stop = stops[number]
    if Role.COMMANDER not in caller.roles and stop.place_id not in caller.places:
        raise Forbidden(
            f"只有 {stop.name_zh} 的保管员可以在那里拍照登记",
            f"Only a clerk of {stop.name_en} ({stop.place_id}) adds photos there",
        )


def listed(session: Session, order_id: UUID) -> PhotoList:
    """Raises NotFound."""
    orders.get(session, order_id)
    found = select(OrderPhoto).where(OrderPhoto.order_id == order_id)
    rows = session.scalars(found.order_by(OrderPhoto.recorded_at, OrderPhoto.id))
    return PhotoList(rows=[_view(row) for row in rows])


def image(session: Session, order_id: UUID, photo_id: UUID) -> bytes:
    """Raises NotFound, also where it was forgotten."""
    row = session.get(OrderPhoto, photo_id)
    if row is None or row.order_id != order_id or _is_over(row) or row.jpeg is None:
        raise NotFound(
            f"没有照片 {photo_id},或已过保存期",
            f"There is no photo {photo_id}, or its time was over",
        )
    return row.jpeg


def forget(session: Session) -> int:
    """Forget images whose time is over; how many."""
    gone = (
        update(OrderPhoto)
        .where(OrderPhoto.jpeg.is_not(None), OrderPhoto.kept_until <= datetime.now(UTC))
        .values(jpeg=None)
        .returning(OrderPhoto.id)
    )
    return len(session.scalars(gone).all())


def _is_over(row: OrderPhoto) -> bool:
    return row.kept_until <= datetime.now(UTC)


def _view(row: OrderPhoto) -> PhotoView:
    return PhotoView(
        id=row.id,
        stop=row.stop,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        note=row.note,
        forgotten=_is_over(row),
    )
