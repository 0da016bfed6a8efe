"""GitHub's published description, as a judge of what is sent and what is played back.

`github-openapi.json` and `github.graphql` are cut from what GitHub publishes; extract_github_api.py says from which
packages and how.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_schema
from openapi_schema_validator import OAS30Validator
from review.served import Answer, Asked

HERE = Path(__file__).parent
_GENERAL = frozenset({401, 403, 404, 429, 500, 502, 503, 504})
"""Refusals that any request may meet, and that the description names for some only."""


@cache
def description() -> Mapping[str, Any]:
    value: Mapping[str, Any] = json.loads((HERE / "github-openapi.json").read_text(encoding="utf-8"))
    return value


@cache
def graphql_schema() -> GraphQLSchema:
    return build_schema((HERE / "github.graphql").read_text(encoding="utf-8"))


def check_request(asked: Asked, path: str) -> Mapping[str, Any]:
    """Fail unless the description has this request; return the operation."""
    operation, names = _operation(asked.method, path)
    parameters = [_resolved(each) for each in operation.get("parameters", ())]
    known = {(each["in"], each["name"]): each["schema"] for each in parameters}
    for place, given in (("path", names), ("query", asked.query)):
        for name, value in given.items():
            assert (place, name) in known, f"{asked}: no parameter {name} in the {place}"
            _check(_typed(value, known[place, name]), known[place, name], f"{asked}: {name}")
    body = operation.get("requestBody")
    if body is None:
        assert asked.body is None, f"{asked}: no body is known"
    else:
        assert asked.headers["content-type"] == "application/json"
        _check(asked.body, body["content"]["application/json"]["schema"], f"{asked}: body")
    return operation


def check_answer(asked: Asked, answer: Answer, operation: Mapping[str, Any]) -> None:
    """Fail unless the description has this answer to that operation."""
    told = operation["responses"].get(str(answer.status))
    if told is None:
        assert answer.status in _GENERAL, f"{asked}: {answer.status} is no answer to it"
        return _check(answer.value, {"$ref": "#/components/schemas/basic-error"}, f"{asked}: {answer.status}")
    content = _resolved(told).get("content")
    if content is None:
        assert answer.value is None, f"{asked}: {answer.status} has no content"
        return None
    return _check(answer.value, content["application/json"]["schema"], f"{asked}: {answer.status}")


def smallest(name: str) -> Any:
    """Return a value of a named schema with nothing in it that need not be."""
    return _smallest(description()["components"]["schemas"][name])


def _smallest(schema: Mapping[str, Any]) -> Any:
    schema = _resolved(schema)
    if schema.get("nullable"):
        return None
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            return _smallest(schema[choice][0])
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        return {each: _smallest(schema["properties"][each]) for each in schema.get("required", ())}
    return {"integer": 1, "number": 1, "boolean": False, "array": [], "object": {}}.get(schema.get("type", ""), "x")


def _operation(method: str, path: str) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    for template, operations in description()["paths"].items():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        match = re.fullmatch(pattern, path)
        if match and method.lower() in operations:
            return operations[method.lower()], match.groupdict()
    raise AssertionError(f"GitHub has no {method} {path}")


def _resolved(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in value:
        _, _, family, name = value["$ref"].split("/")
        found: Mapping[str, Any] = description()["components"][family][name]
        return found
    return value


def _typed(value: str, schema: Mapping[str, Any]) -> object:
    return int(value) if schema.get("type") == "integer" else value


def _check(value: object, schema: Mapping[str, Any], what: str) -> None:
    whole = {**schema, "components": description()["components"]}
    errors = [f"{'/'.join(map(str, each.path))}: {each.message}" for each in OAS30Validator(whole).iter_errors(value)]
    assert errors == [], f"{what}: {errors}"
