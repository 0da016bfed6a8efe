"""schemas/cc-gateway.openapi.yaml, read.

Rule of this file: a JSON Number is an integer here only when it is written as one, as the simulator and the client have
it; to JSON Schema 9.0 is an integer, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

FILE = Path(__file__).resolve().parents[2] / "schemas" / "cc-gateway.openapi.yaml"
DOCUMENT: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))

SET = "/agentgateway/resource/mediacall/{agentid}/setcallnumsbymediatype"

_METHODS = ("get", "put", "post", "delete")
_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
_Validator = extend(Draft202012Validator, type_checker=_CHECKER)  # type: ignore[no-untyped-call]  # jsonschema's own


def operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield path, method in capitals, and description of every operation."""
    for path, item in DOCUMENT["paths"].items():
        yield from ((path, method.upper(), item[method]) for method in _METHODS if method in item)


def resolve(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return `node`, or what it refers to."""
    while "$ref" in node:
        target: Any = DOCUMENT
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


def allows(schema: str | Mapping[str, Any], value: object) -> bool:
    """Return whether the schema, or the component of that name, allows `value`."""
    wanted = {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema
    return bool(_Validator({**wanted, "components": DOCUMENT["components"]}).is_valid(value))
