"""Routes of the aftermath: read by all, at any time, as JSON, a page to print, or files."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.aftermath import Aftermath
from chubei_shared.errors import Invalid
from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from chubei_allocation.aftermath import aftermath, export, printing
from chubei_allocation.api_parameters import READERS, Inventory

router = APIRouter(tags=["aftermath"])

_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "可打印的网页 / a page to print",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "文件 / a file",
        "content": {
            media: {"schema": {"type": "string", "format": "binary"}} for media in export.MEDIA.values()
        },
    }
}


@router.get(
    "/v1/incidents/{id}/aftermath",
    summary="复盘:经过、对照、时间、应补、应还、应付 / the account of an incident",
    **allow(*READERS),
)
def read_aftermath(id: UUID, caller: CurrentCaller, tx: Tx, inventory: Inventory) -> Aftermath:
    """While inventory is away, what is owed is null and a note says so."""
    return aftermath.show(tx, inventory, id, caller)


@router.get(
    "/v1/incidents/{id}/aftermath/paper",
    summary="复盘报告(可打印) / the after-action report, to print",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS),
)
def read_aftermath_paper(id: UUID, caller: CurrentCaller, tx: Tx, inventory: Inventory) -> HTMLResponse:
    return printing.paper(aftermath.show(tx, inventory, id, caller))


@router.get(
    "/v1/incidents/{id}/aftermath/tables",
    summary="复盘各表,导出 xlsx 或 csv / its tables as files",
    response_class=Response,
    responses=_FILE,
    **allow(*READERS),
)
def export_aftermath(
    id: UUID,
    caller: CurrentCaller,
    tx: Tx,
    inventory: Inventory,
    format: Annotated[
        Literal["xlsx", "csv"], Query(description="xlsx: 全部 / all of them; csv: 一张 / one")
    ] = "xlsx",
    table: Annotated[export.Table | None, Query(description="csv 必填 / needed for csv")] = None,
) -> Response:
    if format == "csv" and table is None:
        names = ", ".join(export.TABLES)
        raise Invalid(
            f"table:csv 一次导出一张表,请填 {names} 之一", f"table: csv is one table: name one of {names}"
        )
    found = aftermath.show(tx, inventory, id, caller)
    content = export.as_csv(found, table) if format == "csv" and table else export.as_xlsx(found)
    name = f"aftermath{'-exercise' if found.exercise else ''}-{table or 'all'}.{format}"
    return Response(
        content,
        media_type=export.MEDIA[format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
