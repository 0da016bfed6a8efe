"""jsonschema-rs, which decides, and jsonschema, which explains, are of one mind."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.explanation import Explainer
from reconciler.desired.reading.yaml_reader import read_yaml
from reconciler.desired.validation import Validator
from reconciler.schemas import schema_text

EXAMPLES = 40_000 if os.environ.get("TORTURE") else 100
"""For each of three kinds of documents: 120,000 in the long run (`make torture`)."""
FLEET: dict[str, Any] = {
    "team": "east",
    "profiles": {"p": {"extends": "q", "total": 5, "channels": {"sms": 1, "email": None}}, "007": {"total": 9}},
    "agents": {
        "1001": {"profile": "p"},
        "1003-1050": {"total": 60, "channels": {"5g": 0}, "team": "a", "protected": True},
    },
}
SITE: dict[str, Any] = {
    "name": "demo",
    "gateway": {"url": "https://h", "timeout": "10s", "requests_per_second": 0.5, "concurrency": 4},
    "sessions": {"source": "command", "command": ["a", "b"], "timeout": "1s"},
    "state": {"backend": "local", "path": "x"},
    "reset": {"total": 1, "channels": {"sms": 0}},
    "guardrails": {
        "max_changed_percent": None,
        "max_delta": {"sms": 4, "total": 0},
        "capacity_floor": {"channels": {"5g": "-10%"}, "teams": {"a": {"sms": 120, "total": "-0.5%"}}},
        "protected": {"agents": ["1001", 1002], "teams": ["x"]},
    },
    "retcodes": {"106-011": "deferred", "106-*": "stop"},
}
SESSIONS: list[dict[str, Any]] = [
    {
        "source": "redis",
        "url": "rediss://h",
        "key": "{agent}",
        "fields": {"guid": "g", "session": "s"},
        "username": "u",
        "password": "env:P",
        "max_age": "1s",
    },
    {"source": "redis", "url": "redis://h", "hash": "h", "field": "{agent}", "client_name": "c", "batch": 9},
    {"source": "http", "url": "https://h", "method": "POST", "token": "file:/t", "ca_file": "c", "timeout": "1s"},
]
ODDITIES: list[Any] = [
    None, True, False, 0, 1, 61, -1, 999_999, 10**17, 0.5, 100.5, "", "x", "x\n", "10s", "10s\n", "1001", "1001\n",
    "0101", "https://", "file", "env", "local", "\x00", "a" * 65, "a" * 1_025, "é", "\u2028", [], [None], ["a", "a\n"],
    {}, {"x": 1},
]  # fmt: skip
KEYS = [
    "sms",
    "fax",
    "total",
    "1001\n",
    "1001",
    "0101",
    "007",
    "p\n",
    "",
    "source",
    "path",
    "variable",
    "command",
    "hash",
    "key",
    "username",
    "x/~y",
    "106-011",
    "106-011\n",
    "106011",
]


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


@st.composite
def near_valid(draw: st.DrawFn, origin: dict[str, Any]) -> Any:
    document = copy.deepcopy(origin)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(places(document)[1:] or [("",)]))
        node = document
        for token in path:
            node = node[token]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                node[last] = draw(st.sampled_from(ODDITIES).map(copy.deepcopy))
            case "remove":
                del node[last]
            case _ if isinstance(node, dict):
                node[draw(st.sampled_from(KEYS))] = draw(st.sampled_from(ODDITIES).map(copy.deepcopy))
    return document


def agree(name: str, value: Any) -> None:
    schema = json.loads(schema_text(name))
    document = read_yaml("x.yaml", json.dumps(value))
    if document.value is None:
        return
    assert value == document.value
    valid = jsonschema_rs.Draft202012Validator(schema).is_valid(value)
    explained = list(Explainer(schema).explain(document, document.value))
    checked = Validator(name).check(document)
    assert valid == (not explained)
    assert sorted(explained) == sorted(checked)
    for found in explained:
        assert found.line == 1
        assert found.column > 0
        assert found.code != "invalid"


@settings(max_examples=EXAMPLES, deadline=None)
@given(near_valid(FLEET))
def test_they_agree_on_fleets_that_are_nearly_valid(value: Any) -> None:
    agree("fleet", value)


@settings(max_examples=EXAMPLES, deadline=None)
@given(near_valid(SITE))
def test_they_agree_on_sites_that_are_nearly_valid(value: Any) -> None:
    agree("site", value)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(SESSIONS).flatmap(lambda sessions: near_valid({**SITE, "sessions": sessions})))
def test_they_agree_on_session_sources_that_are_nearly_valid(value: Any) -> None:
    agree("site", value)


@pytest.mark.parametrize("sessions", SESSIONS, ids=["redis-key", "redis-hash", "http"])
def test_the_origins_of_session_sources_are_valid(sessions: dict[str, Any]) -> None:
    assert Validator("site").check(read_yaml("x.yaml", json.dumps({**SITE, "sessions": sessions}))) == []


@pytest.mark.parametrize(("name", "value"), [("fleet", FLEET), ("site", SITE)], ids=["fleet", "site"])
def test_the_origins_of_these_are_valid(name: str, value: Any) -> None:
    assert Validator(name).check(read_yaml("x.yaml", json.dumps(value))) == []


class Mute:
    """An explainer that finds nothing to say."""

    def explain(self, _document: Any, _value: Any) -> list[Any]:
        return []


def test_a_refusal_nobody_can_explain_is_reported_in_the_gates_words() -> None:
    validator = Validator("fleet")
    validator._explainer = Mute()
    found = validator.check(read_yaml("x.yaml", "agents: {1001: {total: 61}}"))
    assert [(item.code, item.pointer) for item in found] == [("invalid", "/agents/1001/total")]
    assert found[0].summary == "the schema refuses this: 61 is greater than the maximum of 60"


def test_a_keyword_without_a_sentence_is_reported_in_jsonschemas_words() -> None:
    explainer = Explainer({"type": "object", "properties": {"a": {"multipleOf": 2}}})
    document = read_yaml("x.yaml", "a: 3")
    found = list(explainer.explain(document, document.value))
    assert [(item.code, item.summary) for item in found] == [("invalid", "a is refused: 3 is not a multiple of 2")]


def test_a_schema_that_forbids_is_reported_too() -> None:
    explainer = Explainer({"properties": {"a": False}})
    document = read_yaml("x.yaml", "a: 3")
    found = list(explainer.explain(document, document.value))
    assert [(item.code, item.pointer) for item in found] == [("invalid", "")]


def test_no_schema_is_ever_fetched(tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    explainer = Explainer({"$ref": outside.as_uri()})
    document = read_yaml("x.yaml", "a: 3")
    with pytest.raises(Exception, match="Unresolvable"):
        list(explainer.explain(document, document.value))
