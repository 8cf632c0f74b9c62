"""Notices out of the house: webhooks by HTTP, mail by SMTP over TLS. Never inside a transaction.

At least once: whoever dies between sending and recording has it sent again, under the same Idempotency-Key (webhook)
or Message-ID (mail).
"""

import asyncio
import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime

import httpx
from chubei_shared.db import Transactions
from chubei_shared.settings import MailServer, Settings, mail_server
from chubei_shared.telemetry import log

from chubei_allocation.notices import deliveries, escalation, routing
from chubei_allocation.notices.deliveries import Parcel
from chubei_allocation.posts import posts

WEBHOOK_TIMEOUT_S = 5.0
_MAIL_TIMEOUT_S = 10.0
_ROUNDS = 20
"""Of one wake-up, so that other tasks of the worker have their turn."""


def work(tx: Transactions, sender: "Sender") -> None:
    """Escalate what is late, decide how notices are sent, and send what is due. Twice at once is harmless."""
    while tx(escalation.escalate):
        pass
    while tx(routing.route):
        pass
    for _ in range(_ROUNDS):
        parcels = tx(deliveries.take)
        if not parcels:
            return
        for parcel, problem in zip(parcels, sender.send(parcels), strict=True):
            if problem is not None:
                log.warning("notice not delivered", extra={"id": str(parcel.delivery.id), "error": problem})
            tx(deliveries.record, parcel, problem)


class Sender:
    """Sends what a worker took, all of it at the same time: one slow receiver keeps no other waiting."""

    def __init__(self, settings: Settings) -> None:
        self._mail = mail_server(settings.smtp_url)
        self._tls = httpx.create_ssl_context()

    def send(self, parcels: Sequence[Parcel]) -> list[str | None]:
        """What went wrong with each; None: it was delivered, or is not wanted any more."""
        return asyncio.run(self._all(parcels))

    async def _all(self, parcels: Sequence[Parcel]) -> list[str | None]:
        async with httpx.AsyncClient(
            verify=self._tls,
            timeout=WEBHOOK_TIMEOUT_S,
            follow_redirects=False,  # a redirect would carry what is signed to another address
            trust_env=False,
        ) as http:
            return await asyncio.gather(*(self._one(http, parcel) for parcel in parcels))

    async def _one(self, http: httpx.AsyncClient, parcel: Parcel) -> str | None:
        if not parcel.wanted:
            return None
        try:
            if parcel.delivery.kind == "webhook":
                return await _post(http, parcel)
            if self._mail is None:
                return posts.NO_SMTP
            await asyncio.to_thread(_mail, self._mail, parcel)
        except Exception as error:  # whatever one receiver does, the others get theirs
            return f"{type(error).__name__}: {error}"[:500].rstrip(": ")
        return None


async def _post(http: httpx.AsyncClient, parcel: Parcel) -> str | None:
    body = parcel.body.model_dump_json().encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Idempotency-Key": str(parcel.delivery.id),
        "Chubei-Signature": signature(parcel.secret or "", body),
    }
    async with asyncio.timeout(WEBHOOK_TIMEOUT_S):  # of the whole try, however slowly the answer drips
        async with http.stream("POST", parcel.delivery.target, content=body, headers=headers) as answer:
            if answer.is_success:
                return None
            followed = " (重定向不跟随 / redirects are not followed)" if answer.is_redirect else ""
            return f"HTTP {answer.status_code}{followed}"


def signature(secret: str, body: bytes) -> str:
    """The header Chubei-Signature of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _mail(server: MailServer, parcel: Parcel) -> None:
    tls = ssl.create_default_context(cafile=server.ca_file)
    if server.tls_first:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=_MAIL_TIMEOUT_S, context=tls)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=_MAIL_TIMEOUT_S)
    with smtp:
        if not server.tls_first:
            smtp.starttls(context=tls)  # raises where the server offers none: nothing goes out in the clear
        if server.user:
            smtp.login(server.user, server.password)
        smtp.send_message(_message(server, parcel))


def _message(server: MailServer, parcel: Parcel) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = parcel.body.subject
    message["From"], message["To"] = server.sender, parcel.delivery.target
    message["Date"] = format_datetime(parcel.body.told_at)
    message["Message-ID"] = f"<{parcel.delivery.id}@{server.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{parcel.body.zh}\n\n{parcel.body.en}\n")
    return message
