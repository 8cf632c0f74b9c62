"""The secrets by which receivers know that a notice comes from here: one for each webhook of a post."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from chubei_shared.contracts.posts import WebhookSecret
from sqlalchemy import select
from sqlalchemy.orm import Session

from chubei_allocation.posts import tables

_BYTES = 32


def of_posts(session: Session, post_ids: Iterable[str]) -> dict[tuple[str, str], str]:
    """The secrets by post and URL."""
    row = tables.WebhookSecret
    found = session.execute(select(row.post_id, row.url, row.secret).where(row.post_id.in_(list(post_ids))))
    return {(post_id, url): secret for post_id, url, secret in found}


def keep(session: Session, post_id: str, urls: Iterable[str]) -> list[WebhookSecret]:
    """Give each URL that is new a secret, and forget those of URLs that are gone; the new ones."""
    row, wanted = tables.WebhookSecret, set(urls)
    known = {kept.url: kept for kept in session.scalars(select(row).where(row.post_id == post_id))}
    for url in known.keys() - wanted:
        session.delete(known[url])
    return [renew(session, post_id, url) for url in sorted(wanted - known.keys())]


def renew(session: Session, post_id: str, url: str) -> WebhookSecret:
    """Another secret in place of the one there was, if any."""
    made = WebhookSecret(url=url, secret=secrets.token_hex(_BYTES))
    session.merge(
        tables.WebhookSecret(post_id=post_id, url=url, secret=made.secret, made_at=datetime.now(UTC))
    )
    session.flush()
    return made


def masked(secret: str) -> str:
    return f"…{secret[-4:]}"
