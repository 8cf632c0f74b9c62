"""Files in and out: templates, imports with a dry run, exports."""

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, BinaryIO, Final, cast
from urllib.parse import quote
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.exchange import ImportPage, ImportReport, ListView
from chubei_shared.editions import IfMatch
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Path, Query, Response
from fastapi.responses import StreamingResponse

from chubei_inventory.api_parameters import READERS, WRITERS, Cursor, Limit
from chubei_inventory.exchange import exporting, importing
from chubei_inventory.exchange.exporting import Language
from chubei_inventory.exchange.writing import MEDIA, Format

router = APIRouter(prefix="/v1", tags=["exchange"])

Upload = Annotated[
    bytes,
    Body(
        media_type="application/octet-stream",
        description=".xlsx 或 CSV 文件本身 / the file itself, .xlsx or CSV",
    ),
]
ListKey = Annotated[
    str, Path(pattern=r"^[a-z][a-z-]{0,39}$", description="见 GET /v1/lists / see GET /v1/lists")
]
Form = Annotated[Format, Query(alias="format")]
_IN_MEMORY: Final = 4 * 1024 * 1024
_PIECE: Final = 1 << 16
_LONG_S: Final = 600
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "文件 / the file",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA.values()},
    }
}
_MARKED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "标注后的工作簿 / the marked workbook",
          "content": {MEDIA["xlsx"]: {"schema": {"type": "string", "format": "binary"}}}}
}  # fmt: skip
_ZIP: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "压缩包 / the archive",
          "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}  # fmt: skip
_REPEATED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": ImportReport,
        "description": "试导入的结果,或早已导入,同前 / the dry run, or imported before",
    }
}


@router.get(
    "/lists",
    summary="可导入、导出的表及其列 / lists that go in and out, and their columns",
    **allow(*READERS),
)
def get_lists() -> list[ListView]:
    return exporting.lists()


@router.get(
    "/lists/{list_key}/template",
    summary="导入模板 / an empty list to fill in",
    response_class=StreamingResponse,
    responses=_FILES,
    **allow(*READERS),
)
def get_template(list_key: ListKey, form: Form = "xlsx", language: Language = "zh") -> StreamingResponse:
    target = _file()
    exporting.template(list_key, form, language, target)
    return _send(target, f"{list_key}-template.{form}", MEDIA[form])


@router.get(
    "/lists/{list_key}/export",
    summary="导出一张表 / a list as a file",
    response_class=StreamingResponse,
    responses=_FILES,
    **allow(*READERS, timeout_s=_LONG_S, personal=True),
)
def export_list(
    list_key: ListKey, caller: CurrentCaller, tx: Tx, form: Form = "xlsx", language: Language = "zh"
) -> StreamingResponse:
    """From one snapshot. A list that can be imported has the template's columns, and comes in again as it is.

    Telephones of contacts are in it for those who call: command, clerks and administrators.
    """
    exporting.refuse_stranger(list_key, caller)
    target = tx(
        _fresh(lambda session, file: exporting.export(session, list_key, form, language, file, caller))
    )
    return _send(target, f"{list_key}.{form}", MEDIA[form])


@router.get(
    "/export",
    summary="导出全部 / every list and the whole ledger, with a manifest",
    response_class=StreamingResponse,
    responses=_ZIP,
    **allow(*exporting.KEEPERS, timeout_s=_LONG_S, personal=True),
)
def export_everything(caller: CurrentCaller, tx: Tx) -> StreamingResponse:
    """CSV files at one moment; `manifest.json` has each one's rows and SHA-256, and the moment."""
    target = tx(_fresh(lambda session, file: exporting.export_all(session, file, caller)))
    return _send(target, "chubei-inventory.zip", "application/zip")


@router.post(
    "/lists/{list_key}/imports",
    status_code=201,
    summary="导入一张表;缺省为试导入 / import a list; a dry run unless told otherwise",
    response_model=ImportReport,
    responses=_REPEATED,
    **allow(*WRITERS, Role.CLERK, timeout_s=_LONG_S),
)
def post_import(
    list_key: ListKey,
    body: Upload,
    caller: CurrentCaller,
    tx: Tx,
    response: Response,
    dry_run: bool = True,
    id: Annotated[
        UUID | None, Query(description="由客户端生成,正式导入必填 / minted by the client; for the real run")
    ] = None,
    file_sha256: Annotated[
        str | None, Query(pattern="^[0-9a-f]{64}$", description="试导入所给 / as the dry run told")
    ] = None,
    if_match: IfMatch = None,
) -> ImportReport:
    """The dry run answers every fault, with row, column, problem and remedy. The real run imports all or nothing.

    Where records that are there change, the real run needs the dry run's ETag as If-Match.
    """
    file = importing.open_file(list_key, body)
    asked = importing.Asked(id, dry_run, file_sha256, if_match)
    try:
        report, new = tx(importing.run, file, asked, caller)
    except importing.Rehearsed as found:
        response.status_code, response.headers["ETag"] = 200, found.etag
        return found.report
    response.status_code = 201 if new else 200
    return report


@router.post(
    "/lists/{list_key}/imports:mark",
    summary="标出错误的副本 / the same file with its bad cells marked",
    response_class=StreamingResponse,
    responses=_MARKED,
    **allow(*WRITERS, Role.CLERK, timeout_s=_LONG_S),
)
def mark_import(list_key: ListKey, body: Upload, caller: CurrentCaller, tx: Tx) -> StreamingResponse:
    """Nothing is written. Correct the copy, and send it as it is."""
    file = importing.open_file(list_key, body)
    target = _file()
    try:
        tx(importing.run, file, importing.Asked(), caller)
    except importing.Rehearsed as found:
        exporting.mark(file, found.table, target)
    return _send(target, f"{list_key}-marked.xlsx", MEDIA["xlsx"])


@router.get(
    "/imports", summary="导入记录,最近的在前 / what was imported, the latest first", **allow(*READERS)
)
def get_imports(
    tx: Tx,
    list_key: Annotated[str | None, Query(alias="list", pattern=r"^[a-z][a-z-]{0,39}$")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ImportPage:
    return tx(importing.page, list_key, cursor, limit)


@router.get("/imports/{import_id}", summary="一次导入 / one import", **allow(*READERS))
def get_import(import_id: UUID, tx: Tx) -> ImportReport:
    return tx(importing.get, import_id)


def _file() -> BinaryIO:
    return cast("BinaryIO", SpooledTemporaryFile(max_size=_IN_MEMORY))


def _fresh(write: Any) -> Any:
    """A verb that writes to a new file each time it is tried."""

    def verb(session: Any) -> BinaryIO:
        target = _file()
        write(session, target)
        return target

    return verb


def _send(target: BinaryIO, name: str, media: str) -> StreamingResponse:
    length = target.tell()
    target.seek(0)

    def pieces() -> Iterator[bytes]:
        with target:
            while piece := target.read(_PIECE):
                yield piece

    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Content-Length": str(length),
    }
    return StreamingResponse(pieces(), headers=headers, media_type=media)
