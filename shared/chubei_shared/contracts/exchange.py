"""Lists that go in and out as files: what they hold, what an import found, what was imported (owned by inventory)."""

from uuid import UUID

from pydantic import Field

from chubei_shared.contracts.base import Dto, Utc


class ColumnView(Dto):
    key: str
    name_zh: str
    name_en: str
    required: bool
    allowed_zh: str
    allowed_en: str


class ListView(Dto):
    """A list that can be exported, and imported where `importable`; either language's header names a column."""

    key: str
    name_zh: str
    name_en: str
    importable: bool
    columns: list[ColumnView]


class CellFault(Dto):
    """One thing wrong in a file. Without a row: the whole file; without a column: the whole row."""

    row: int | None
    """As the spreadsheet counts; 1 is the first."""
    column: str | None
    """The letter over the cell."""
    header: str | None
    value: str
    problem: str
    problem_en: str
    remedy: str
    remedy_en: str


class Changing(Dto):
    """A record that is there already and would be changed."""

    row: int
    key: str
    fields: list[str]


class ImportReport(Dto):
    """What a file would do (dry run), or did. All of it or nothing: with one fault nothing is written."""

    id: UUID | None
    list_key: str
    dry_run: bool
    file_sha256: str
    rows: int
    """Rows with anything in them, headers left out."""
    new: int
    changed: int
    same: int
    """Records that are there already just as the file has them."""
    changes: list[Changing] = Field(max_length=500)
    """The first 500."""
    fault_count: int
    faults: list[CellFault] = Field(max_length=1000)
    """The first 1,000; the marked copy shows all."""
    movement_ids: list[UUID] = Field(default_factory=list)
    """What opening stock was booked by; to undo an import, reverse these, the last one first."""
    recorded_at: Utc | None = None
    recorded_by: str | None = None


class ImportPage(Dto):
    rows: list[ImportReport]
    next_cursor: str | None = None
