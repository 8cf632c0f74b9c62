"""The gateway's database: people, their sessions, what was done."""

from datetime import datetime
from uuid import UUID

from chubei_shared import audit, outbox, seals
from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True), list[str]: ARRAY(Text)}  # noqa: RUF012


class User(Base):
    """A person. The username is what stands on the records, so it never changes and is never given again."""

    __tablename__ = "users"

    username: Mapped[str] = mapped_column(primary_key=True)
    display_name: Mapped[str]
    roles: Mapped[list[str]]
    places: Mapped[list[str]]
    password_hash: Mapped[str]
    must_change_password: Mapped[bool]
    disabled: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        CheckConstraint(
            "cardinality(roles) > 0 AND roles <@ ARRAY['clerk', 'commander', 'approver', 'auditor', 'admin']",
            name="users_roles",
        ),
        Index("users_folded", func.lower(text("username")), unique=True),
    )


class UserSession(Base):
    """From a sign-in to its end; the access tokens name it (sid)."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey("users.username"))
    address: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    device: Mapped[str] = mapped_column(server_default=text("'-'"))
    break_glass: Mapped[bool] = mapped_column(server_default=text("false"))
    """Opened without the second factor: two hours, and no administrator's rights."""
    oidc: Mapped[bool] = mapped_column(server_default=text("false"))
    """An identity provider vouched for the person: the password here is not asked for, nor to be changed."""

    __table_args__ = (
        Index("sessions_username", "username", "created_at"),
        Index("sessions_revoked", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
    )


class RefreshToken(Base):
    """SHA-256 of each refresh token of a session; the replaced ones stay, to recognise one that is used again."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    replaced_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="refresh_tokens_sha256"),
        Index("refresh_tokens_live", "session_id", unique=True, postgresql_where=text("replaced_at IS NULL")),
        Index("refresh_tokens_session", "session_id"),
    )


audit_table = audit.table(Base.metadata)
"""What was done. A trigger refuses every change: rows are only added, and sealed afterwards."""
seal_table = seals.table(Base.metadata)
outbox_table = outbox.table(Base.metadata)
