"""What secrets of second factors are kept with: keys that follow from the gateway's own. Another key ends them all."""

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans("OIL", "011", "- ")
RECOVERY_LENGTH: Final = 10
"""Letters of five bits: one of 2^50."""


class Keys:
    def __init__(self, keys_dir: Path) -> None:
        own = (keys_dir / "gateway.key").read_bytes()
        self._seal = AESGCM(hmac.digest(own, b"chubei second factor seal", "sha256"))
        self._mac = hmac.digest(own, b"chubei recovery codes", "sha256")

    def sealed(self, secret: bytes, username: str) -> bytes:
        """The secret as it is stored; it opens for this person only."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, secret, username.encode())

    def opened(self, sealed: bytes, username: str) -> bytes | None:
        """None where it was sealed with another key."""
        try:
            return self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], username.encode())
        except InvalidTag:
            return None

    def digest(self, recovery_code: str, username: str) -> bytes:
        """What is stored of a recovery code, in whatever writing it was typed."""
        normal = recovery_code.upper().translate(_READ_AS)
        return hmac.digest(self._mac, f"{username}:{normal}".encode(), "sha256")


def new_recovery_code() -> str:
    """In Crockford's base32: no letter is taken for another."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(RECOVERY_LENGTH))
    return f"{code[:5]}-{code[5:]}"
