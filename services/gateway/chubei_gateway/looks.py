"""Looks at personal data, in the audit: a person's at one thing once in LOOK_S, as pages refresh themselves."""

from contextlib import suppress
from typing import Any, Final

import redis
from chubei_shared import access
from chubei_shared.access import CurrentCaller, Tx
from chubei_shared.db import Transactions
from chubei_shared.telemetry import log
from chubei_shared.tokens import Role
from fastapi import Depends, Request

from chubei_gateway import audit

LOOK_S: Final = 15 * 60


def allow(*roles: Role) -> dict[str, Any]:
    """As `access.allow`, for a read of the gateway's own that shows personal data: whoever is let in is recorded."""
    told = access.allow(*roles, personal=True)
    told["dependencies"].append(Depends(_look))
    return told


def _look(request: Request, caller: CurrentCaller, tx: Tx) -> None:
    act = f"{request.method} {request.scope['route'].path}"
    record(request.app.state.redis, tx, caller.person, act, request.scope["path"], 200)


def record(
    counters: "redis.Redis", tx: Transactions, person: str, act: str, target: str, outcome: int
) -> None:
    """Add it, unless the same was seen within LOOK_S. An audit that is away shuts no page."""
    look = f"chubei:look:{person} {target} {outcome}"
    if _is_new(counters, look) and not audit.attempt(tx, person, act, target, outcome):
        with suppress(redis.RedisError):
            counters.delete(look)


def _is_new(counters: "redis.Redis", look: str) -> bool:
    """Whether it was not seen within LOOK_S; without Redis every look is."""
    try:
        return bool(counters.set(look, 1, ex=LOOK_S, nx=True))
    except redis.RedisError as error:
        log.warning("looks can not be told apart, each is recorded", extra={"error": str(error)})
        return True
