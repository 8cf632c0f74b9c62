"""One error tree for all services: raised by verbs, sent as problem+json (RFC 9457), raised again by the clients.

Each message is for a person: Chinese first (`detail`), English whole (`detail_en`), and it says what to do next.
"""

from typing import Any, ClassVar

import httpx


class AppError(Exception):
    """Something a caller can act on. `more` are extra members of the problem document (plain JSON)."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[tuple[str, str]] = ("系统错误", "Internal error")

    def __init__(self, detail: str, detail_en: str, **more: Any) -> None:
        super().__init__(f"{detail} / {detail_en}")
        self.detail, self.detail_en, self.more = detail, detail_en, more

    def problem(self) -> dict[str, Any]:
        return {
            "type": f"urn:chubei:problem:{self.code}",
            "title": self.title[0],
            "title_en": self.title[1],
            "status": self.status,
            "detail": self.detail,
            "detail_en": self.detail_en,
            **self.more,
        }


class Invalid(AppError):
    """`more` carries errors: [{field, problem, remedy}] where a field is at fault."""

    status, code, title = 422, "invalid", ("内容有误", "Invalid content")


class Unauthorized(AppError):
    status, code, title = 401, "unauthorized", ("请先登录", "Sign in first")


class SecondFactorNeeded(Unauthorized):
    """The password was right; the code is missing, wrong or used up."""

    code, title = "second-factor-needed", ("需要验证码", "A one-time code is needed")


class Forbidden(AppError):
    status, code, title = 403, "forbidden", ("权限不足", "Not allowed")


class NotFound(AppError):
    status, code, title = 404, "not-found", ("未找到", "Not found")


class Conflict(AppError):
    status, code, title = 409, "conflict", ("与现状冲突", "In conflict with what is there")


class Shortage(Conflict):
    """Stock does not suffice; `more` carries shortages: every short line, see contracts.holds.Shortage."""

    code, title = "shortage", ("库存不足", "Stock does not suffice")


class PreconditionFailed(AppError):
    """The record was changed since it was read; `more` carries etag: that of its present edition."""

    status, code, title = 412, "precondition-failed", ("记录已被他人更改", "Changed since it was read")


class PreconditionRequired(AppError):
    status, code, title = 428, "precondition-required", ("缺少 If-Match", "If-Match is missing")


class TooMany(AppError):
    status, code, title = 429, "too-many", ("请稍候", "Too many attempts")


class Unavailable(AppError):
    status, code, title = 503, "unavailable", ("服务暂不可用", "Service not available")


_BY_CODE = {
    c.code: c
    for c in (
        Invalid, Unauthorized, SecondFactorNeeded, Forbidden, NotFound, Conflict, Shortage, PreconditionFailed,
        PreconditionRequired, TooMany, Unavailable, AppError,
    )
}  # fmt: skip


def from_response(response: httpx.Response) -> AppError:
    """The AppError that a service answered, so that it means the same on both sides of the wire."""
    try:
        body = response.json()
        known = {"type", "title", "title_en", "status", "detail", "detail_en"}
        more = {k: v for k, v in body.items() if k not in known}
        kind = _BY_CODE.get(str(body["type"]).rpartition(":")[2], AppError)
        return kind(body["detail"], body["detail_en"], **more)
    except (ValueError, KeyError, AttributeError, TypeError):
        text = f"{response.request.method} {response.request.url.path}: {response.status_code}"
        return Unavailable(f"服务回答异常({text})", f"Unexpected answer ({text})")
