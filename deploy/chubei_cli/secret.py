"""Secrets that an installation makes up for itself, each in a file that only its owner can read."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

_CONSONANTS, _VOWELS = "bdfghjkmnprstvz", "aeiou"


def random_secret() -> str:
    """A secret that only programs read: 144 bits."""
    return secrets.token_urlsafe(18)


def readable_password() -> str:
    """A password that a person can read out and type once: three words and four digits, 50 bits."""
    words = [
        "".join(secrets.choice(letters) for letters in (_CONSONANTS, _VOWELS, _CONSONANTS, _VOWELS))
        for _ in range(3)
    ]
    return "-".join([*words, f"{secrets.randbelow(10_000):04d}"])


def secret_file(path: Path, make: Callable[[], str] = random_secret) -> str:
    """The secret kept at `path`; the first call makes it up. Raises OSError."""
    if not path.exists():
        write_private(path, make())
    return path.read_text()


def write_private(path: Path, text: str) -> None:
    """Put `text` at `path`, readable by the owner only; whole or not at all. Raises OSError."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
