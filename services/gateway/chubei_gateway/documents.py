"""The services' OpenAPI documents: read as a table of routes, and merged into one document. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Document = dict[str, Any]

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SCHEMAS: Final = "#/components/schemas/"


@dataclass(frozen=True)
class Operation:
    """What one method on one path asks of its caller."""

    service: str
    method: str
    path: str
    """As in the document: /v1/holds/{hold_id}"""
    roles: frozenset[str]
    pattern: re.Pattern[str]
    timeout_s: int = 60
    """How long the service may be silent."""
    personal: bool = False
    """Who looks at it is recorded."""


def operations(service: str, document: Document) -> list[Operation]:
    """The operations of a service that say whom they let in, in its own order; the others do not exist."""
    return [
        Operation(
            service,
            method.upper(),
            path,
            frozenset(operation["x-roles"]),
            _pattern(path),
            operation.get("x-timeout-s", Operation.timeout_s),
            operation.get("x-personal", Operation.personal),
        )
        for path, method, operation in _each(document)
        if operation.get("x-roles")
    ]


def merge(own: Document, others: Mapping[str, Document]) -> Document:
    """One document of the gateway's own and the services' ones.

    Schemas of one name and one meaning are shared; where meanings differ, the later one takes its
    service's name in front. The first to claim a path has it: so does forwarding.
    """
    merged: Document = json.loads(json.dumps(own))
    schemas = merged.setdefault("components", {}).setdefault("schemas", {})
    operation_ids = {operation["operationId"] for _, _, operation in _each(merged)}
    for service, document in others.items():
        theirs = document.get("components", {}).get("schemas", {})
        renamed = {name: f"{service.title()}{name}" for name in _clashes(schemas, theirs)}
        document = _with_references(document, renamed)
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            schemas.setdefault(renamed.get(name, name), schema)
        for path, method, operation in _each(document):
            if operation["operationId"] in operation_ids:
                operation["operationId"] = f"{service}_{operation['operationId']}"
            operation_ids.add(operation["operationId"])
            merged["paths"].setdefault(path, {}).setdefault(method, operation)
    for _, _, operation in _each(merged):
        _say_roles(operation)
    return merged


def _each(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]+\}", path)
    return re.compile("[^/]+".join(re.escape(part) for part in parts))


def _clashes(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> set[str]:
    """Names in both that mean different things: by their own text, or by what they refer to."""
    common = ours.keys() & theirs.keys()
    clashes = {name for name in common if ours[name] != theirs[name]}
    while more := {name for name in common - clashes if clashes & _referred(theirs[name])}:
        clashes |= more
    return clashes


def _referred(schema: Any) -> set[str]:
    return set(re.findall(rf'"{_SCHEMAS}([^"]+)"', json.dumps(schema)))


def _with_references(document: Document, renamed: Mapping[str, str]) -> Document:
    """A copy of the document that refers to schemas by their new names."""

    def new_name(found: re.Match[str]) -> str:
        return f'"{_SCHEMAS}{renamed.get(found[1], found[1])}"'

    copy: Document = json.loads(re.sub(rf'"{_SCHEMAS}([^"]+)"', new_name, json.dumps(document)))
    return copy


def _say_roles(operation: dict[str, Any]) -> None:
    roles = " ".join(operation.get("x-roles", []))
    said = f"角色 / roles: `{roles}`"
    operation["description"] = "\n\n".join(filter(None, [operation.get("description"), said]))
