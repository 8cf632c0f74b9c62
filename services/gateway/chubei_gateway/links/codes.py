"""The secrets of links: they follow from the link's id and a key, so that a retry gets the same and none is stored."""

import hmac
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Final
from uuid import UUID

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans("OIL", "011", "- ")
CODE_LENGTH: Final = 8
"""Letters of five bits: one of 2^40, which are tried a few thousand times at most (limits.py)."""
SECRET_BYTES: Final = 24


class Codes:
    """Mints secrets with a key that follows from the gateway's own. Another key ends all links."""

    def __init__(self, keys_dir: Path) -> None:
        self._key = hmac.digest((keys_dir / "gateway.key").read_bytes(), b"chubei links", "sha256")

    def secret(self, link_id: UUID) -> str:
        """What stands in the link."""
        return urlsafe_b64encode(self._mac(b"secret", link_id.bytes)[:SECRET_BYTES]).decode()

    def code(self, link_id: UUID) -> str:
        """What can be read out, in Crockford's base32: no letter is taken for another."""
        number = int.from_bytes(self._mac(b"code", link_id.bytes)[:5], "big")
        return "".join(_CROCKFORD[number >> shift & 31] for shift in range(35, -1, -5))

    def digest(self, typed: str) -> bytes:
        """What is stored of a secret or code, in whatever writing it was typed."""
        return self._mac(b"digest", (normal(typed) if is_short(typed) else typed).encode())

    def _mac(self, use: bytes, what: bytes) -> bytes:
        return hmac.digest(self._key, use + b":" + what, "sha256")


def is_short(typed: str) -> bool:
    """Whether this is a code for people, and not the secret of a link."""
    return len(normal(typed)) == CODE_LENGTH


def normal(typed: str) -> str:
    """A code as it was made: without dashes and blanks, in capitals, with O read as 0, I and L as 1."""
    return typed.upper().translate(_READ_AS)


def grouped(code: str) -> str:
    return f"{code[:4]}-{code[4:]}"
