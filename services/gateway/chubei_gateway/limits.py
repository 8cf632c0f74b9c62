"""How often a password or a code may be tried: counted in Redis, so that all gateway processes count together."""

from collections.abc import Mapping
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
"""Tries of any username, or of links, from one address, which a whole office may share."""
MOST_SECOND_FACTOR = 10
"""Wrong codes of one person's second factor, from anywhere."""
MOST_CODES_AT_ADDRESS = 20
"""Wrong short codes from one address."""
MOST_CODES = 2000
"""Wrong short codes from anywhere: of 2^40, so that nobody finds one. The link itself opens all the same."""


@dataclass(frozen=True)
class Tries:
    """The tries of one kind in this window: by the keys of their counters, how many there may be."""

    counters: "redis.Redis"
    most: Mapping[str, int]
    cleared: str | None = None
    """The counter that a success sets back to nothing; the others get back one try."""

    @classmethod
    def of_password(cls, counters: "redis.Redis", username: str, address: str) -> "Tries":
        """Of a username (in any case) from an address."""
        user = username.lower()
        pair = f"chubei:tries:pair:{user}@{address}"
        others = {
            f"chubei:tries:user:{user}": MOST_OF_USER,
            f"chubei:tries:address:{address}": MOST_FROM_ADDRESS,
        }
        return cls(counters, {pair: MOST_AT_ADDRESS} | others, cleared=pair)

    @classmethod
    def of_second_factor(cls, counters: "redis.Redis", username: str) -> "Tries":
        """Of codes, by who knows the password: a million codes, of which three are right."""
        key = f"chubei:tries:second-factor:{username.lower()}"
        return cls(counters, {key: MOST_SECOND_FACTOR}, cleared=key)

    @classmethod
    def of_link(cls, counters: "redis.Redis", address: str) -> "Tries":
        return cls(counters, {f"chubei:tries:link:{address}": MOST_FROM_ADDRESS})

    @classmethod
    def of_code(cls, counters: "redis.Redis", address: str) -> "Tries":
        """Of a link's short code, which could be guessed."""
        return cls(
            counters,
            {f"chubei:tries:code:{address}": MOST_CODES_AT_ADDRESS, "chubei:tries:code": MOST_CODES},
        )

    def take(self) -> None:
        """Count one try before it is made, so that many at once count too. Raises TooMany.

        Without Redis nothing is counted: on the night, people must get in.
        """
        try:
            pipe = self.counters.pipeline()
            for key in self.most:
                pipe.incr(key)
                pipe.expire(key, WINDOW_S, nx=True)
                pipe.ttl(key)
            answers = pipe.execute()
        except redis.RedisError as error:
            log.warning("tries can not be counted, sign-in goes on", extra={"error": str(error)})
            return
        over = [
            wait_s
            for most, count, wait_s in zip(self.most.values(), answers[::3], answers[2::3], strict=True)
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
        """Take the try back: it was right."""
        try:
            pipe = self.counters.pipeline()
            for key in self.most:
                if key == self.cleared:
                    pipe.delete(key)
                else:
                    pipe.decr(key)
                    pipe.expire(key, WINDOW_S, nx=True)
            pipe.execute()
        except redis.RedisError as error:
            log.warning("tries can not be counted, sign-in goes on", extra={"error": str(error)})
