"""Routes of readiness."""

from datetime import date
from typing import Annotated, Any, Final

from chubei_shared.access import CurrentCaller, Tx, allow, allow_public
from chubei_shared.contracts.readiness import AlarmPage, Current, Readiness, RunPage, RunRequest, RunView
from chubei_shared.contracts.readiness_settings import ReadinessSettings, SettingsView
from chubei_shared.editions import IfMatch, etag_of
from chubei_shared.tokens import Role
from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from chubei_allocation.api_parameters import READERS, Cursor
from chubei_allocation.readiness import alarms, metrics, printing, results, runs, settings

router = APIRouter(tags=["readiness"])
Limit = Annotated[int, Query(ge=1, le=100)]
Night = Annotated[date, "a day in China"]

_EXAMPLE = {"id": "c0f1d2e3-13a0-4f0c-8f4e-b0f1e9b6d222", "draws": 200}
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "可打印的网页 / a page to print",
        "content": {"text/html": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/v1/readiness",
    summary="最近一次保障检查,和正在进行的 / the newest finished check, and the one under way",
    **allow(*READERS),
)
def read_readiness(tx: Tx) -> Current:
    return tx(results.current)


@router.post(
    "/v1/readiness:run",
    summary="现在检查一次 / check now",
    status_code=202,
    **allow(Role.COMMANDER, Role.ADMIN),
)
def run_readiness(
    body: Annotated[RunRequest, Body(examples=[_EXAMPLE])], caller: CurrentCaller, tx: Tx
) -> RunView:
    """The id is the caller's. Workers take it up; follow it at GET /v1/readiness."""
    return tx(runs.ask, body, caller)


@router.get(
    "/v1/readiness/history", summary="历次检查,新的在前 / all checks, the latest first", **allow(*READERS)
)
def read_readiness_history(tx: Tx, cursor: Cursor = None, limit: Limit = 31) -> RunPage:
    return tx(runs.listed, cursor, limit)


@router.get("/v1/readiness/alarms", summary="保障告警,新的在前 / alarms, the latest first", **allow(*READERS))
def read_readiness_alarms(tx: Tx, cursor: Cursor = None, limit: Limit = 31) -> AlarmPage:
    return tx(alarms.listed, cursor, limit)


@router.get(
    "/v1/readiness/settings",
    summary="检查依据:情景、失效、分布、目标 / what checks are judged by",
    **allow(*READERS),
)
def read_readiness_settings(tx: Tx, response: Response) -> SettingsView:
    found = tx(settings.show)
    response.headers["ETag"] = etag_of(found.settings)
    return found


@router.put(
    "/v1/readiness/settings",
    summary="更改检查依据,整份替换 / change what checks are judged by, as a whole",
    **allow(Role.ADMIN),
)
def put_readiness_settings(
    body: ReadinessSettings, caller: CurrentCaller, tx: Tx, response: Response, if_match: IfMatch = None
) -> SettingsView:
    found = tx(settings.put, body, if_match, caller)
    response.headers["ETag"] = etag_of(found.settings)
    return found


@router.get(
    "/v1/readiness/{night}",
    summary="某夜的检查结果 / what the check of a night found",
    **allow(*READERS),
)
def read_readiness_of_night(night: Night, tx: Tx) -> Readiness:
    return tx(results.of_night, night)


@router.get(
    "/v1/readiness/{night}/page",
    summary="日报(可打印) / the page that goes upward, to print",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS),
)
def read_readiness_page(night: Night, tx: Tx) -> HTMLResponse:
    return printing.daily(tx(results.of_night, night))


@router.get(
    "/v1/readiness/months/{first}/page",
    summary="月报(可打印) / a month's page, to print; name it by its first day",
    response_class=HTMLResponse,
    responses=_PAGE,
    **allow(*READERS),
)
def read_readiness_month(first: Night, tx: Tx) -> HTMLResponse:
    begin = first.replace(day=1)
    return printing.monthly(begin, tx(results.of_month, begin), tx(results.last_of_month, begin))


@router.get("/metrics", include_in_schema=False, **allow_public())
def read_metrics(tx: Tx) -> PlainTextResponse:
    """For Prometheus, on the service's own port: what is not in the document, the gateway does not pass on."""
    return PlainTextResponse(metrics.text(tx(results.current)), media_type=metrics.CONTENT_TYPE)
