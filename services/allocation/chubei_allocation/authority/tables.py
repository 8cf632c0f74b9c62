"""The tables of authority: the document's versions, and who approved what under which of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from chubei_allocation.tables import Base, Json


class AuthorityVersion(Base):
    """The document as it was put; a trigger refuses every change, rows are only added."""

    __tablename__ = "authority_version"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[Json]
    put_by: Mapped[str]
    put_at: Mapped[datetime]


class PlanApproval(Base):
    """One person's approval, with the memo as it was then; a trigger refuses every change, rows are only added."""

    __tablename__ = "plan_approval"
    __table_args__ = (
        CheckConstraint("(tier IS NULL) = (authority_version IS NULL)", name="tier"),
        CheckConstraint("(post_id IS NULL) = (tier IS NULL)", name="post"),
        CheckConstraint("oral = (entered_by <> person)", name="entered"),
        Index("plan_approval_plan", "plan_id", "serial"),
    )

    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("plan.id"))
    person: Mapped[str]
    post_id: Mapped[str | None] = mapped_column(ForeignKey("post.id"))
    """None where approvals did not go by tiers then."""
    tier: Mapped[str | None]
    authority_version: Mapped[int | None] = mapped_column(ForeignKey("authority_version.version"))
    approved_at: Mapped[datetime]
    memo_hash: Mapped[str]
    seen: Mapped[str | None]
    oral: Mapped[bool]
    entered_by: Mapped[str]
    """The person, or who entered that person's word."""
    break_glass: Mapped[bool]
    """The person had come in without the second factor."""
    memo: Mapped[Json] = mapped_column(deferred=True)
