"""What the gateway sees to by itself while it serves."""

import asyncio
import time
from datetime import timedelta
from typing import Final

import redis
from chubei_shared import seals
from chubei_shared.db import Transactions
from chubei_shared.settings import Settings
from chubei_shared.telemetry import log
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from chubei_gateway import audit, identity, passwords, sessions
from chubei_gateway.links import links

_EVERY_S: Final = 3.0
_PURGE_EVERY_S: Final = 3600.0
_SEAL_EVERY_S: Final = 60.0


class Upkeep:
    """The first account, revocations that did not reach Redis, what ended long ago, seals over the audit."""

    def __init__(self, settings: Settings, tx: Transactions, revocations: "redis.Redis") -> None:
        self._password = settings.initial_admin_password
        self._personal = timedelta(days=settings.personal_data_days)
        self._tx, self._revocations = tx, revocations
        self._peopled = False
        self._purge_at = self._seal_at = float("-inf")

    async def run(self) -> None:
        """See to it for ever; what fails is tried again."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.attempt()

    async def attempt(self) -> None:
        """See to it once, if the database lets us."""
        try:
            await run_in_threadpool(self._once)
        except SQLAlchemyError as error:
            log.warning("upkeep waits for the database", extra={"error": str(error)})

    def _once(self) -> None:
        if not self._peopled:
            self._peopled = self._ensure_people()
        revoked = self._tx(sessions.recently_revoked) + self._tx(links.recently_revoked)
        sessions.announce_revocations(revoked, self._revocations)
        if time.monotonic() >= self._purge_at:
            self._tx(sessions.purge)
            self._tx(links.purge, self._personal)
            self._purge_at = time.monotonic() + _PURGE_EVERY_S
        if time.monotonic() >= self._seal_at:
            while self._tx(seals.seal, audit.SOURCES):
                pass
            self._seal_at = time.monotonic() + _SEAL_EVERY_S

    def _ensure_people(self) -> bool:
        if self._tx(identity.anybody):
            return True
        if self._password is None:
            log.warning("nobody can sign in yet: set CHUBEI_INITIAL_ADMIN_PASSWORD and start again")
            return False
        if self._tx(identity.ensure_first_account, passwords.hashed(self._password)):
            log.info("first account made", extra={"username": identity.FIRST})
        return True
