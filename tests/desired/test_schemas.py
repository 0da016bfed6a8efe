"""The published schemas themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from reconciler import schemas
from reconciler.errors import InputError, UsageError
from reconciler.model.channel import Channel
from reconciler.schemas import SCHEMA_NAMES, schema_text

OURS = ("site", "fleet")


def walk(node: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield where, node
        for key, item in node.items():
            yield from walk(item, f"{where}/{key}")
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from walk(item, f"{where}/{index}")


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(schema_text(name))
    return loaded


@pytest.mark.parametrize("name", OURS)
def test_a_schema_is_valid_and_names_itself(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert jsonschema_rs.meta.is_valid(schema(name))
    assert schema(name)["$id"] == f"https://reconciler.example/schemas/{name}.schema.json"


@pytest.mark.parametrize("name", OURS)
def test_every_property_has_a_description(name: str) -> None:
    for where, node in walk(schema(name)):
        for key, item in node.get("properties", {}).items():
            assert item.get("description"), f"{where}/properties/{key}"


@pytest.mark.parametrize("name", OURS)
def test_every_object_is_closed(name: str) -> None:
    for where, node in walk(schema(name)):
        if node.get("type") == "object":
            assert node.get("additionalProperties") is False, where


@pytest.mark.parametrize("name", OURS)
def test_no_reference_leaves_the_document(name: str) -> None:
    whole = schema(name)
    references = [node["$ref"] for _, node in walk(whole) if "$ref" in node]
    assert references
    for reference in references:
        assert reference.startswith("#/$defs/")
        assert reference.removeprefix("#/$defs/") in whole["$defs"]


@pytest.mark.parametrize("name", OURS)
def test_every_pattern_is_anchored_at_its_end_or_only_a_prefix(name: str) -> None:
    for where, node in walk(schema(name)):
        patterns = [*node.get("patternProperties", {}), *([node["pattern"]] if "pattern" in node else [])]
        for pattern in patterns:
            assert pattern.startswith("^"), where
            assert pattern.endswith("$") or pattern == "^https://", where


def test_the_channels_are_the_models() -> None:
    labels = [channel.label for channel in Channel]
    assert labels == list(schema("fleet")["$defs"]["channels"]["properties"])
    assert labels == list(schema("site")["properties"]["reset"]["properties"]["channels"]["properties"])


def test_an_unknown_schema_is_a_usage_error_with_the_nearest_name() -> None:
    with pytest.raises(UsageError) as refused:
        schema_text("fleets")
    assert "did you mean 'fleet'?" in refused.value.hint


def test_a_name_like_nothing_lists_what_there_is() -> None:
    with pytest.raises(UsageError) as refused:
        schema_text("../../etc/passwd")
    assert refused.value.hint == f"schemas are {', '.join(SCHEMA_NAMES)}"


def test_the_installed_copy_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reconciler" / "_schemas").mkdir(parents=True)
    (tmp_path / "reconciler" / "_schemas" / "fleet.schema.json").write_text("{}")
    monkeypatch.setattr(schemas, "__file__", str(tmp_path / "reconciler" / "schemas.py"))
    assert schema_text("fleet") == "{}"


def test_a_schema_that_is_not_there_is_an_error_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schemas, "_folders", lambda: (tmp_path,))
    with pytest.raises(InputError, match="not part of this installation"):
        schema_text("outcome")


def test_a_damaged_schema_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.schema.json").write_bytes(b"\xff")
    monkeypatch.setattr(schemas, "_folders", lambda: (tmp_path,))
    with pytest.raises(InputError, match="cannot be read"):
        schema_text("plan")
