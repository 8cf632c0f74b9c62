"""The OpenAPI document is true: its examples are valid requests, and every route says what it is and for whom."""

from typing import Any

import pytest
from chubei_shared.contracts.batches import Accept, MovementBatch, Reject, Settlement
from chubei_shared.contracts.care import CareStep
from chubei_shared.contracts.holds import HoldReplace, HoldRequest
from chubei_shared.contracts.movements import Scrap
from chubei_shared.contracts.papers import LabelSheet, Print
from chubei_shared.contracts.stock import Movement
from chubei_shared.contracts.stocktakes import Count, Stocktake, StocktakeStep
from pydantic import TypeAdapter

BODIES = {
    "/v1/movements": Movement,
    "/v1/movements:batch": MovementBatch,
    "/v1/parked-movements/{key}:accept": Accept,
    "/v1/parked-movements/{key}:reject": Reject,
    "/v1/disputes:settle": Settlement,
    "/v1/scraps": Scrap,
    "/v1/scraps/{scrap_id}:approve": Reject,
    "/v1/scraps/{scrap_id}:reject": Reject,
    "/v1/care/tasks/{task_id}/steps": CareStep,
    "/v1/stocktakes": Stocktake,
    "/v1/stocktakes/{stocktake_id}/counts": Count,
    "/v1/stocktakes/{stocktake_id}/steps": StocktakeStep,
    "/v1/holds": HoldRequest,
    "/v1/labels": LabelSheet,
    "/v1/papers": Print,
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


BOUNDED = {
    "/v1/return-rules", "/v1/availability", "/v1/supply-apart", "/v1/care/rules", "/v1/lists", "/v1/stock-accuracy",
    "/v1/stocktakes/{stocktake_id}/hindered-counts", "/v1/inventory/events", "/v1/imports/{import_id}",
}  # fmt: skip
"""Lists that have one row for an item, a rule or a place, or a limit and a number of their own."""


def test_every_list_has_pages_and_every_body_an_example(document):
    schemas = document["components"]["schemas"]
    lists = 0
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            told = next(answer for code, answer in route["responses"].items() if code.startswith("2"))
            schema = told.get("content", {}).get("application/json", {}).get("schema", {})
            schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
            if method == "get" and (schema.get("type") == "array" or "rows" in schema.get("properties", {})):
                lists += 1
                names = {parameter["name"] for parameter in route.get("parameters", [])}
                paged = {"cursor", "limit"} <= names and "next_cursor" in schema.get("properties", {})
                assert paged or path in BOUNDED, path
            body = route.get("requestBody", {}).get("content", {}).get("application/json")
            assert body is None or body.get("examples"), f"{method} {path}"
    assert lists > len(BOUNDED)


def test_every_problem_has_one_shape(document):
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            problem = route["responses"]["404"]["content"]["application/problem+json"]["schema"]
            assert problem == {"$ref": "#/components/schemas/Problem"}, f"{method} {path}"
    assert "detail_en" in document["components"]["schemas"]["Problem"]["required"]
