"""A plan file that has been in other hands: whatever became of it, it is read as it was written or refused by name."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.examples import DIAGNOSTICS, PLANS, as_saved, planned, plans
from support.fleets import concurrency, desired, one_of_each, scope, state

from reconciler.errors import InputError, ReconcilerError, StalePlanError
from reconciler.model.channel import Channel
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.site import OnAgentRemoval
from reconciler.planning import make_plan, require_unaltered
from reconciler.report import diagnostic_documents, document_text, plan_summary, read_saved_plan, saved_plan
from reconciler.report.reading import change_lines, lines
from reconciler.report.reading import values as reading_values
from reconciler.report.reading.lines import parse_lines
from reconciler.report.reading.plan import _document as _decoded
from reconciler.report.reading.values import parse_json
from reconciler.schemas import schema_text
from reconciler.values import replace

Document = dict[str, Any]
Path = tuple[str | int, ...]

ENVELOPE = {
    "environment": "desired/demo",
    "exit_code": 2,
    "exit_reason": "changes-present",
    "diagnostics": diagnostic_documents(DIAGNOSTICS),
}


def _document(name: str = "every-reason-with-reset") -> Document:
    document = json.loads(document_text(saved_plan(PLANS[name](), tool_version="1.2.3")))
    assert isinstance(document, dict)
    return document


@functools.cache
def _rich_text() -> str:
    every = one_of_each(OnAgentRemoval.RESET)
    plan = planned(dataclasses.replace(every, options=replace(every.options, scope=scope(agents="1001-1004,1007"))))
    selection = {"teams": ["east"], "excluded": ["1009"], "channels": ["sms"]}
    lifted = {"guardrail": "protected", "planned": "1 agent", "limit": "none", "lifted": True, "agents": ["1002"]}
    document: Document = json.loads(document_text(saved_plan(plan, tool_version="1.2.3")))
    document["scope"].update(selection)
    document["options"]["sessions"] = True
    called = document["summary"]["calls"]
    seen = {"asked": called + document["summary"]["unchanged"], "known": 1, "keyless": 1, "absent": ["1001", "1002"]}
    waits = {"since": "2025-03-01T08:00:00Z", "agents": ["1001"]}
    moves = [
        {"agent": agent, "before": {"team": "vip", "protected": True}, "after": {"team": "east", "protected": False}}
        for agent in ("1002", "1003")
    ]
    told = {"sessions": seen, "waits": waits, "guardrails": [lifted], "standing": moves}
    return json.dumps({**document, **told, **ENVELOPE})


def _rich() -> Document:
    """A fresh document with every field there is: an approved, partial plan with every action, and its envelope."""
    document = json.loads(_rich_text())
    assert isinstance(document, dict)
    return document


def _read(document: object) -> Plan:
    return read_saved_plan(json.dumps(document).encode(), name="plan.json").plan


def _refusal(data: bytes | Document) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    with pytest.raises((InputError, StalePlanError)) as caught:
        read_saved_plan(raw, name="plan.json")
    message = str(caught.value)
    assert message.startswith("plan.json: ")
    assert caught.value.hint
    assert message.isprintable()
    assert len(message) < 400
    return message


def _paths(value: object, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*path, key))


def _edited(path: Path, edit: Callable[[Any, str | int], None]) -> Document:
    document = _rich()
    parent: Any = document
    for key in path[:-1]:
        parent = parent[key]
    edit(parent, path[-1])
    return document


PATHS = tuple(_paths(_rich()))
FIELDS = tuple(path for path in PATHS if isinstance(path[-1], str))
REQUIRED = tuple(path for path in FIELDS if path[0] not in ENVELOPE or len(path) > 1)
VALUES: tuple[object, ...] = (None, True, 0, 1, -1, 61, 1.0, 1.5, 10**19, "x", "1002", [], [None], {}, {"x": 1})


def _named(path: Path) -> str:
    """The last name of the path; an entry of an array is named by its array."""
    return str(path[-1] if isinstance(path[-1], str) else path[-2])


def _names(message: str, path: Path) -> bool:
    code = str(path[-1])
    return _named(path) in message or (code.isdigit() and Channel.from_code(code).label in message)


def test_the_rich_document_is_read() -> None:
    assert _read(_rich()).options.scope.teams == ("east",)
    assert len(PATHS) > 150


@pytest.mark.parametrize("name", [name for name in PLANS if not name.startswith("ten-")])
def test_the_document_of_plan_json_reads_like_the_saved_plan(name: str) -> None:
    document = _document(name)
    assert _read(document) == _read({**document, **ENVELOPE})
    assert _read(document) == as_saved(PLANS[name]())


@given(plan=plans)
def test_whatever_is_planned_can_be_read_back(plan: Plan) -> None:
    saved = document_text(saved_plan(plan, tool_version="1")).encode()
    require_unaltered(read_saved_plan(saved, name="plan.json").plan, name="plan.json")


def test_a_field_that_is_missing_is_refused_by_name() -> None:
    for path in REQUIRED:
        message = _refusal(_edited(path, lambda parent, key: parent.pop(key)))
        # A channel may be missing: then the edits beside it tell another story.
        named = "edits" if "channels" in path[:-1] else _named(path)
        assert named in message or "does not fit" in message, path


def test_a_field_that_is_renamed_is_refused_by_name() -> None:
    for path in FIELDS:
        message = _refusal(_edited(path, lambda parent, key: parent.update({f"{key}_": parent.pop(key)})))
        assert _named(path) in message, path


def test_an_unknown_field_is_refused_by_name() -> None:
    objects = {path[:-1] for path in FIELDS}
    for path in objects:
        message = _refusal(_edited((*path, "surprise"), lambda parent, key: parent.update({key: 1})))
        assert 'unknown field "surprise"' in message, path


def test_what_the_schema_refuses_is_refused_by_name_and_nothing_else_makes_another_plan() -> None:
    schema = jsonschema_rs.validator_for(json.loads(schema_text("plan")))
    original = _deeds(_read(_rich()))
    for path in PATHS:
        for value in VALUES:
            document = _edited(path, lambda parent, key, value=value: parent.__setitem__(key, value))  # type: ignore[misc]
            if schema.is_valid(document):
                assert _deeds_unless_refused(document) in (original, None), (path, value)
            else:
                assert _names(_refusal(document), path), (path, value)


def test_true_and_1_0_are_not_the_number_1() -> None:
    document = _rich()
    numbers = [path for path in PATHS if type(_at(document, path)) is int]
    assert len(numbers) > 50
    for path in numbers:
        for make in (bool, float):
            changed = _edited(path, lambda parent, key, make=make: parent.__setitem__(key, make(parent[key])))  # type: ignore[misc]
            if path == ("options", "reassert_older_than") and make is float:
                assert _read(changed) == _read(document)
            else:
                assert str(path[-1]) in _refusal(changed), path


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-" + "9" * 30])
def test_what_is_no_proper_number_is_refused_by_name(word: str) -> None:
    text = json.dumps(_rich())
    for name, number in (("serial", "7"), ("total", "25"), ("line", "3"), ("reassert_older_than", "7200")):
        message = _refusal(text.replace(f'"{name}": {number}', f'"{name}": {word}', 1).encode())
        assert name in message
        assert len(message) < 200


@pytest.mark.parametrize("name", sorted({str(path[-1]) for path in FIELDS}))
def test_a_field_that_stands_twice_is_refused_by_name(name: str) -> None:
    text = json.dumps(_rich())
    message = _refusal(re.sub(rf'("{name}": )', rf'"{name}": null, \1', text, count=1).encode())
    assert f'field "{name}" stands twice in one object' in message


def test_a_hundred_thousand_names_are_looked_through_once() -> None:
    names = ", ".join(f'"{number}": 0' for number in range(100_000))
    assert 'field "99999" stands twice' in _refusal(f'{{{names}, "99999": 0}}'.encode())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "the file is empty", id="nothing"),
        pytest.param(b" \r\n\t", "the file is empty", id="blanks"),
        pytest.param(b"\xef\xbb\xbf{}", "byte order mark", id="utf-8-bom"),
        pytest.param(b"\xff\xfe{\x00}\x00", "not UTF-8 (byte 0)", id="utf-16"),
        pytest.param(b"{", "not JSON", id="half-a-document"),
        pytest.param(b"{}\n{}", "not JSON: Extra data (line 2, column 1)", id="two-documents"),
        pytest.param(b"[" * 100_000, "nested deeper", id="brackets"),
        pytest.param(b'{"a":' * 100_000, "nested deeper", id="braces"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, "nested deeper", id="closed-brackets"),
        pytest.param(b"null", "null is not an object", id="null"),
        pytest.param(b"[]", "an array is not an object", id="array"),
        pytest.param(b"NaN", "NaN is not an object", id="nan"),
        pytest.param(b"{}", "format_version: is missing", id="empty-object"),
    ],
)
def test_what_is_no_document_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    assert reason in _refusal(data)


def test_nesting_just_within_what_json_allows_is_refused_too() -> None:
    text = json.dumps({**_rich(), "capacity": "HERE"})
    for depth in range(sys.getrecursionlimit() - 300, sys.getrecursionlimit()):
        _refusal(text.replace('"HERE"', "[" * depth + "]" * depth).encode())
        _refusal(text.replace('"edits": [', f'"edits": [{"[" * depth + "]" * depth},', 1).encode())


@given(data=st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    _refusal(data)


@given(data=st.data())
def test_a_file_with_a_few_bytes_changed_never_ends_in_a_traceback(data: st.DataObject) -> None:
    raw = bytearray(json.dumps(_rich()).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(raw) - 1))
        raw[start : start + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        read_saved_plan(bytes(raw), name="plan.json")
    except ReconcilerError as error:
        assert str(error).isprintable()  # noqa: PT017 - it need not raise


@given(plan=plans, data=st.data())
def test_a_document_laid_out_as_ours_is_read_as_any_other_whatever_became_of_it(
    plan: Plan, data: st.DataObject
) -> None:
    raw = bytearray(document_text(saved_plan(plan, tool_version="1")).encode())
    for _ in range(data.draw(st.integers(0, 2))):
        start = data.draw(st.integers(0, len(raw) - 1))
        raw[start : start + data.draw(st.integers(0, 3))] = data.draw(st.sampled_from(_PIECES))
    try:
        quick = _decoded(parse_lines(bytes(raw)))
    except (ValueError, RecursionError):
        return  # and is read the plain way
    assert _decoded(parse_json(bytes(raw))) == quick


_PIECES = [
    *map(str.encode, '{}[]":,\\01 \n'),
    b"",
    b"},\n    {",
    b"}\n  ]",
    b'\n  "changes": [\n    {',
    b'"agent": "1001", ',
]


@pytest.mark.parametrize(
    "cause",
    ['{"line": 1, "path": "a.yaml"}', '{"path":"a.yaml","line":1}', '{"path": "a.yaml", "line": 1234567890}'],
    ids=["line-first", "no-blanks", "a-line-far-down"],
)
def test_a_cause_that_is_laid_out_otherwise_is_read_as_it_stands(cause: str) -> None:
    lines = document_text(saved_plan(PLANS["every-reason-with-reset"](), tool_version="1"))
    text = re.sub(r'(?<="cause": )\{[^}]*\}', cause, lines, count=1)
    assert text != lines
    assert _decoded(parse_json(text.encode())) == read_saved_plan(text.encode(), name="plan.json")


def test_the_longest_name_of_a_file_costs_a_few_copies_of_it() -> None:
    text = document_text(saved_plan(PLANS["every-reason-with-reset"](), tool_version="1"))
    data = re.sub(r'(?<="path": )"[^"]*"', f'"{"a" * 1_000_000}"', text, count=1).encode()
    tracemalloc.start()
    try:
        read_saved_plan(data, name="plan.json")
        assert tracemalloc.get_traced_memory()[1] < 20 * len(data)
    finally:
        tracemalloc.stop()


def test_what_agents_share_is_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [concurrency(25, web_chat=9), concurrency(25, web_chat=8)]
    agents = range(1001, 1501)
    plan = make_plan(desired(dict.fromkeys(agents, values[1])), state(dict.fromkeys(agents, values[0])))
    parsed = list[bytes]()

    def counted(data: bytes) -> object:
        parsed.append(data)
        return parse_json(data)

    data = document_text(saved_plan(plan, tool_version="1")).encode()
    for module in (change_lines, lines, reading_values):
        monkeypatch.setattr(module, "parse_json", counted)
    assert plan.changes == read_saved_plan(data, name="plan.json").plan.changes
    assert len(parsed) < 10


@pytest.mark.parametrize(
    ("version", "newer"),
    [("1.1", True), ("2.0", True), ("10.0", True), ("0.9", False), ("1", False), ("1.0.0", False), ("x" * 999, False)],
)
def test_another_format_is_refused_and_a_newer_one_with_another_advice(version: str, newer: bool) -> None:
    with pytest.raises(InputError, match="format_version") as caught:
        _read({**_rich(), "format_version": version})
    assert newer is ("upgrade" in caught.value.hint)
    assert newer is ("newer reconciler" in str(caught.value))


def test_the_document_of_another_command_is_refused() -> None:
    assert 'command: "apply" is not plan' in _refusal({**_rich(), "command": "apply"})


def test_a_message_names_the_whole_way_to_the_field() -> None:
    document = _edited(("changes", 1, "before", "total"), lambda parent, key: parent.update({key: True}))
    assert "changes[1].before.total: true is not a whole number" in _refusal(document)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        pytest.param(("changes", 1, "edits", 0, "after"), 3, "changes[1].edits", id="another-number-in-an-edit"),
        pytest.param(("changes", 1, "edits", 0, "kind"), "added", "changes[1].edits", id="another-kind-of-edit"),
        pytest.param(("changes", 1, "edits"), [], "changes[1].edits", id="no-edits"),
        pytest.param(("changes", 1, "after", "channels", "51"), 1, "changes[1].edits", id="another-value-sent"),
        pytest.param(("changes", 2, "reason"), "changed", "changes[2].edits", id="changed-without-edits"),
        pytest.param(("summary", "set"), 1, "summary.set", id="another-count"),
        pytest.param(("summary", "calls"), 1, "summary.calls", id="another-count-of-calls"),
        pytest.param(("applyable",), False, "applyable", id="not-applyable"),
        pytest.param(("scope", "partial"), False, "scope.partial", id="not-partial"),
        pytest.param(("options", "sessions"), False, "sessions: contradicts options", id="sessions-nobody-asked-for"),
        pytest.param(("sessions",), None, "sessions: contradicts options", id="no-sessions-though-asked-for"),
        pytest.param(("sessions", "asked"), 99, "sessions.asked", id="another-number-of-agents-asked-for"),
        pytest.param(("sessions", "absent", 0), "1009", "sessions.absent: agent 1009", id="absent-without-a-call"),
        pytest.param(("waits", "agents", 0), "1009", "waits.agents: agent 1009", id="waits-without-a-call"),
        pytest.param(("capacity", 0, "before"), 1, "capacity[0].change", id="another-sum"),
        pytest.param(("capacity", 0, "change"), 9, "capacity[0].change", id="another-change-of-a-sum"),
        pytest.param(("capacity", 0, "percent"), 9.5, "capacity[0].percent", id="another-percentage"),
        pytest.param(("capacity", 0, "agents_after"), 99, "capacity: it does not tell", id="another-number-above-0"),
        pytest.param(("capacity",), [], "capacity: it does not tell", id="no-capacity"),
        pytest.param(
            ("standing", 0, "agent"), "1007", "standing: agent 1007", id="somebody-who-leaves-in-another-team"
        ),
        pytest.param(
            ("standing", 0, "after", "team"), "day", "standing: agent 1002", id="another-team-than-the-call-s"
        ),
        pytest.param(("standing", 1, "agent"), "1001", "standing: agent 1001", id="somebody-new-in-another-team"),
    ],
)
def test_a_document_that_contradicts_itself_was_altered(path: Path, value: object, named: str) -> None:
    document = _edited(path, lambda parent, key: parent.__setitem__(key, value))
    with pytest.raises(StalePlanError, match=re.escape(named)):
        _read(document)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        pytest.param(("changes", 0, "reason"), "requested", "changes[0].reason", id="reason-of-another-action"),
        pytest.param(("changes", 0, "action"), "unchanged", "changes[0].action", id="unchanged-is-no-change"),
        pytest.param(("changes", 1, "before"), None, "changes[1].before", id="changed-from-nothing"),
        pytest.param(("changes", 3, "after", "total"), 9, "changes[3].action", id="reassert-of-other-values"),
        pytest.param(("changes", 0, "agent"), "1002", "changes: agent 1002 stands in it twice", id="agent-twice"),
        pytest.param(("changes", 0, "agent"), "1001-1002", "changes[0].agent", id="range-for-an-agent"),
        pytest.param(("changes", 0, "agent"), "1" * 5000, "changes[0].agent", id="long-agent"),
        pytest.param(("changes", 0, "source", "line"), 0, "changes[0].source.line", id="line-0"),
        pytest.param(("scope", "agents", 0), "9" * 5000, "scope.agents[0]", id="long-range"),
        pytest.param(("scope", "channels", 0), [], "scope.channels[0]", id="channel-that-cannot-be-a-key"),
        pytest.param(("fingerprint",), "sha256:" + "0" * 63, "fingerprint", id="short-fingerprint"),
        pytest.param(("base", "serial"), 0, "base.serial", id="serial-0-of-a-written-state"),
        pytest.param(("base", "lineage"), None, "base.serial", id="serial-without-a-lineage"),
        pytest.param(("options", "at"), "yesterday", "options.at", id="no-time"),
        pytest.param(("options", "at"), "2026-01-31T09:30:00", "options.at", id="time-without-offset"),
        pytest.param(("options", "at"), None, "options.at", id="age-without-a-time"),
        pytest.param(("options", "reassert_older_than"), -1, "options", id="negative-age"),
        pytest.param(("capacity",), [{}], "capacity[0].team", id="capacity-of-nothing"),
        pytest.param(
            ("capacity", 0, "channel"), "web_chat", "capacity: it has a team and channel twice", id="sum-twice"
        ),
        pytest.param(("capacity", 0, "channel"), "fax", "capacity[0].channel", id="capacity-of-no-channel"),
        pytest.param(("standing", 0, "agent"), "1003", "standing: it has an agent twice", id="a-move-twice"),
        pytest.param(
            ("standing", 0, "before"), {"team": "east", "protected": False}, "standing[0].after", id="a-move-of-nothing"
        ),
        pytest.param(("diagnostics", 0, "line"), -1, "diagnostics[0].line", id="negative-line"),
        pytest.param(("sessions", "absent", 1), "1001", "sessions.absent: names an agent twice", id="absent-twice"),
        pytest.param(("sessions", "keyless"), 2, "sessions: of", id="more-without-a-key-than-there-are"),
        pytest.param(("waits", "agents"), [], "waits: agents is empty", id="a-wait-of-nobody"),
        pytest.param(("waits", "since"), "yesterday", "waits.since", id="a-wait-since-no-time"),
    ],
)
def test_what_cannot_be_is_refused_by_name(path: Path, value: object, named: str) -> None:
    assert named in _refusal(_edited(path, lambda parent, key: parent.__setitem__(key, value)))


def test_more_moves_than_agents_without_a_change_were_not_planned() -> None:
    document = _rich()
    document["standing"] = [{**document["standing"][0], "agent": str(agent)} for agent in range(2001, 2009)]
    assert "more agents without a change than the summary counts" in _refusal(document)


def test_a_hostile_file_name_is_shown_and_not_obeyed() -> None:
    with pytest.raises(InputError) as caught:
        read_saved_plan(b"", name="\x1b[2J\n::error::x")
    assert str(caught.value).isprintable()


@given(word=st.text(st.characters(exclude_categories=()), min_size=1, max_size=80))
def test_hostile_words_are_shown_and_not_obeyed(word: str) -> None:
    for path in (
        ("callnums_key",),
        ("changes", 0, "agent"),
        ("scope", "channels", 0),
        ("changes", 0, "edits", 0, "field"),
    ):
        document = _edited(path, lambda parent, key: parent.__setitem__(key, word))
        if word not in ("callnums", "callNums"):
            _refusal(document)
    _refusal({**_rich(), word: 1} if word not in _rich() else b"")


def test_a_plan_of_another_selection_keeps_its_selection() -> None:
    selected = scope(agents="1001-1040,1044", excluded="1002", teams=["east", "night"], channels=["sms"])
    assert PlanOptions(scope=selected, reassert_all=True) == _read(_document("partial-scope")).options


def test_the_summary_counts_what_is_read() -> None:
    saved = read_saved_plan(json.dumps(_document()).encode(), name="plan.json")
    assert {**plan_summary(saved.plan), "unchanged": saved.unchanged} == _document()["summary"]


def _at(document: Any, path: Path) -> object:
    for key in path:
        document = document[key]
    return document


def _deeds(plan: Plan) -> list[object]:
    return [plan.url, plan.callnums_key, *((each.agent, each.action, each.before, each.after) for each in plan.changes)]


def _deeds_unless_refused(document: Document) -> list[object] | None:
    try:
        plan = _read(document)
        require_unaltered(plan, name="plan.json")
    except (InputError, StalePlanError):
        return None
    return _deeds(plan)
