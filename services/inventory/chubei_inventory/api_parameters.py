"""What the routes have in common: who may read and write, the parameters of a page, the answer to a repeat."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from chubei_shared.contracts.base import Dto
from chubei_shared.errors import Invalid
from chubei_shared.tokens import Role
from fastapi import Depends, Query, Request, Response

READERS = (Role.CLERK, Role.COMMANDER, Role.APPROVER, Role.AUDITOR, Role.ADMIN, Role.SERVICE)
"""Everyone signed in: on the night nobody should have to ask what is there."""
WRITERS = (Role.ADMIN, Role.COMMANDER)
"""Of master data; stock is moved by clerks."""

Cursor = Annotated[
    str | None, Query(max_length=600, description="上一页的 next_cursor / next_cursor of the page before")
]
Limit = Annotated[int, Query(ge=1, le=500, description="每页行数 / rows in a page")]


async def _oldest(request: Request) -> datetime:
    return datetime.now(UTC) - timedelta(days=request.app.state.settings.oldest_report_days)


Oldest = Annotated[datetime, Depends(_oldest)]
"""What is said to have happened before is taken for a wrong date."""

T = TypeVar("T")


def repeatable(model: type[Any]) -> dict[int | str, dict[str, Any]]:
    """What a route documents that answers 201 once, and 200 to the same request again (`answered`)."""
    return {200: {"model": model, "description": "早已登记,同前 / recorded before, the same answer"}}


def answered(response: Response, found: tuple[T, bool]) -> T:
    """The answer of a verb that says whether it was new."""
    view, new = found
    response.status_code = 201 if new else 200
    return view


def same(in_path: str, in_body: str, field: str, body: Dto) -> None:
    """Raises Invalid where path and body name different things."""
    if in_path != in_body:
        raise Invalid(
            f"{field}:路径为 {in_path},内容为 {in_body},请改为一致",
            f"{field}: the path says {in_path}, the body {in_body}: make them the same",
            errors=[
                {"field": field, "problem": f"not {in_path}", "remedy": f"{in_path} ({type(body).__name__})"}
            ],
        )
