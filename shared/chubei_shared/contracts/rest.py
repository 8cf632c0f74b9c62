"""How a typed client of a service reads, writes and pages: the part of it that has no subject."""

from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from chubei_shared.client import send

M = TypeVar("M", bound=BaseModel)


class RestClient:
    """Calls through `http`, whose base URL and Authorization header are the caller's (gateway or service).

    Every method raises the AppError that the service answered, or Unavailable where there was no answer.
    Methods that create something take ids minted by the caller: after Unavailable, call again with the same.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def _get(self, path: str, answer: type[M], **params: Any) -> M:
        query = {key: str(value) for key, value in params.items() if value is not None}
        return answer.model_validate_json(send(self._http, "GET", path, params=query).content)

    def _put(self, path: str, body: BaseModel, answer: type[M], if_match: str | None = None) -> M:
        return self._send("PUT", path, body, answer, {"If-Match": if_match} if if_match else {})

    def _post(self, path: str, body: BaseModel | None, answer: type[M]) -> M:
        return self._send("POST", path, body, answer)

    def _send(
        self,
        method: str,
        path: str,
        body: BaseModel | None,
        answer: type[M],
        headers: dict[str, str] | None = None,
    ) -> M:
        content = {"json": body.model_dump(mode="json")} if body else {}
        return answer.model_validate_json(send(self._http, method, path, headers=headers, **content).content)

    def _rows(self, path: str, page: type[BaseModel], **params: Any) -> Iterator[Any]:
        """Every row of a collection, page by page."""
        cursor: str | None = None
        while True:
            found: Any = self._get(path, page, cursor=cursor, **params)
            yield from found.rows
            if (cursor := found.next_cursor) is None:
                return


def segment(name: str) -> str:
    """An id as one segment of a path: ids may contain # and :."""
    return quote(name, safe="")
