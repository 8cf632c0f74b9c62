"""Printable pages: papers of movements, numbered and with each copy on record; labels."""

from typing import Annotated, Any, Final
from uuid import UUID

from chubei_shared.access import CurrentCaller, Tx, allow
from chubei_shared.contracts.base import Id, ItemCode
from chubei_shared.contracts.papers import BinLabel, LabelSheet, LotLabel, PaperPage, PaperView, Print
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import HTMLResponse

from chubei_inventory.api_parameters import READERS, Cursor, Limit
from chubei_inventory.papers import content, labels, prints

router = APIRouter(prefix="/v1", tags=["papers"])

_PRINT: Final[dict[str, Any]] = {
    "load": {
        "summary": "打印随车清单 / print a load list",
        "value": {"id": "6a0e1d52-98a1-4f0e-9a64-0a4c7a7d9b21", "movement_id": "5a0c5ad4-3a0b-4b0c-8a4c-0f3d1f6d6f11",
                  "form": "load"},
    }
}  # fmt: skip
_LABELS: Final[dict[str, Any]] = {
    "a4": {
        "summary": "A4 标签纸 / on A4 sheets",
        "value": {
            "labels": [
                {"kind": "lot", "lot_id": "2f1d7c1e-90a6-4e43-8e8a-7a6a0e3b9d13"},
                {"kind": "bin", "place_id": "STORE-N", "item_code": "1020101", "bin": "A-03-2"},
            ],
            "copies": 2,
        },
    },
    "printer": {
        "summary": "标签打印机,60 × 40 mm / a label printer",
        "value": {
            "labels": [{"kind": "module", "module_id": "FC-1", "place_id": "STORE-N"}],
            "sheet": "single", "width_mm": 60, "height_mm": 40,
        },
    },
}  # fmt: skip
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "可打印的网页 / a page to print",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}
Copies = Annotated[int, Query(ge=1, le=50, description="每张几份 / copies of it")]


@router.post(
    "/papers",
    status_code=201,
    summary="打印单据:入库单、出库单、随车清单、接收单 / print a paper of a movement",
    response_model=PaperView,
    responses={200: {"model": PaperView, "description": "早已打印,同前 / the same print as before"}},
    **allow(Role.CLERK, Role.COMMANDER, Role.ADMIN, Role.SERVICE),
)
def post_paper(
    body: Annotated[Print, Body(openapi_examples=_PRINT)], caller: CurrentCaller, tx: Tx, response: Response
) -> PaperView:
    """The first print of a paper gets a number. Who prints it again gets a copy, marked 副本."""
    view, new = tx(prints.record, body, caller.person)
    response.status_code = 201 if new else 200
    return view


@router.get("/papers", summary="打印记录,最近的在前 / what was printed, the latest first", **allow(*READERS))
def get_papers(
    tx: Tx,
    movement_id: UUID | None = None,
    number: Annotated[str | None, Query(max_length=40, pattern=r"^[^\x00]*$")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> PaperPage:
    return tx(prints.page, movement_id, number, cursor, limit)


@router.get("/papers/{paper_id}", summary="一次打印 / one print", **allow(*READERS))
def get_paper(paper_id: UUID, tx: Tx) -> PaperView:
    return tx(prints.get, paper_id)


@router.get(
    "/papers/{paper_id}/page",
    summary="单据页面 / the page of a paper",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS),
)
def get_paper_page(paper_id: UUID, tx: Tx) -> HTMLResponse:
    """A4 across, with boxes to sign; no script, nothing from elsewhere."""
    return tx(content.show, tx(prints.get, paper_id))


@router.post(
    "/labels",
    summary="标签页面:批次、货位、方舱 / a page of labels for lots, bins and modules",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS),
)
def post_labels(body: Annotated[LabelSheet, Body(openapi_examples=_LABELS)], tx: Tx) -> HTMLResponse:
    """Nothing is written; it is a POST because many labels do not go into an address."""
    return labels.sheet(body, tx(labels.labels, body))


@router.get(
    "/lots/{lot_id}/label",
    summary="一个批次的标签页面 / a page with a lot's label",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS),
)
def get_lot_label(lot_id: UUID, tx: Tx, copies: Copies = 1) -> HTMLResponse:
    """For a link on a page; many labels at once: POST /v1/labels."""
    sheet = LabelSheet(labels=[LotLabel(kind="lot", lot_id=lot_id)], copies=copies)
    return labels.sheet(sheet, tx(labels.labels, sheet))


@router.get(
    "/places/{place_id}/stacks/{item_code}/label",
    summary="一个货垛的标签页面 / a page with a stack's label",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS),
)
def get_stack_label(place_id: Id, item_code: ItemCode, tx: Tx, copies: Copies = 1) -> HTMLResponse:
    sheet = LabelSheet(labels=[BinLabel(kind="bin", place_id=place_id, item_code=item_code)], copies=copies)
    return labels.sheet(sheet, tx(labels.labels, sheet))
