"""Errors mean the same on both sides of the wire."""

from typing import Any, Literal
from uuid import UUID

import httpx
import pytest
from chubei_shared import problems
from chubei_shared.contracts.movements import MOVEMENT
from chubei_shared.contracts.orders import Signature
from chubei_shared.errors import _BY_CODE, AppError, Invalid, Unavailable, from_response
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core._pydantic_core import list_all_errors
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from starlette.testclient import TestClient

KINDS = sorted(set(_BY_CODE.values()), key=lambda kind: kind.code)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=5,
)
_more = st.dictionaries(st.sampled_from(["shortages", "errors", "services", "roles"]), _json)


def _respond(error: AppError) -> httpx.Response:
    answer = problems.respond(error)
    return httpx.Response(answer.status_code, headers=dict(answer.headers), content=bytes(answer.body))


@given(st.sampled_from(KINDS), st.text(), st.text(), _more)
def test_each_kind_comes_back_as_itself(
    kind: type[AppError], detail: str, detail_en: str, more: dict[str, Any]
) -> None:
    answer = _respond(kind(detail, detail_en, **more))
    assert answer.headers["content-type"] == problems.PROBLEM_JSON
    assert answer.status_code == kind.status
    back = from_response(answer)
    assert type(back) is kind
    assert (back.detail, back.detail_en, back.more) == (detail, detail_en, more)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b"{}", b'{"type": 1}', b'{"type": "x", "detail": "y"}', b"null"]
)
def test_answer_of_another_shape_is_a_service_away(content: bytes) -> None:
    request = httpx.Request("GET", "http://inventory/v1/stock")
    error = from_response(httpx.Response(502, content=content, request=request))
    assert isinstance(error, Unavailable)
    assert error.detail_en == "Unexpected answer (GET /v1/stock: 502)"


def test_problem_of_an_unknown_kind_keeps_its_words() -> None:
    body = {"type": "urn:chubei:problem:of-tomorrow", "detail": "新", "detail_en": "New"}
    error = from_response(httpx.Response(499, json=body))
    assert type(error) is AppError
    assert error.detail_en == "New"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    quantity: int
    kind: str = "x"


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    problems.install_handlers(app)

    @app.post("/body")
    def body(body: Body) -> None: ...

    @app.get("/fails/{how}")
    def fails(how: str) -> None:
        raise {
            "database": OperationalError("SELECT 1", {}, Exception("gone")),
            "connection": InterfaceError("SELECT 1", {}, Exception("the connection is closed")),
            "pool": TimeoutError("QueuePool limit of size 8 overflow 8 reached"),
            "bug": ZeroDivisionError("secret detail"),
        }[how]

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("body", "field", "remedy"),
    [
        ({}, "quantity", "give this field"),
        ({"quantity": 1, "colour": "red"}, "colour", "take this field out"),
        ({"quantity": "many"}, "quantity", "correct it"),
    ],
)
def test_bad_body_names_the_field_and_the_remedy(
    body: dict[str, Any], field: str, remedy: str, client: TestClient
) -> None:
    answer = client.post("/body", json=body)
    error = from_response(answer)
    assert isinstance(error, Invalid)
    [row] = error.more["errors"]
    assert row["field"] == field
    assert remedy in row["remedy"]
    assert field in error.detail_en


@pytest.mark.parametrize("error", list_all_errors(), ids=lambda error: error["type"])
def test_whatever_is_wrong_is_told_in_both_languages(error: Any) -> None:
    context = error["example_context"]
    if error["type"] == "value_error":
        context = {"error": ValueError("太早,请核对 / is too early: check it")}
    told = [{"type": error["type"], "loc": ("body", "lines", 0), "msg": "It is wrong", "ctx": context}]
    problem = problems.validation_problem(told)
    [row] = problem.more["errors"]
    assert row["field"] in problem.detail
    assert row["field"] in problem.detail_en
    for words in (row["problem"], row["remedy"]):
        zh, en = words.split(" / ")
        assert not zh.isascii()
        assert en.isascii()
        assert zh in problem.detail
        assert en in problem.detail_en


