"""Notices: what a post is told, by which ways it was sent, and whether anybody heard (owned by allocation)."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from chubei_shared.contracts.base import Dto, Utc


class DeliveryState(StrEnum):
    WAITING = "waiting"
    """Not yet sent, or to be tried again."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Tried for a day in vain."""
    NOT_CONFIGURED = "not_configured"
    """E-mail, and no mail server is set (CHUBEI_SMTP_URL)."""
    CANCELLED = "cancelled"
    """The post no longer has this channel."""


class DeliveryView(Dto):
    id: UUID
    """Sent along as Idempotency-Key, the same at every try: what comes twice is one."""
    kind: Literal["app", "webhook", "email"]
    target: str
    state: DeliveryState
    attempts: int
    problem: str | None
    """Why the last try failed."""
    next_try_at: Utc | None
    delivered_at: Utc | None


class NoticeView(Dto):
    id: UUID
    to_post: str
    subject: str
    zh: str
    en: str
    incident_id: UUID | None
    exercise: bool
    told_at: Utc
    ack_within_min: int | None
    """Unless it is acknowledged by then it goes to the post above; none: it stays here."""
    minutes_left: int | None
    """To acknowledge it, before it goes to the post above."""
    acknowledged_at: Utc | None
    acknowledged_by: str | None
    escalated_from: UUID | None
    """The notice that nobody acknowledged, and which led to this one."""
    escalated_at: Utc | None
    """When this one was found not acknowledged in time, whether or not there was a post above."""
    sent: Literal["waiting", "singly", "in_digest"]
    """In a digest where there were too many in an hour."""
    deliveries: list[DeliveryView]


class NoticePage(Dto):
    """The latest first."""

    rows: list[NoticeView]
    next_cursor: str | None = None


class NoticeCount(Dto):
    """Notices that nobody acknowledged, to the posts that the caller holds or stands in for."""

    unread: int
    by_post: dict[str, int]


class NoticeSent(Dto):
    """The body that webhooks receive, signed by header Chubei-Signature: sha256=<HMAC-SHA256 in hex>."""

    id: UUID
    """The delivery's, which header Idempotency-Key carries too."""
    notice_id: UUID
    to_post: str
    subject: str
    zh: str
    en: str
    incident_id: UUID | None
    exercise: bool
    told_at: Utc
    ack_within_min: int | None
    escalated_from: UUID | None
