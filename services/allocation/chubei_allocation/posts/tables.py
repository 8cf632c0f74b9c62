"""The tables of posts."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json, Rows


class Post(Base):
    __tablename__ = "post"
    __table_args__ = (
        CheckConstraint("escalates_to <> id", name="above"),
        Index("post_holder", "holder"),
        Index("post_deputy", "deputy"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    holder: Mapped[str | None]
    deputy: Mapped[str | None]
    escalates_to: Mapped[str | None] = mapped_column(ForeignKey("post.id"))
    tier: Mapped[str | None]
    channels: Mapped[Rows]
    provenance: Mapped[Json]


class Holding(Base):
    """Who held a post from when; a trigger refuses every change, rows are only added."""

    __tablename__ = "post_holding"
    __table_args__ = (Index("post_holding_post", "post_id", "serial"),)

    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    """The order of recording, whatever the clocks say."""
    post_id: Mapped[str] = mapped_column(ForeignKey("post.id"))
    holder: Mapped[str | None]
    deputy: Mapped[str | None]
    from_at: Mapped[datetime]
    recorded_by: Mapped[str]


class WebhookSecret(Base):
    """Kept as it is, because it has to sign."""

    __tablename__ = "webhook_secret"

    post_id: Mapped[str] = mapped_column(ForeignKey("post.id"), primary_key=True)
    url: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[str]
    made_at: Mapped[datetime]
