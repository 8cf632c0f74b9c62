"""How often a password may be tried: counted in Redis, so that all gateway processes count together."""

from dataclasses import dataclass

import redis
from chubei_shared.errors import TooMany
from chubei_shared.telemetry import log

WINDOW_S = 15 * 60
MOST_AT_ADDRESS = 10
"""Tries of one username from one address."""
MOST_OF_USER = 50
"""Tries of one username from anywhere. High, so that a stranger can not easily lock out a commander."""
MOST_FROM_ADDRESS = 200
"""Tries of any username from one address, which a whole office may share."""


@dataclass(frozen=True)
class Tries:
    """The tries of `username` (in any case) from `address` in this window."""

    counters: "redis.Redis"
    username: str
    address: str

    @property
    def _limits(self) -> dict[str, int]:
        user = self.username.lower()
        return {
            f"chubei:tries:pair:{user}@{self.address}": MOST_AT_ADDRESS,
            f"chubei:tries:user:{user}": MOST_OF_USER,
            f"chubei:tries:address:{self.address}": MOST_FROM_ADDRESS,
        }

    def take(self) -> None:
        """Count one try before it is made, so that many at once count too. Raises TooMany.

        Without Redis nothing is counted: on the night, people must get in.
        """
        try:
            pipe = self.counters.pipeline()
            for key in self._limits:
                pipe.incr(key)
                pipe.expire(key, WINDOW_S, nx=True)
                pipe.ttl(key)
            answers = pipe.execute()
        except redis.RedisError as error:
            log.warning("tries can not be counted, sign-in goes on", extra={"error": str(error)})
            return
        over = [
            wait_s
            for most, count, wait_s in zip(self._limits.values(), answers[::3], answers[2::3], strict=True)
            if count > most
        ]
        if over:
            wait_min = max(over) // 60 + 1
            raise TooMany(
                f"尝试次数过多,请 {wait_min} 分钟后再试",
                f"Too many tries: wait {wait_min} minutes",
                retry_after_s=max(over),
            )

    def succeeded(self) -> None:
        """Take the try back: the password was right."""
        pair, *others = self._limits
        try:
            pipe = self.counters.pipeline()
            pipe.delete(pair)
            for key in others:
                pipe.decr(key)
                pipe.expire(key, WINDOW_S, nx=True)
            pipe.execute()
        except redis.RedisError as error:
            log.warning("tries can not be counted, sign-in goes on", extra={"error": str(error)})
