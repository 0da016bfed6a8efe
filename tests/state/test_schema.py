"""schemas/state.schema.json and the decoder say the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator, FormatChecker
from state.records import OPEN_RUN, WEB_CHAT_4, in_doubt, pending, record, state, states

import reconciler
from reconciler.errors import StateError
from reconciler.model.state import State
from reconciler.state import decode, encode
from reconciler.values import replace

SCHEMA = json.loads((Path(reconciler.__file__).parents[1] / "schemas" / "state.schema.json").read_bytes())
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _is_a_time(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value).year)


VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FORMATS)
RECORDS = {1001: record(session="login-1"), 1002: in_doubt(WEB_CHAT_4)}
WAITING = {1002: pending(), 1003: pending(attempts=3, retcode=None)}
DOCUMENT = json.loads(encode(replace(state(RECORDS, waiting=WAITING), open_run=OPEN_RUN)))
STRANGE: list[Any] = [
    *(None, True, False, -1, 0, 1, 60, 61, 1.5, 2**53, "", "x", "1.0", "1.1", "acknowledged", "in_doubt", "callnums"),
    *("2026-01-31T09:30:00Z", "2026-02-30T09:30:00Z", "2026-01-31T09:30:00Z\n", "2026-01-31T09:30:00+00:00", "demo"),
    *("0b6f3d8e-4c1a-4f5e-9a77-2f1c8d9e0a11", "0b6f3d8e-4c1a-4f5e-9a77-2f1c8d9e0a11\n", [], {}, {"51": 1}, {"54": 1}),
]
NAMES = ["x", "guid", "50", "54", "101", "101\n", "100", "0101", "999999", "1000000", "1001-1002"]


def _places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*path, key))


def _mutants() -> Iterator[Any]:
    for *path, name in filter(None, _places(DOCUMENT)):
        for strange in STRANGE:
            mutant = copy.deepcopy(DOCUMENT)
            _at(mutant, path)[name] = strange
            yield mutant
        for new_name in [*NAMES, None]:
            mutant = copy.deepcopy(DOCUMENT)
            value = _at(mutant, path).pop(name)
            if new_name is not None:
                _at(mutant, path)[new_name] = value
            yield mutant
        for new_name in NAMES:
            mutant = copy.deepcopy(DOCUMENT)
            _at(mutant, path).setdefault(new_name, _at(mutant, path)[name])
            yield mutant


def _at(document: Any, path: list[str]) -> Any:
    for name in path:
        document = document[name]
    return document


def _decodes(document: Any) -> bool:
    try:
        decode(json.dumps(document).encode(), site="demo")
    except StateError:
        return False
    return True


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@given(states())
def test_every_document_written_is_valid(written: State) -> None:
    VALIDATOR.validate(json.loads(encode(written)))


def test_schema_and_decoder_agree_on_every_mutant() -> None:
    verdicts = []
    for mutant in _mutants():
        valid = VALIDATOR.is_valid(mutant) and mutant["site"] == "demo"
        assert _decodes(mutant) == valid, mutant
        verdicts.append(valid)
    assert verdicts.count(True) > 50
    assert verdicts.count(False) > 500


@pytest.mark.parametrize("old", ['"total": 25', '"51": 9', '"serial": 7', '"attempts": 3'])
def test_only_the_decoder_tells_a_fraction_from_a_whole_number(old: str) -> None:
    text = json.dumps(DOCUMENT)
    document = json.loads(text.replace(old, f"{old}.0"))
    assert VALIDATOR.is_valid(document)
    assert not _decodes(document)


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema and "title" not in schema.get("properties", {}):
            yield schema
        for value in schema.values():
            yield from _objects(value)


def test_every_property_is_described_and_every_object_closed() -> None:
    objects = [found for found in _objects(SCHEMA) if found.get("type") == "object"]
    assert len(objects) == 5
    for found in objects:
        assert found["additionalProperties"] is False
        assert all(value.get("description") for value in found["properties"].values())
