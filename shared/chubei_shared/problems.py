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
    "date_parsing": "不是有效日期",
    "datetime_from_date_parsing": "不是有效时刻",
    "datetime_parsing": "不是有效时刻",
    "timezone_aware": "缺少时区",
}
"""What Pydantic says of the commonest faults, for people who read Chinese; the fields stand in its context."""
_REMEDIES = {
    "missing": ("填写此项", "give this field"),
    "union_tag_not_found": ("填写此项", "give this field"),
    "extra_forbidden": ("去掉此项", "take this field out"),
    "timezone_aware": ("加上时区,如 +08:00", "add the zone, such as +08:00"),
}
_CORRECT = ("按接口文档改正", "correct it as the API document says")


def _row(error: Any) -> tuple[dict[str, str], str, str]:
    """One of Pydantic's errors as a row that names the field, and as a sentence in Chinese and in English."""
    kind, context = error["type"], error.get("ctx") or {}
    field = ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])
    if kind.startswith("union_tag"):
        field = context["discriminator"].strip("'")
    elif kind == "json_invalid":  # its place is a position in the text
        field = str(error["loc"][0])
    if kind == "value_error":  # said by our own validators, in both languages, with the remedy
        zh, _, en = str(context["error"]).partition(" / ")
        zh, _, remedy = zh.rpartition(",")
        en, _, remedy_en = en.rpartition(": ")
    else:
        zh, en = _ZH.get(kind, "内容不符").format_map(context), error["msg"]
        remedy, remedy_en = _REMEDIES.get(kind, _CORRECT)
    row = {"field": field, "problem": f"{zh} / {en}", "remedy": f"{remedy} / {remedy_en}"}
    return row, f"{field}:{zh}。{remedy}", f"{field}: {en}. {remedy_en}"


def validation_problem(errors: Sequence[Any]) -> Invalid:
    """Pydantic's list of errors as one problem that names each field, and tells the first."""
    rows = [_row(error) for error in errors]
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
