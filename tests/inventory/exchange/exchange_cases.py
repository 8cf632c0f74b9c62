"""Files as people send them, and a client that sends them: for the tests of imports and exports."""

import csv
import io
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook, load_workbook
from starlette.testclient import TestClient

ITEM_HEADER = [
    "物资编码", "中文名称", "英文名称", "物资类别", "单位", "每箱件数", "单件重量(克)", "单件体积(立方厘米)",
    "储备方式", "管理主体", "调拨权限", "数据可靠性",
]  # fmt: skip


def item_row(code: str, **changes: Any) -> list[Any]:
    """A sound row under ITEM_HEADER; `changes` by header."""
    row = [code, "棉被", "Quilt", "救灾物资", "床", 10, 3500, 30000, "实物;协议", "应急局", "应急局", "估计"]
    return [changes.get(header, value) for header, value in zip(ITEM_HEADER, row, strict=True)]


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def text_file(*rows: list[Any], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter).writerows(rows)
    return target.getvalue().encode(encoding)


def with_part(book: bytes, name: str, content: bytes) -> bytes:
    """A workbook with one of its parts put in or replaced."""
    target = io.BytesIO()
    with ZipFile(io.BytesIO(book)) as old, ZipFile(target, "w", ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part.filename, old.read(part))
        new.writestr(name, content)
    return target.getvalue()


def part(book: bytes, name: str) -> bytes:
    with ZipFile(io.BytesIO(book)) as archive:
        return archive.read(name)


def sheet_rows(book: bytes) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(book)).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


class Exchange:
    """Imports and exports as one person."""

    def __init__(self, http: TestClient) -> None:
        self.http = http

    def send(self, key: str, data: bytes, etag: str | None = None, **query: Any) -> Any:
        headers = {"Content-Type": "application/octet-stream"} | ({"If-Match": etag} if etag else {})
        return self.http.post(f"/v1/lists/{key}/imports", params=query, content=data, headers=headers)

    def rehearse(self, key: str, data: bytes) -> dict[str, Any]:
        answer = self.send(key, data)
        assert answer.status_code == 200, answer.text
        return dict(answer.json(), etag=answer.headers["ETag"])

    def load(self, key: str, data: bytes, import_id: UUID | None = None) -> Any:
        """A dry run and then the real one, as a person does who has looked at it."""
        seen = self.rehearse(key, data)
        assert seen["faults"] == [], seen["faults"]
        return self.send(
            key,
            data,
            seen["etag"],
            dry_run=False,
            id=str(import_id or uuid4()),
            file_sha256=seen["file_sha256"],
        )

    def mark(self, key: str, data: bytes) -> bytes:
        headers = {"Content-Type": "application/octet-stream"}
        answer = self.http.post(f"/v1/lists/{key}/imports:mark", content=data, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.content

    def export(self, key: str, form: str = "csv", language: str = "zh") -> bytes:
        answer = self.http.get(f"/v1/lists/{key}/export", params={"format": form, "language": language})
        assert answer.status_code == 200, answer.text
        return answer.content
