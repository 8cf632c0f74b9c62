"""The table of what was imported."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, func
from sqlalchemy.orm import Mapped, mapped_column

from chubei_inventory.tables import Base


class ImportRun(Base):
    """A file that was imported. Its id is remembered for good; `report` is what was answered."""

    __tablename__ = "import_run"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    list_key: Mapped[str]
    file_sha256: Mapped[str]
    report: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    recorded_by: Mapped[str]
    __table_args__ = (Index("import_run_recorded", "recorded_at", "id"),)
