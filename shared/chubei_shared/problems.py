"""Every failure of a service leaves as problem+json (RFC 9457)."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from chubei_shared import audit
from chubei_shared.access import act_of
from chubei_shared.db import Transactions
from chubei_shared.errors import AppError, Invalid, Unavailable
from chubei_shared.telemetry import log

PROBLEM_JSON = "application/problem+json"
SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. 先中文,后英文;更多成员见各接口 / Chinese and English; some have more members.",
    "type": "object",
    "required": ["type", "title", "title_en", "status", "detail", "detail_en"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "title_en": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "错在哪里,怎么改 / what is wrong and what to do"},
        "detail_en": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "有误的各项 / each field at fault",
            "items": {
                "type": "object",
                "required": ["field", "problem", "remedy"],
                "properties": {name: {"type": "string"} for name in ("field", "problem", "remedy")},
            },
        },
    },
}
"""What every failure looks like, told once in the OpenAPI document."""
REFERENCE = {"$ref": "#/components/schemas/Problem"}


def describe(app: FastAPI) -> None:
    """Have the OpenAPI document of `app` tell SCHEMA as the component Problem."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = SCHEMA
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def respond(error: AppError, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(error.problem(), error.status, headers, media_type=PROBLEM_JSON)


_ZH = {
    "missing": "缺少此项",
    "extra_forbidden": "没有这一项",
    "json_invalid": "不是有效的 JSON",
    "string_type": "须为文字",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "至多 {max_length} 个字符",
    "string_pattern_mismatch": "为空白或格式不符",
    "int_type": "须为整数",
    "int_parsing": "须为整数",
    "int_parsing_size": "数字过大",
    "int_from_float": "须为整数",
    "decimal_type": "须为数",
    "decimal_parsing": "须为数",
    "decimal_max_digits": "至多 {max_digits} 位数字",
    "float_type": "须为数",
    "float_parsing": "须为数",
    "finite_number": "须为有限的数",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than": "须小于 {lt}",
    "less_than_equal": "不得大于 {le}",
    "too_short": "至少 {min_length} 项",
    "too_long": "至多 {max_length} 项",
    "list_type": "须为列表",
    "tuple_type": "须为列表",
    "model_type": "须为对象",
    "dict_type": "须为对象",
    "model_attributes_type": "须为对象",
    "bool_type": "须为 true 或 false",
    "bool_parsing": "须为 true 或 false",
    "uuid_type": "不是有效的 UUID",
    "uuid_parsing": "不是有效的 UUID",
    "enum": "须为 {expected} 之一",
    "literal_error": "须为 {expected} 之一",
    "union_tag_invalid": "须为 {expected_tags} 之一",
    "union_tag_not_found": "缺少此项",
    "date_from_datetime_parsing": "不是有效日期",
    "date_from_datetime_inexact": "须为日期,不带时刻",
    "date_parsing": "不是有效日期",
    "datetime_from_date_parsing": "不是有效时刻",
    "datetime_parsing": "不是有效时刻",
    "datetime_type": "不是有效时刻",
    "date_type": "不是有效日期",
    "string_unicode": "含无法读取的字符",
    "timezone_aware": "缺少时区",
}
"""What Pydantic says of the commonest faults, for people who read Chinese; the fields stand in its context."""
_REMEDIES = {
    "missing": ("填写此项", "give this field"),
    "union_tag_not_found": ("填写此项", "give this field"),
    "extra_forbidden": ("去掉此项", "take this field out"),
    "timezone_aware": ("加上时区,如 +08:00", "add the zone, such as +08:00"),
}
_NAMED = re.compile(r"([a-z_]+):")
"""A validator of a whole body begins its words with the field that they are about."""
_CORRECT = ("按接口文档改正", "correct it as the API document says")


def _inside(at: Any, part: Any) -> Any:
    """What stands there; None where nothing does, as for what is missing of a pair."""
    if isinstance(at, dict):
        return at.get(part)
    return at[part] if isinstance(at, list) and isinstance(part, int) and part < len(at) else None


def _field(error: Any, body: Any) -> str:
    """The way to the field. Pydantic's names for the members of a union are tags of the content, no part of it."""
    at, way, told = body, error["loc"][1:], []
    for number, part in enumerate(way):
        if isinstance(at, dict) and part not in at and part in at.values():
            last = number == len(way) - 1
            if not (last and error["type"] == "missing"):
                continue
        told.append(str(part))
        at = _inside(at, part)
    return ".".join(told) or str(error["loc"][0])


def _row(error: Any, body: Any) -> tuple[dict[str, str], str, str]:
    """One of Pydantic's errors as a row that names the field, and as a sentence in Chinese and in English."""
    kind, context = error["type"], error.get("ctx") or {}
    field = _field(error, body)
    if kind.startswith("union_tag"):
        field = context["discriminator"].strip("'")
    elif kind == "json_invalid":  # its place is a position in the text
        field = str(error["loc"][0])
    if kind == "value_error":  # said by our own validators, in both languages, with the remedy
        zh, _, en = str(context["error"]).partition(" / ")
        if (named := _NAMED.match(zh)) and en.startswith(f"{named[1]}: "):
            field = named[1] if field == "body" else f"{field}.{named[1]}"
            zh, en = zh[named.end() :], en[len(named[1]) + 2 :]
        zh, remedy = _parted(zh, ",请") or _parted(zh, ",") or (zh, _CORRECT[0])
        en, remedy_en = _parted(en, ": ") or (en, _CORRECT[1])
    else:
        zh, en = _ZH.get(kind, "内容不符").format_map(_listed(context)), error["msg"]
        remedy, remedy_en = _REMEDIES.get(kind, _CORRECT)
    row = {"field": field, "problem": f"{zh} / {en}", "remedy": f"{remedy} / {remedy_en}"}
    return row, f"{field}:{zh}。{remedy}", f"{field}: {en}. {remedy_en}"


def _listed(context: dict[str, Any]) -> dict[str, Any]:
    """With the choices that Pydantic lists in English as a list in Chinese."""
    choices = {name: context[name] for name in ("expected", "expected_tags") if name in context}
    return context | {name: said.replace(" or ", ", ").replace(", ", "、") for name, said in choices.items()}


def _parted(said: str, mark: str) -> tuple[str, str] | None:
    """What is wrong, and the remedy, which begins at the first `mark`."""
    at = said.find(mark)
    return (said[:at], said[at:].lstrip(",: ")) if at > 0 else None


def validation_problem(errors: Sequence[Any], body: Any = None) -> Invalid:
    """Pydantic's list of errors in `body` as one problem that names each field, and tells the first."""
    rows = [_row(error, body) for error in errors]
    _, detail, detail_en = rows[0]
    return Invalid(detail, detail_en, errors=[row for row, _, _ in rows])


_SAID = {
    "There was an error parsing the body": (
        "内容无法读取,请减少嵌套层数、缩短数字 / the body can not be read: nest it less deeply, shorten its numbers"
    )
}
"""What the framework says of a request, for everyone."""
_PHRASES = {
    400: "请求有误",
    404: "未找到",
    405: "此处不支持该方法",
    413: "内容过大",
    414: "地址过长",
}


async def _note_refusal(request: Request, error: AppError) -> None:
    """Put into the audit what was asked and not done; an audit that is away changes no answer."""
    act = act_of(request)
    if act is None:
        return
    tx: Transactions = request.app.state.tx
    try:
        await run_in_threadpool(tx, audit.record, act, error.status, str(error))
    except SQLAlchemyError:
        log.exception("audit away", extra={**act._asdict(), "outcome": error.status})


def install_handlers(app: FastAPI) -> None:
    """Every failure of `app` leaves as problem+json."""

    @app.exception_handler(AppError)
    async def app_error(request: Request, error: AppError) -> JSONResponse:
        await _note_refusal(request, error)
        return respond(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problem = validation_problem(error.errors(), error.body)
        await _note_refusal(request, problem)
        return respond(problem)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        title_en = HTTPStatus(error.status_code).phrase
        title = _PHRASES.get(error.status_code, title_en)
        zh, _, en = (
            _SAID.get(error.detail, error.detail).partition(" / ")
            if error.detail != title_en
            else (title, "", title_en)
        )
        asked = f"{request.method} {request.url.path}"
        body = {
            "type": "about:blank",
            "title": title,
            "title_en": title_en,
            "status": error.status_code,
            "detail": f"{asked}:{zh}",
            "detail_en": f"{asked}: {en or zh}",
        }
        headers = dict(error.headers) if error.headers else None
        return JSONResponse(body, error.status_code, headers, media_type=PROBLEM_JSON)

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)  # it went away under a connection
    @app.exception_handler(PoolTimeout)  # all connections are in use
    async def database_away(_: Request, __: SQLAlchemyError) -> JSONResponse:
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
