"""Passwords: argon2id, and what a new one must be."""

import threading

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from chubei_shared.errors import Invalid

# Above OWASP's least (19 MiB, 2 passes); about 50 ms of one core. A hash states its parameters: raise
# them here, and each password is hashed anew at its owner's next sign-in.
_hasher = PasswordHasher(
    time_cost=3, memory_cost=32 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)
_at_once = threading.BoundedSemaphore(4)  # a flood of sign-ins takes 128 MiB at most
_nobodys = _hasher.hash("nobody has this password")


def hashed(password: str) -> str:
    with _at_once:
        return _hasher.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is right; takes as long where there is no such person (None)."""
    with _at_once:
        try:
            return _hasher.verify(password_hash or _nobodys, password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def check_new(username: str, new: str, old: str | None = None, field: str = "password") -> None:
    """Raises Invalid, of `field`, unless `new` may be a password (its length is the contract's business)."""
    if new.casefold() == username.casefold():
        _refuse(field, "与用户名相同", "is the username")
    if new == old:
        _refuse(field, "与旧密码相同", "is the old password")


def _refuse(field: str, problem: str, problem_en: str) -> None:
    raise Invalid(
        f"{field}:{problem},请另选一个",
        f"{field}: {problem_en}: choose another",
        errors=[
            {"field": field, "problem": f"{problem} / {problem_en}", "remedy": "另选一个 / choose another"}
        ],
    )
