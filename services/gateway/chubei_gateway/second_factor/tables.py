"""The tables of second factors."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from chubei_gateway.tables import Base


class SecondFactor(Base):
    """A person's authenticator. Until it is confirmed by a code nothing asks for it."""

    __tablename__ = "second_factor"

    username: Mapped[str] = mapped_column(ForeignKey("users.username"), primary_key=True)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    """The time step of the last code that was used: neither it nor an earlier one is taken again."""


class RecoveryCode(Base):
    """HMACs of the codes for who lost the phone; each is good for one use."""

    __tablename__ = "recovery_code"

    username: Mapped[str] = mapped_column(
        ForeignKey("second_factor.username", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("octet_length(digest) = 32", name="recovery_code_digest"),)
