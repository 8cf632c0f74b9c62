"""httpx, with every failure raised as the AppError that it means."""

from typing import Any

import httpx

from chubei_shared.errors import Unavailable, from_response


def send(http: httpx.Client, method: str, path: str, **kwargs: Any) -> httpx.Response:
    """One request. Raises the AppError that the answer carries; Unavailable where there was no answer."""
    try:
        response = http.request(method, path, **kwargs)
    except httpx.HTTPError as error:
        raise Unavailable("连不上该服务,请稍候再试", f"The service can not be reached: {error}") from error
    if response.is_error:
        raise from_response(response)
    return response
