"""A rollback file: what is written is read back, and nothing else is."""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fleets import NOW, Situation, concurrency, desired, record, settle, site, situations, state

from reconciler.errors import InputError, StalePlanError
from reconciler.model.inverse import InversePlan
from reconciler.model.outcome import Result
from reconciler.model.plan import Forget
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import RecordStatus
from reconciler.planning import inverse_after, inverse_before, make_plan, require_unaltered_inverse
from reconciler.report import document_text, inverse_document, read_inverse_plan
from reconciler.report.documents.text import Entries, compact
from reconciler.schemas import schema_text
from reconciler.values import replace

Document = dict[str, Any]

SCHEMA: Document = json.loads(schema_text("rollback"))
CHECK = jsonschema.Draft202012Validator(SCHEMA)


def left_by(situation: Situation, *, finished: bool) -> InversePlan:
    plan = make_plan(situation.desired, situation.state, situation.options, session_keys=situation.session_keys)
    early = inverse_before(plan, situation.state, left_by="apply", begun_at=NOW)
    results = {
        change.agent: Result.FORGOTTEN if isinstance(change, Forget) else Result.APPLIED for change in plan.changes
    }
    return inverse_after(early, results, saved=settle(plan, situation.state)) if finished else early


def as_kept(situation: Situation) -> Situation:
    """Give every acknowledged record its time: no state holds one without."""
    agents = {
        agent: each if each.status is RecordStatus.IN_DOUBT else replace(each, acknowledged_at=NOW)
        for agent, each in situation.state.agents.items()
    }
    return dataclasses.replace(situation, state=situation.state.with_agents(agents))


def document(*, finished: bool = True) -> Document:
    """One agent of each kind: 1001 new, 1002 changed from values in doubt, 1003 reset, 1004 changed."""
    situation = Situation(
        desired=desired(
            dict.fromkeys((1001, 1002, 1004), concurrency(25, web_chat=9)),
            at=site(on_agent_removal=OnAgentRemoval.RESET),
        ),
        state=state(
            {
                1002: record(concurrency(8, sms=1), status=RecordStatus.IN_DOUBT, acknowledged_at=None),
                1003: record(concurrency(9, sms=2), session="login-1", team=None, protected=True),
                1004: record(concurrency(10, sms=3)),
            }
        ),
    )
    inverse = left_by(situation, finished=finished)
    written: Document = json.loads(document_text(inverse_document(inverse, tool_version="1.2.3")))
    return written


def read(value: object) -> InversePlan:
    return read_inverse_plan(json.dumps(value).encode(), name="rollback.json")


@given(situation=situations, finished=st.booleans())
def test_what_is_written_is_read_back_and_fits_the_schema_and_its_fingerprint(
    situation: Situation, *, finished: bool
) -> None:
    inverse = left_by(as_kept(situation), finished=finished)
    text = document_text(inverse_document(inverse, tool_version="1.2.3"))

    again = read_inverse_plan(text.encode(), name="rollback.json")

    assert inverse == again
    require_unaltered_inverse(again, name="rollback.json")
    CHECK.validate(json.loads(text))


def test_the_schema_is_valid_closed_and_described() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    nodes = list(_nodes(SCHEMA))
    assert [node for node in nodes if node.get("type") == "object" and "properties" in node and _open(node)] == []
    described = [each for node in nodes if "type" in node for each in node.get("properties", {}).values()]
    assert [each for each in described if "description" not in each] == []


def _open(node: Document) -> bool:
    return node.get("additionalProperties") is not False


def _nodes(value: object) -> list[Document]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [node for item in inner for node in _nodes(item)]
    return [value, *found] if isinstance(value, dict) else found


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "cut-short"])
def test_no_field_may_be_missing_or_added_or_of_another_kind_at_any_depth(*, finished: bool) -> None:
    whole = document(finished=finished)
    read(whole)
    for path in _objects(whole):
        if path[-1:] != ("channels",):
            for key in _at(whole, path):
                _refused_by_both(_changed(whole, path, key, None, drop=True))
        _refused_by_both(_changed(whole, path, "surprise", 1))
    for path, key, value in _leaves(whole):
        if key not in ("tool_version", "team", "session", "url", "site", "lineage"):
            _refused_by_both(_changed(whole, path, key, [value]))


