"""Proofs as they ran."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class ProofRun(Base):
    """One proof, asked for or of a night; written once more when it has run."""

    __tablename__ = "proof_run"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    night: Mapped[date | None]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    entries: Mapped[int | None] = mapped_column(BigInteger)
    counts: Mapped[dict[str, Any] | None]
    __table_args__ = (
        UniqueConstraint("night", name="proof_run_night"),
        Index("proof_run_finished", "finished_at", "id", postgresql_where=text("finished_at IS NOT NULL")),
        Index("proof_run_asked", "asked_at", "id"),
    )


class ProofFinding(Base):
    """One difference that a proof found. Append-only."""

    __tablename__ = "proof_finding"
    run_id: Mapped[UUID] = mapped_column(ForeignKey("proof_run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    check: Mapped[str]
    rows: Mapped[dict[str, Any]]
    expected: Mapped[str]
    found: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
