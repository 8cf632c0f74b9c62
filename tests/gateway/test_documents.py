"""One document for the whole API: merged, complete, valid; and the pages that show it without any other host."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from chubei_gateway.documents import merge, operations
from hypothesis import given
from hypothesis import strategies as st

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def document(gateway_url: str) -> dict[str, Any]:
    while True:  # the services' documents arrive as the gateway runs
        found: dict[str, Any] = httpx.get(f"{gateway_url}/openapi.json").json()
        if {"/v1/parcels", "/v1/labels"} <= found["paths"].keys():
            return found


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def test_holds_every_path_of_every_service(
    document: dict[str, Any], inventory_url: str, allocation_url: str
) -> None:
    ours = {(path, method) for path, method, _ in _operations(document)}
    for url in (inventory_url, allocation_url):
        theirs = {(p, m) for p, m, _ in _operations(httpx.get(f"{url}/openapi.json").json())}
        assert theirs
        assert theirs <= ours
    assert {("/v1/sessions", "post"), ("/v1/events", "get"), ("/v1/gateway/events", "get")} <= ours
    assert not [path for path, _ in ours if "{path" in path]


def test_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Chubei 储备 API"
    found = [operation for _, _, operation in _operations(document)]
    ids = [operation["operationId"] for operation in found]
    assert len(ids) == len(set(ids))
    assert all(operation["responses"] for operation in found)
    names = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))
    assert set(names) <= document["components"]["schemas"].keys()
    for path, _, operation in _operations(document):
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert set(re.findall(r"\{([^}]+)\}", path)) == declared


def test_says_who_may_and_asks_for_a_token(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        public = operation["x-roles"] == ["public"]
        assert public == ("security" not in operation), (method, path)
        assert all(role in operation["description"] for role in operation["x-roles"])
    schemes = document["components"]["securitySchemes"]
    assert [(s["type"], s["scheme"]) for s in schemes.values()] == [("http", "bearer")]


def test_schemas_of_one_name_are_shared_or_told_apart(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert "AllocationParcel" not in schemas
    assert schemas["Label"]["properties"].keys() == {"parcel"}
    assert schemas["AllocationLabel"]["properties"].keys() == {"text"}
    assert "#/components/schemas/AllocationLabel" in json.dumps(document["paths"]["/v1/labels"])


def test_operation_without_roles_does_not_exist() -> None:
    silent: dict[str, Any] = {"operationId": "a", "responses": {}}
    document = {"paths": {"/v1/open": {"get": silent}, "/v1/shut": {"get": silent | {"x-roles": ["clerk"]}}}}
    assert [o.path for o in operations("inventory", document)] == ["/v1/shut"]


def test_pattern_takes_what_the_path_takes() -> None:
    document = {
        "paths": {
            path: {"get": {"operationId": path, "x-roles": ["clerk"]}}
            for path in ("/v1/holds/{hold_id}:release", "/v1/a.b/{x}/c")
        }
    }
    release, dotted = operations("inventory", document)
    assert release.pattern.fullmatch("/v1/holds/1:release")
    assert not release.pattern.fullmatch("/v1/holds/1/2:release")
    assert not release.pattern.fullmatch("/v1/holds/1:releases")
    assert not dotted.pattern.fullmatch("/v1/aXb/1/c")


_schema_names = st.sampled_from(["A", "B", "C", "D"])
_schemas = st.dictionaries(
    _schema_names,
    st.tuples(st.sampled_from(["string", "integer"]), st.lists(_schema_names, max_size=2)),
    max_size=4,
)


def _document(service: str, schemas: dict[str, tuple[str, list[str]]]) -> dict[str, Any]:
    def ref(name: str) -> dict[str, str]:
        return {"$ref": f"#/components/schemas/{name}"}

    return {
        "paths": {
            f"/v1/{service}/{name}": {
                "get": {"operationId": name, "x-roles": ["clerk"], "responses": {"200": ref(name)}}
            }
            for name in schemas
        },
        "components": {
            "schemas": {
                name: {"type": kind, "anyOf": [ref(r) for r in refs if r in schemas]}
                for name, (kind, refs) in schemas.items()
            }
        },
    }


def _resolved(document: dict[str, Any], value: Any, depth: int = 4) -> Any:
    if isinstance(value, dict):
        if "$ref" in value:
            target = document["components"]["schemas"][value["$ref"].rpartition("/")[2]]
            return _resolved(document, target, depth - 1) if depth else "…"
        return {k: _resolved(document, v, depth) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolved(document, v, depth) for v in value]
    return value


@given(_schemas, _schemas, _schemas)
def test_merging_changes_no_meaning(
    own: dict[str, Any], first: dict[str, Any], second: dict[str, Any]
) -> None:
    """Each operation's schemas, references resolved, are the same after the merge as before."""
    parts = {"gateway": own, "inventory": first, "allocation": second}
    documents = {service: _document(service, schemas) for service, schemas in parts.items()}
    merged = merge(documents["gateway"], {s: d for s, d in documents.items() if s != "gateway"})
    for document in documents.values():
        for path, method, operation in _operations(document):
            after = merged["paths"][path][method]["responses"]
            assert _resolved(merged, after) == _resolved(document, operation["responses"])


@pytest.mark.parametrize("page", ["/", "/docs"])  # the first as `make setup` has built it
def test_pages_ask_no_other_host_and_run_no_inline_script(page: str, gateway_url: str) -> None:
    answer = httpx.get(gateway_url + page, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(https?:)?//[a-z]", answer.text)
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|style=", answer.text)
    asked = re.findall(r'(?:src|href)="(/(?:pages|assets)/[^"]+)"', answer.text)
    assert asked
    for path in asked:
        file = httpx.get(gateway_url + path)
        assert file.status_code == 200
        assert file.headers["content-type"].split(";")[0] in {"text/css", "text/javascript"}


def test_initialiser_asks_for_our_own_document(gateway_url: str) -> None:
    script = httpx.get(f"{gateway_url}/pages/docs.js").text
    assert "http" not in re.sub(r"//.*", "", script)
    assert 'url: "/openapi.json"' in script
    assert "validatorUrl: null" in script


def test_any_path_is_a_page_for_a_browser_and_nothing_for_a_program(gateway_url: str) -> None:
    page = httpx.get(f"{gateway_url}/nowhere", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert '<div id="app">' in page.text
    assert httpx.get(f"{gateway_url}/nowhere").status_code == 404
    assert httpx.get(f"{gateway_url}/v1/nowhere", headers={"Accept": "text/html"}).status_code in (401, 404)
    worker = httpx.get(f"{gateway_url}/sw.js")
    assert worker.headers["cache-control"] == "no-cache"  # else a phone keeps an old application


def test_every_answer_has_security_headers(gateway_url: str) -> None:
    for path in ("/", "/docs", "/openapi.json", "/v1/me", "/v1/health", "/nowhere", "/v1/parcels/1"):
        headers = httpx.get(gateway_url + path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert httpx.get(f"{gateway_url}/v1/me").headers["cache-control"] == "no-store"
