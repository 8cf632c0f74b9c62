"""Every failure of a service leaves as problem+json (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from chubei_shared.errors import AppError, Invalid, Unavailable

PROBLEM_JSON = "application/problem+json"


def respond(error: AppError, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(error.problem(), error.status, headers, media_type=PROBLEM_JSON)


def _remedy(kind: str, context: dict[str, Any]) -> str:
    if kind == "missing":
        return "填写此项 / give this field"
    if kind == "extra_forbidden":
        return "去掉此项 / take this field out"
    if expected := context.get("expected"):
        return f"应为 / use one of {expected}"
    return "按接口文档改正 / correct it as the API document says"


def validation_problem(errors: Sequence[Any]) -> Invalid:
    """Pydantic's list of errors as one problem that names each field."""
    rows = [
        {
            "field": ".".join(str(part) for part in e["loc"][1:]) or str(e["loc"][0]),
            "problem": e["msg"],
            "remedy": _remedy(e["type"], e.get("ctx") or {}),
        }
        for e in errors
    ]
    first = rows[0] if rows else {"field": "?", "problem": "?", "remedy": ""}
    return Invalid(
        f"{first['field']}:{first['problem']}。{first['remedy']}",
        f"{first['field']}: {first['problem']}. {first['remedy']}",
        errors=rows,
    )


def install_handlers(app: FastAPI) -> None:
    """Every failure of `app` leaves as problem+json."""

    @app.exception_handler(AppError)
    async def app_error(_: Request, error: AppError) -> JSONResponse:
        return respond(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return respond(validation_problem(error.errors()))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        body = {
            "type": "about:blank",
            "title": phrase,
            "title_en": phrase,
            "status": error.status_code,
            "detail": f"{request.method} {request.url.path}:{error.detail}",
            "detail_en": f"{request.method} {request.url.path}: {error.detail}",
        }
        headers = dict(error.headers) if error.headers else None
        return JSONResponse(body, error.status_code, headers, media_type=PROBLEM_JSON)

    @app.exception_handler(OperationalError)
    async def database_away(_: Request, __: OperationalError) -> JSONResponse:
        return respond(
            Unavailable(
                "数据库暂时连不上,请稍后用同一编号重试", "The database is away: retry with the same id"
            ),
            {"Retry-After": "2"},
        )

    @app.exception_handler(Exception)
    async def unexpected(_: Request, __: Exception) -> JSONResponse:
        return respond(
            AppError(
                "系统内部错误,已记录;请稍后用同一编号重试",
                "An internal error, which has been logged; retry with the same id",
            )
        )
