"""One-time codes of an authenticator application (RFC 6238, HMAC-SHA-1, 6 digits, 30 s: what all of them know)."""

import hmac
from base64 import b32encode
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

STEP_S: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20
_AROUND: Final = (-1, 0, 1)
"""Steps that are taken: a phone's clock may be half a minute off."""
_ISSUER: Final = "Chubei"


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a step (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = mac[-1] & 15
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_at(when: datetime) -> int:
    return int(when.timestamp()) // STEP_S


def matching_step(secret: bytes, code: str, now: datetime, after: int | None) -> int | None:
    """The step whose code this is, near `now` and later than `after`, the last that was used; None if there is none."""
    for step in (step_at(now) + around for around in _AROUND):
        if hmac.compare_digest(code_at(secret, step), code) and (after is None or step > after):
            return step
    return None


def written(secret: bytes) -> str:
    """The secret as a person types it."""
    return b32encode(secret).decode()


def uri(secret: bytes, username: str) -> str:
    """What an authenticator application reads from the QR code."""
    told = urlencode({"secret": written(secret), "issuer": _ISSUER, "digits": DIGITS, "period": STEP_S})
    return f"otpauth://totp/{_ISSUER}:{quote(username, safe='')}?{told}"
