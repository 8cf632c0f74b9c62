"""The second factor of a sign-in: one-time codes of an authenticator application (RFC 6238)."""

from typing import Annotated

from pydantic import StringConstraints

from chubei_shared.contracts.base import Dto, Utc

Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Code = Annotated[str, StringConstraints(min_length=6, max_length=20)]
"""Six digits that the authenticator shows now, or a recovery code."""


class SecondFactorView(Dto):
    enrolled_at: Utc | None
    """None: there is none."""
    recovery_codes_left: int


class BeginSecondFactor(Dto):
    password: Password
    """One's own, once more."""


class SecondFactorSecret(Dto):
    """For the authenticator application, shown this once."""

    secret: str
    """In base32, to type where there is no camera."""
    uri: str
    """otpauth://…, what the QR code says."""
    qr_svg: str


class ConfirmSecondFactor(Dto):
    code: Code


class SecondFactorProof(Dto):
    password: Password
    code: Code


class RecoveryCodes(Dto):
    """Each is good for one sign-in without the phone. Nobody sees them again."""

    codes: list[str]
