"""Notices as they are shown, each with the ways by which it was sent."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from chubei_shared import jobs
from chubei_shared.contracts.notices import DeliveryState, DeliveryView, NoticeView
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation.notices import rules, tables
from chubei_allocation.posts import posts

_STATES = {
    jobs.QUEUED: DeliveryState.WAITING,
    jobs.RUNNING: DeliveryState.WAITING,
    jobs.DONE: DeliveryState.DELIVERED,
    jobs.FAILED: DeliveryState.FAILED,
    jobs.CANCELLED: DeliveryState.CANCELLED,
}


def of(session: Session, found: list[tables.Notice]) -> list[NoticeView]:
    """Those in a digest show what became of the digest."""
    ids = {notice.id for notice in found} | {notice.digest_id for notice in found if notice.digest_id}
    row = tables.Delivery
    by_notice: dict[UUID, list[DeliveryView]] = {}
    for delivery in session.scalars(select(row).where(row.notice_id.in_(ids)).order_by(row.kind, row.target)):
        by_notice.setdefault(delivery.notice_id, []).append(_delivery(delivery))
    now = datetime.now(UTC)
    return [
        _notice(
            notice,
            by_notice.get(notice.id, []) + (by_notice.get(notice.digest_id, []) if notice.digest_id else []),
            now,
        )
        for notice in found
    ]


def _notice(notice: tables.Notice, deliveries: list[DeliveryView], now: datetime) -> NoticeView:
    waits = notice.ack_within_min is not None and notice.acknowledged_at is None
    return NoticeView(
        id=notice.id,
        to_post=notice.to_post,
        subject=notice.subject,
        zh=notice.zh,
        en=notice.en,
        incident_id=notice.incident_id,
        exercise=notice.exercise,
        told_at=notice.told_at,
        ack_within_min=notice.ack_within_min,
        minutes_left=rules.minutes_left(notice.told_at, notice.ack_within_min or 0, now) if waits else None,
        acknowledged_at=notice.acknowledged_at,
        acknowledged_by=notice.acknowledged_by,
        escalated_from=notice.escalated_from,
        escalated_at=notice.escalated_at,
        sent=_sent(notice),
        deliveries=deliveries,
    )


def _sent(notice: tables.Notice) -> Literal["waiting", "singly", "in_digest"]:
    if notice.routed_at is None:
        return "waiting"
    return "singly" if notice.singly else "in_digest"


def _delivery(row: tables.Delivery) -> DeliveryView:
    unsent = row.status in (jobs.QUEUED, jobs.FAILED)
    state = DeliveryState.NOT_CONFIGURED if unsent and row.error == posts.NO_SMTP else _STATES[row.status]
    return DeliveryView(
        id=row.id,
        kind=row.kind,
        target=row.target,
        state=state,
        attempts=row.attempts,
        problem=row.error,
        next_try_at=row.try_at if row.status == jobs.QUEUED else None,
        delivered_at=row.finished_at if row.status == jobs.DONE else None,
    )
