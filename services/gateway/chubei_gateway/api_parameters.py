"""What the routes have in common: the parameters of a page, and where a request comes from."""

from typing import Annotated

from fastapi import Query, Request

Limit = Annotated[int, Query(ge=1, le=500)]


def address_of(request: Request) -> str:
    return request.client.host if request.client else "-"
