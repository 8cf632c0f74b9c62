"""PURE: when something is tried again, is late, or is too much.

A clock that is set back must not silence anybody: a moment that lies in the future is another clock's, and then one
acts rather than wait for it to come round again.
"""

from datetime import datetime, timedelta

SINGLY_IN_AN_HOUR = 20
"""So many notices to one post in an hour are sent one by one; the others as one digest."""
WINDOW = timedelta(hours=1)
DIGEST_AFTER = timedelta(minutes=10)
"""How long the first notice of a digest waits for others."""
GIVE_UP_AFTER = timedelta(days=1)
_FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=30)
SKEW = timedelta(minutes=5)
"""By so much two machines' clocks may differ."""


def wait(attempts: int) -> timedelta:
    """Before the next try, after so many: 10 s, 20 s, 40 s … half an hour."""
    return min(_FIRST_WAIT * int(2 ** min(attempts - 1, 10)), LONGEST_WAIT)


def over(since: datetime, within: timedelta, now: datetime) -> bool:
    """Whether `within` has passed since then, or `since` can not be true."""
    return now - since >= within or since - now > SKEW


def within_window(moment: datetime, now: datetime) -> bool:
    return now - WINDOW < moment <= now


def digest_due(oldest_at: datetime, last_digest_at: datetime | None, now: datetime) -> bool:
    """Whether notices that wait since `oldest_at` are to go out: once an hour at most."""
    return over(oldest_at, DIGEST_AFTER, now) and (
        last_digest_at is None or over(last_digest_at, WINDOW, now)
    )


def minutes_left(since: datetime, within_min: int, now: datetime) -> int:
    """Whole minutes, 0 when it is late."""
    return max(0, int((since + timedelta(minutes=within_min) - now).total_seconds() // 60))
