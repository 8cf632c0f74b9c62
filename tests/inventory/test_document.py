"""The OpenAPI document is true: its examples are valid requests, and every route says what it is and for whom."""

from typing import Any

import pytest
from chubei_shared.contracts.batches import Accept, MovementBatch, Reject, Settlement
from chubei_shared.contracts.holds import HoldReplace, HoldRequest
from chubei_shared.contracts.stock import Movement
from pydantic import TypeAdapter

BODIES = {
    "/v1/movements": Movement,
    "/v1/movements:batch": MovementBatch,
    "/v1/parked-movements/{key}:accept": Accept,
    "/v1/parked-movements/{key}:reject": Reject,
    "/v1/disputes:settle": Settlement,
    "/v1/holds": HoldRequest,
    "/v1/holds:replace": HoldReplace,
}


@pytest.fixture(scope="module")
def document(app: Any) -> dict[str, Any]:
    return app.openapi()


@pytest.mark.parametrize("path", BODIES)
def test_the_examples_are_valid_requests(document, path):
    content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    assert content["examples"]
    for example in content["examples"].values():
        value = TypeAdapter(BODIES[path]).validate_python(example["value"])
        for movement in value.movements if isinstance(value, MovementBatch) else ():
            TypeAdapter(Movement).validate_python(movement)


def test_every_route_says_what_it_is_and_for_whom(document):
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert "/ " in route["summary"], f"{method} {path}: Chinese / English"
            assert route["tags"]
            assert route["x-roles"]
            assert "409" in route["responses"]