def test_choices_are_listed_in_the_language_of_the_sentence() -> None:
    with pytest.raises(ValidationError) as bad:
        TypeAdapter(Literal["fair", "total", "quick"]).validate_python("slow")
    told = [{**error, "loc": ("body", "policy")} for error in bad.value.errors()]
    problem = problems.validation_problem(told)
    assert problem.detail.startswith("policy:须为 'fair'、'total'、'quick' 之一。")
    assert "'fair', 'total' or 'quick'" in problem.detail_en


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "receive", "lines": [{"quantity": 0}]}, "lines.0.quantity"),
        ({"kind": "receive"}, "lines"),
        ({"kind": "issue", "lines": [{"lot_id": str(UUID(int=1)), "lot": {}}]}, "lines.0.lot.lot_no"),
        ({"kind": "transfer", "from_place_id": "a", "to_place_id": "a"}, "lines"),
    ],
)
def test_the_field_is_named_as_the_caller_wrote_it(body: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as bad:
        MOVEMENT.validate_python(body)
    told = [{**error, "loc": ("body", *error["loc"])} for error in bad.value.errors()]
    fields = [row["field"] for row in problems.validation_problem(told, body).more["errors"]]
    assert field in fields
    assert not [name for name in fields if name.startswith(body["kind"])]


def test_what_is_missing_of_a_pair_is_named() -> None:
    with pytest.raises(ValidationError) as bad:
        TypeAdapter(list[tuple[str, str]]).validate_python([["a"], []])
    told = [{**error, "loc": ("body", *error["loc"])} for error in bad.value.errors()]
    rows = problems.validation_problem(told, [["a"], []]).more["errors"]
    assert [row["field"] for row in rows] == ["0.1", "1.0", "1.1"]


@pytest.mark.parametrize(
    ("said", "problem", "remedy"),
    [
        ("次序不符,请填 a, b / they are out of order: give a, b", "次序不符", "请填 a, b"),
        ("两个都填了,请只填一个 / both are there: give one of them", "两个都填了", "请只填一个"),
        ("太早 / too early", "太早", "按接口文档改正"),
    ],
)
def test_the_remedy_begins_where_it_begins(said: str, problem: str, remedy: str) -> None:
    error = {"type": "value_error", "loc": ("body", "x"), "msg": "", "ctx": {"error": ValueError(said)}}
    told = problems.validation_problem([error])
    assert told.detail == f"x:{problem}。{remedy}"


@pytest.mark.parametrize(("loc", "field"), [(("body",), "lines"), (("body", "row", 0), "row.0.lines")])
def test_a_field_that_a_validator_names_is_the_problems(loc: tuple[str | int, ...], field: str) -> None:
    said = "lines:逐项填写,谢绝时不填 / lines: name each item to confirm, and none to decline"
    error = {"type": "value_error", "loc": loc, "msg": "", "ctx": {"error": ValueError(said)}}
    told = problems.validation_problem([error])
    assert told.detail == f"{field}:逐项填写。谢绝时不填"
    assert told.detail_en.startswith(f"{field}: name each item to confirm, and none to decline. ")
    assert told.more["errors"][0]["field"] == field


def test_a_signature_that_is_none_is_told_in_both_languages() -> None:
    with pytest.raises(ValidationError) as bad:
        TypeAdapter(Signature).validate_python("aGVsbG8=")
    told = problems.validation_problem([{**error, "loc": ("body", "x")} for error in bad.value.errors()])
    assert "PNG" in told.detail
    assert told.detail_en.startswith("x: must be a PNG image of 64 KiB at most, in base64")


def test_body_that_is_not_json_is_a_problem_too(client: TestClient) -> None:
    answer = client.post("/body", content=b"{", headers={"content-type": "application/json"})
    assert isinstance(from_response(answer), Invalid)


@pytest.mark.parametrize("text", [b"[" * 100_000, b"1" * 10_000])
def test_body_beyond_the_parser_is_told_in_both_languages(text: bytes, client: TestClient) -> None:
    answer = client.post("/body", content=text, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "内容无法读取" in answer.json()["detail"]
    assert "can not be read" in answer.json()["detail_en"]


@pytest.mark.parametrize("how", ["database", "connection", "pool"])
def test_database_away_says_to_retry(how: str, client: TestClient) -> None:
    answer = client.get(f"/fails/{how}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert isinstance(from_response(answer), Unavailable)


def test_bug_tells_no_detail(client: TestClient) -> None:
    answer = client.get("/fails/bug")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == problems.PROBLEM_JSON
    assert "secret" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/body", 405)])
def test_unknown_paths_are_problems(method: str, path: str, status: int, client: TestClient) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, problems.PROBLEM_JSON)
    assert path in answer.json()["detail_en"]
    assert not answer.json()["title"].isascii()
