"""The table of links."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_gateway.tables import Base


class Link(Base):
    """What somebody without an account may do. Its secrets are known by their HMAC only."""

    __tablename__ = "link"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    subject: Mapped[list[str]]
    holder_name: Mapped[str]
    phone: Mapped[str | None]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    first_used_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(
            "octet_length(secret_hash) = 32 AND octet_length(code_hash) = 32", name="link_hashes"
        ),
        CheckConstraint("cardinality(subject) > 0", name="link_subject"),
        Index("link_secret", "secret_hash", unique=True),
        Index("link_code", "code_hash", unique=True),
        Index("link_created", "created_at", "id"),
        Index("link_of", "subject", postgresql_using="gin"),
        Index("link_revoked", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
    )
