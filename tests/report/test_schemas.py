from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from report.examples import DIAGNOSTICS, PLANS, fates, plans

from reconciler.model.channel import Channel
from reconciler.model.diagnostic import Severity
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.outcome import Result
from reconciler.model.plan import Action, EditKind, Plan, Reason
from reconciler.report import (
    FORMAT_VERSION,
    diagnostic_documents,
    document_text,
    outcome_entries,
    outcome_summary,
    plan_document,
    plan_summary,
    saved_plan,
)
from reconciler.report.documents.changes import change_entries
from reconciler.schemas import schema_text

Document = dict[str, Any]

SCHEMAS: dict[str, Document] = {name: json.loads(schema_text(name)) for name in ("plan", "outcome")}
CHECKS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


def _envelope(command: str, **more: object) -> Document:
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": "1.2.3",
        "command": command,
        "environment": "desired",
        "site": "demo",
        "exit_code": 0,
        "exit_reason": "done",
        "summary": {},
        "diagnostics": diagnostic_documents(DIAGNOSTICS),
        **more,
    }


def _plan(plan: Plan) -> Document:
    changes = change_entries(plan.changes).documents()
    return _envelope("plan", summary=plan_summary(plan), **{**plan_document(plan), "changes": changes})


def _outcome(plan: Plan) -> Document:
    outcomes = fates(plan)
    return _envelope(
        "apply",
        summary=outcome_summary(outcomes),
        fingerprint=plan.fingerprint,
        base={"lineage": None, "serial": 0},
        saved={"lineage": None, "serial": 0},
        rollback_file=None,
        outcomes=outcome_entries(outcomes).documents(),
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_itself(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_property_and_definition_is_described(name: str) -> None:
    bare = [
        (kind, key)
        for node in _nodes(SCHEMAS[name])
        for kind in ("properties", "$defs")
        for key, value in node.get(kind, {}).items()
        if not value.get("description")
    ]
    assert bare == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_object_is_closed(name: str) -> None:
    objects = [node for node in _nodes(SCHEMAS[name]) if node.get("type") == "object"]
    open_ones = [node for node in objects if node.get("additionalProperties") is not False]
    assert open_ones == []


@given(plan=plans)
def test_a_plans_document_and_the_saved_plan_are_valid(plan: Plan) -> None:
    CHECKS["plan"].validate(_plan(plan))
    CHECKS["plan"].validate(json.loads(document_text(saved_plan(plan, tool_version="1"))))


@pytest.mark.parametrize("name", [name for name in PLANS if not name.startswith("ten")])
def test_documents_of_usual_plans_and_their_outcomes_are_valid(name: str) -> None:
    CHECKS["plan"].validate(_plan(PLANS[name]()))
    CHECKS["outcome"].validate(_outcome(PLANS[name]()))


@pytest.mark.parametrize(("name", "command"), [("plan", "plan"), ("outcome", "apply")])
def test_the_document_of_a_run_that_failed_is_the_envelope_alone(name: str, command: str) -> None:
    failed = _envelope(command, exit_code=3, exit_reason="invalid-input", environment=None, site=None)
    CHECKS[name].validate(failed)
    for wrong in ({"exit_code": 0}, {"summary": {"set": 0}}, {"base": {"lineage": None, "serial": 0}}, {"surprise": 1}):
        with pytest.raises(jsonschema.ValidationError):
            CHECKS[name].validate({**failed, **wrong})


@pytest.mark.parametrize(("name", "make"), [("plan", _plan), ("outcome", _outcome)], ids=["plan", "outcome"])
def test_no_field_may_be_missing_or_added_at_any_depth(name: str, make: Any) -> None:
    document = make(PLANS["every-reason-with-reset"]())
    for path in _objects(document):
        target = _at(document, path)
        optional = path[-1:] == ("channels",)
        for key in [] if optional else list(target):
            assert not CHECKS[name].is_valid(_without(document, path, key)), (path, key)
        changed = copy.deepcopy(document)
        _at(changed, path)["surprise"] = 1
        assert not CHECKS[name].is_valid(changed), path


def test_the_words_of_the_schemas_are_those_of_the_model() -> None:
    change = SCHEMAS["plan"]["$defs"]["change"]["properties"]
    edit = SCHEMAS["plan"]["$defs"]["edit"]["properties"]
    properties = SCHEMAS["plan"]["properties"]
    outcome = SCHEMAS["outcome"]["$defs"]["outcome"]["properties"]
    labels = [channel.label for channel in Channel]
    actions = [str(action) for action in Action if action is not Action.UNCHANGED]
    assert [str(reason) for reason in Reason] == change["reason"]["enum"]
    assert [str(kind) for kind in EditKind] == edit["kind"]["enum"]
    assert ["total", *(f"channels.{label}" for label in labels)] == edit["field"]["enum"]
    assert labels == properties["scope"]["properties"]["channels"]["items"]["enum"]
    assert [str(key) for key in CallnumsKey] == properties["callnums_key"]["enum"]
    assert [str(result) for result in Result] == outcome["outcome"]["enum"]
    assert actions == change["action"]["enum"] == outcome["action"]["enum"]
    for schema in SCHEMAS.values():
        diagnostic = schema["$defs"]["diagnostic"]["properties"]
        assert [str(severity) for severity in Severity] == diagnostic["severity"]["enum"]
    channels = SCHEMAS["plan"]["$defs"]["concurrency"]["properties"]["channels"]["properties"]
    assert [channel.code for channel in Channel] == list(channels)


def _nodes(value: object) -> Iterator[Document]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def _objects(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _objects(item, (*path, key))


def _at(document: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def _without(document: Document, path: tuple[str | int, ...], key: str) -> Document:
    changed = copy.deepcopy(document)
    del _at(changed, path)[key]
    # The four that tell the run from the plan may be left out, as a saved plan does.
    return changed if path or key not in ("environment", "exit_code", "exit_reason", "diagnostics") else {}