def _refused_by_both(wrong: Document) -> None:
    with pytest.raises((InputError, StalePlanError), match=r"^rollback\.json: "):
        read(wrong)
    assert not CHECK.is_valid(wrong), wrong


def _objects(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [each for key, item in inner for each in _objects(item, (*path, key))]
    return [path, *found] if isinstance(value, dict) else found


def _leaves(value: Document) -> list[tuple[tuple[str | int, ...], str, object]]:
    return [
        (path, key, item)
        for path in _objects(value)
        for key, item in _at(value, path).items()
        if not isinstance(item, dict | list)
    ]


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _changed(whole: Document, path: tuple[str | int, ...], key: str, value: object, *, drop: bool = False) -> Document:
    changed = copy.deepcopy(whole)
    _at(changed, path)[key] = value
    if drop:
        del _at(changed, path)[key]
    return changed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"[]", "an array is not an object"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'{"format_version": "1.0", "command": "plan"}', 'it is the document of the command "plan"'),
        (b'{"format_version": "2.0"}', "written by a newer reconciler"),
        (b'{"format_version": "0.9"}', "is not 1.0"),
        (b'{"format_version": "1.0", "document": "state"}', 'document: "state" is not rollback'),
    ],
    ids=["empty", "array", "cut", "bytes", "twice", "plan", "newer", "older", "other"],
)
def test_what_is_no_rollback_file_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(InputError) as refused:
        read_inverse_plan(data, name="rollback.json")

    assert words in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("index", "field", "value", "words"),
    [
        (3, "acknowledged_at", "2025-02-30T08:00:00Z", "is not a time"),
        (3, "acknowledged_at", "2025-03-01T08:00:00+02:00", "is not a time"),
        (3, "acknowledged_at", None, "is missing for a record that was acknowledged"),
        (3, "team", "\ud800", "holds half a character"),
        (3, "session", "\udfff", "holds half a character"),
        (3, "total", 61, "total"),
        (3, "total", True, "true is not a whole number"),
        (3, "channels", {}, "names no channel"),
        (3, "channels", {"54": 1}, "unknown field"),
    ],
    ids=["no-day", "offset", "never", "half-team", "half-session", "range", "truth", "empty", "unknown-channel"],
)
def test_what_the_state_could_not_hold_is_refused_with_its_place(
    index: int, field: str, value: object, words: str
) -> None:
    wrong = _changed(document(), ("agents", index, "before"), field, value)

    with pytest.raises(InputError) as refused:
        read(wrong)

    assert f"agents[{index}].before" in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ((), "finished", False),
        (("state",), "after", None),
        (("agents", 0), "outcome", None),
    ],
    ids=["finished", "after", "outcome"],
)
def test_a_file_that_contradicts_itself_was_altered(path: tuple[str | int, ...], key: str, value: object) -> None:
    with pytest.raises(StalePlanError, match="altered after it was made"):
        read(_changed(document(), path, key, value))


@pytest.mark.parametrize(
    ("index", "key", "value"),
    [(2, "before", None), (2, "after", None), (0, "action", "reassert"), (0, "action", "forget"), (1, "agent", "1001")],
    ids=["reset-of-nobody", "reset-without-call", "repetition", "forget-with-call", "agent-twice"],
)
def test_what_no_run_can_have_done_is_refused(index: int, key: str, value: object) -> None:
    with pytest.raises(InputError):
        read(_changed(document(), ("agents", index), key, value))


@given(situation=situations, finished=st.booleans())
def test_what_is_put_into_words_once_reads_as_if_it_had_been_each_time(situation: Situation, finished: bool) -> None:
    entries = inverse_document(left_by(situation, finished=finished), tool_version="1")["agents"]
    assert isinstance(entries, Entries)
    assert list(map(compact, entries.documents())) == list(entries.texts())
