"""The state's document: what is written can be read back, and nothing else can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from state.records import EARLIER, NOW, WEB_CHAT_4, in_doubt, pending, record, state, states

import reconciler
from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.state import State, empty_state
from reconciler.state import decode, encode
from reconciler.state.document.record_fields import record_fields
from reconciler.state.document.record_lines import record_lines
from reconciler.values import replace

DOCUMENT = encode(state({1001: record(session="login-1"), 20001: in_doubt(WEB_CHAT_4)}))
WAITING = encode(state(waiting={1002: pending(attempts=3), 20001: pending(retcode=None)}))


def edited(old: str, new: str) -> bytes:
    assert DOCUMENT.count(old.encode()) >= 1, old
    return DOCUMENT.replace(old.encode(), new.encode(), 1)


def refusal(data: bytes, *, site: str = "demo") -> StateError:
    with pytest.raises(StateError) as caught:
        decode(data, site=site)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return caught.value


@given(states())
def test_every_state_comes_back_as_it_was_written(written: State) -> None:
    assert decode(encode(written), site="demo") == written


@given(states())
def test_a_record_is_written_as_json_writes_its_fields(written: State) -> None:
    said = [f'"{agent}": {orjson.dumps(record_fields(each)).decode()}' for agent, each in written.agents.items()]
    lines = encode(written).decode().split('  "agents": {\n')[-1].split("\n  }")[0].split(",\n") if said else []
    assert sorted(said) == [line.removeprefix("    ") for line in lines]


@given(states(), st.integers(1, 4))
def test_however_many_lines_are_made_together_the_same_is_written(written: State, together: int) -> None:
    assert b"".join(record_lines(written.agents)) == b"".join(record_lines(written.agents, together=together))


@pytest.mark.parametrize("session", ["", ",\n  ", '",\n  "', "\u2028", "null", "é"], ids=repr)
def test_a_session_may_hold_what_parts_others(session: str) -> None:
    written = state({1001: record(session=session), 1002: record(session=None), 1003: record(session=session)})
    assert decode(encode(written), site="demo") == written


def test_a_missing_time_is_refused_also_behind_one_that_may_be_missing() -> None:
    written = encode(state({1001: in_doubt(WEB_CHAT_4), 1002: record()}))
    data = written.replace(f'"acknowledged_at":"{EARLIER}"'.encode(), b'"acknowledged_at":null')
    assert data.count(b'"acknowledged_at":null') == 2
    assert "agent 1002" in str(refusal(data))


@given(states(), st.randoms(use_true_random=False))
def test_bytes_do_not_depend_on_the_order_agents_came_in(written: State, random: object) -> None:
    agents = list(written.agents.items())
    random.shuffle(agents)  # type: ignore[attr-defined]
    waiting = list(written.pending.items())
    random.shuffle(waiting)  # type: ignore[attr-defined]
    assert encode(replace(written, agents=dict(agents), pending=dict(waiting))) == encode(written)


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    script = (
        "import sys; from reconciler.state import decode, encode;"
        "sys.stdout.buffer.write(encode(decode(sys.stdin.buffer.read(), site='demo')))"
    )
    for seed in ("0", "1", "4294967295"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            input=DOCUMENT,
            capture_output=True,
            check=True,
            cwd=Path(reconciler.__file__).parents[1],
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert done.stdout == DOCUMENT


def test_the_document_has_sorted_keys_and_one_agent_a_line() -> None:
    lines = DOCUMENT.decode().splitlines()
    assert lines[2] == (
        '    "1001": {"acknowledged_at":"2026-01-31T08:00:00Z","callnums_key":"callNums","channels":{"51":9,"52":6},'
        '"protected":false,"session":"login-1","status":"acknowledged","team":"east","total":25},'
    )
    assert lines[3] == (
        '    "20001": {"acknowledged_at":null,"callnums_key":"callNums","channels":{"51":4},'
        '"protected":false,"session":null,"status":"in_doubt","team":"east","total":8}'
    )
    assert DOCUMENT.endswith(b'  "serial": 7,\n  "site": "demo"\n}\n')
    parsed = json.loads(DOCUMENT)
    assert json.loads(json.dumps(parsed, sort_keys=True), object_pairs_hook=list) == json.loads(
        DOCUMENT, object_pairs_hook=list
    )


def test_agents_stand_in_text_order_and_are_read_in_number_order() -> None:
    written = state(dict.fromkeys((999, 1001, 10002, 101), record()))
    data = encode(written)
    assert list(json.loads(data)["agents"]) == ["10002", "1001", "101", "999"]
    assert list(decode(data, site="demo").agents) == [101, 999, 1001, 10002]


def test_one_changed_agent_changes_one_line() -> None:
    before, after = (
        encode(state({**dict.fromkeys(range(1001, 1050), record()), 1025: r})) for r in (record(), in_doubt())
    )
    assert sum(a != b for a, b in zip(before.splitlines(), after.splitlines(), strict=True)) == 1


def test_those_who_wait_stand_one_a_line_in_text_order_and_only_if_there_are_any() -> None:
    lines = WAITING.decode().splitlines()
    start = lines.index('  "pending": {')
    times = f'"first_deferred_at":"{EARLIER}","last_deferred_at":"{EARLIER}"'
    first = f'    "1002": {{"attempts":3,{times},"retcode":"100-006"}},'
    second = f'    "20001": {{"attempts":1,{times},"retcode":null}}'
    assert lines[start + 1 : start + 4] == [first, second, "  },"]
    assert list(json.loads(WAITING)) == sorted(json.loads(WAITING))
    assert b"pending" not in DOCUMENT
    assert decode(DOCUMENT.replace(b'"serial"', b'"pending": {},\n  "serial"'), site="demo") == decode(
        DOCUMENT, site="demo"
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param('"attempts":3', '"attempts":0', "agent 1002: attempts is 0", id="no-attempt"),
        pytest.param('"attempts":3', '"attempts":true', "agent 1002: attempts is True", id="attempts-is-true"),
        pytest.param('"attempts":3', '"attempts":3.0', "agent 1002: attempts is 3.0", id="attempts-has-a-fraction"),
        pytest.param('"attempts":3,', "", "agent 1002: lacks attempts", id="field-missing"),
        pytest.param('"attempts":3', '"guid":"x","attempts":3', "agent 1002: has the unknown guid", id="field-unknown"),
        pytest.param('"attempts":3', '"attempts":3,"attempts":3', "'attempts' is there more", id="field-twice"),
        pytest.param('"20001"', '"1002"', "'1002' is there more than once", id="agent-twice"),
        pytest.param('"1002"', '"1002-1003"', "is a range", id="agent-is-a-range"),
        pytest.param('"retcode":"100-006"', '"retcode":7', "agent 1002: retcode is a int", id="retcode-is-a-number"),
        pytest.param('_deferred_at":"2026-01', '_deferred_at":"2026-02', "first_deferred_at is", id="no-such-day"),
        pytest.param('"pending": {', '"pending": null, "x": {', "has the unknown x", id="pending-renamed"),
    ],
)
def test_a_wait_that_is_not_exactly_one_is_refused(old: str, new: str, words: str) -> None:
    assert words in str(refusal(WAITING.replace(old.encode(), new.encode(), 1)))


def test_an_empty_state_has_a_document_too() -> None:
    assert decode(encode(empty_state("demo")), site="demo") == empty_state("demo")


def test_a_state_edited_by_hand_is_read_if_it_still_says_the_same() -> None:
    by_hand = json.dumps(json.loads(DOCUMENT), indent=3).replace('":', '" :').replace("east", "e\\u0061st")
    assert decode(by_hand.encode(), site="demo") == decode(DOCUMENT, site="demo")


@pytest.mark.parametrize("text", ["a: b", 'say "x": y', "back\\slash", "e\u0301", "\u2028", "\x00", " :", '":'])
def test_no_text_is_taken_for_a_duplicate_key(text: str) -> None:
    written = state({1001: record(team=text, session=text)})
    assert decode(encode(written), site="demo") == written


def test_a_state_cut_short_anywhere_is_refused() -> None:
    for cut in range(len(DOCUMENT) - 1):
        refusal(DOCUMENT[:cut])


def test_a_state_without_its_last_line_end_is_whole() -> None:
    assert decode(DOCUMENT[:-1], site="demo") == decode(DOCUMENT, site="demo")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "the state file is empty", id="no-bytes"),
        pytest.param(b" \n", "the state file is empty", id="only-space"),
        pytest.param(b"\xef\xbb\xbf" + DOCUMENT, "byte-order mark", id="byte-order-mark"),
        pytest.param(DOCUMENT.decode().encode("utf-16"), "byte-order mark", id="utf-16"),
        pytest.param(b"\xff\x00\x80", "not JSON", id="garbage"),
        pytest.param(b"[" * 100_000, "not JSON", id="deep-arrays"),
        pytest.param(b'{"a":' * 100_000, "not JSON", id="deep-objects"),
        pytest.param(b"[]", "not a state", id="array"),
        pytest.param(b'"1.0"', "not a state", id="text"),
        pytest.param(b"{}", "no format_version", id="no-version"),
        pytest.param(DOCUMENT + b"{}", "not JSON", id="two-documents"),
        pytest.param(edited('"1.0"', "1.0"), "format_version is 1.0, not a version", id="version-is-a-number"),
        pytest.param(edited('"1.0"', '"one"'), "format_version is 'one'", id="version-is-a-word"),
        pytest.param(edited('"1.0"', '"01.0"'), "format_version is '01.0'", id="version-has-a-leading-zero"),
        pytest.param(edited('"1.0"', '"0.9"'), "format 0.9 is none this reconciler reads", id="version-too-old"),
        pytest.param(edited('"site"', '"place"'), "the state lacks site and has the unknown place", id="renamed-field"),
        pytest.param(edited('"serial": 7', '"serial": 7,"x":1'), "has the unknown x", id="unknown-field"),
        pytest.param(edited('"serial": 7', '"serial": -1'), "serial is -1", id="serial-negative"),
        pytest.param(edited('"serial": 7', '"serial": true'), "serial is True", id="serial-is-true"),
        pytest.param(edited('"serial": 7', '"serial": 7.0'), "serial is 7.0", id="serial-has-a-fraction"),
        pytest.param(edited('"serial": 7', '"serial": 1e999'), "", id="serial-is-infinite"),
        pytest.param(edited('"serial": 7', '"serial": NaN'), "not JSON", id="serial-is-nan"),
        pytest.param(edited('"serial": 7', '"serial": 99999999999999999999999'), "serial is", id="serial-too-large"),
        pytest.param(edited('"serial": 7', '"serial": 0'), "serial is 0", id="lineage-without-a-write"),
        pytest.param(edited('"0b6f', '"XX6f'), "lineage is 'XX6f", id="lineage-is-no-uuid"),
        pytest.param(edited('"0b6f3d8e-4c1a-4f5e-9a77-2f1c8d9e0a11"', "null"), "lineage is None", id="lineage-missing"),
        pytest.param(edited('"demo"', '""'), "site is ''", id="site-is-empty"),
        pytest.param(edited('"demo"', "5"), "site is 5", id="site-is-a-number"),
        pytest.param(edited('"1001"', '"0101"'), "'0101' is not an agent id", id="agent-with-a-leading-zero"),
        pytest.param(edited('"1001"', '"100"'), "100", id="agent-too-low"),
        pytest.param(edited('"1001"', '"1000000"'), "'1000000' is not", id="agent-too-high"),
        pytest.param(edited('"1001"', '"101\\n"'), "is not an agent id", id="agent-with-a-line-end"),
        pytest.param(edited('"1001"', '"\u0661\u0660\u0660\u0661"'), "is not an agent id", id="agent-in-other-digits"),
        pytest.param(edited('"1001"', '"1001-1003"'), "is a range", id="agent-is-a-range"),
        pytest.param(edited('"1001"', '"' + "9" * 5000 + '"'), "9…' is not an agent id", id="agent-is-endless"),
        pytest.param(edited('"session":"login-1"', '"session":7'), "agent 1001: session is a int", id="session-number"),
        pytest.param(edited('"total":25', '"total":61'), "agent 1001: total is 61", id="total-too-high"),
        pytest.param(edited('"total":25', '"total":25.0'), "agent 1001: total is 25.0", id="total-has-a-fraction"),
        pytest.param(edited('"total":25', '"total":true'), "agent 1001: total is True", id="total-is-true"),
        pytest.param(edited('"51":9', '"51":true'), "agent 1001: web_chat is True", id="channel-is-true"),
        pytest.param(edited('"51":4', '"51":61'), "agent 20001: web_chat is 61", id="channel-too-high"),
        pytest.param(edited('"51":9', '"54":9'), "agent 1001: '54' is not a media type", id="channel-unknown"),
        pytest.param(edited('{"51":4}', "{}"), "agent 20001: a concurrency needs", id="no-channel"),
        pytest.param(edited('{"51":4}', "[]"), "agent 20001: channels is [], not an object", id="channels-are-a-list"),
        pytest.param(edited('"callNums"', '"Callnums"'), "agent 1001: callnums_key is", id="key-spelling"),
        pytest.param(edited('"callNums"', "null"), "agent 1001: callnums_key is None", id="key-spelling-is-null"),
        pytest.param(edited('"protected":false', '"protected":0'), "agent 1001: protected is 0", id="protected-is-0"),
        pytest.param(edited('"in_doubt"', '"unsure"'), "agent 20001: status is not", id="status-unknown"),
        pytest.param(edited('"in_doubt"', "[]"), "agent 20001: status is not", id="status-is-a-list"),
        pytest.param(
            edited('"in_doubt"', '"acknowledged"'), "agent 20001: acknowledged_at is None", id="never-acknowledged"
        ),
        pytest.param(edited("-31T08", "-32T08"), "agent 1001: acknowledged_at is '2026-01-32", id="no-such-day"),
        pytest.param(edited("01-31T08", "02-30T08"), "agent 1001: acknowledged_at is '2026-02-30", id="no-such-date"),
        pytest.param(edited("08:00:00Z", "08:00:00"), "agent 1001: acknowledged_at is", id="time-without-zone"),
        pytest.param(edited('"team":"east",', ""), "agent 1001: lacks team", id="field-missing"),
        pytest.param(edited('"team":"east"', '"guid":"x","team":"east"'), "has the unknown guid", id="field-unknown"),
        pytest.param(edited('"team":"east"', '"team":["east"]'), "agent 1001: team is a list", id="team-is-a-list"),
        pytest.param(edited('"team":"east"', '"team":"e\\ud800"'), "not JSON", id="half-a-surrogate-pair"),
    ],
)
def test_what_is_not_exactly_a_state_is_refused(data: bytes, words: str) -> None:
    assert words in str(refusal(data))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        pytest.param('"20001"', '"1001"', "1001", id="agent"),
        pytest.param('"total":25', '"total":25,"total":25', "total", id="field"),
        pytest.param('"52":6', '"52":6,"51":9', "51", id="channel"),
        pytest.param('"serial": 7', '"serial": 6,"serial" : 7', "serial", id="top-level-with-space"),
        pytest.param('"total":25', '"total":25,"tot\\u0061l":25', "total", id="escaped"),
        pytest.param('"agents": {', '"agents": 5,"agents": {', "agents", id="over-another-type"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_by_name(old: str, new: str, key: str) -> None:
    assert str(refusal(edited(old, new))) == f"the key {key!r} is there more than once in one object"


def test_among_very_many_keys_the_last_being_there_twice_is_found_without_comparing_all_with_all() -> None:
    many = encode(state(dict.fromkeys(range(100_001, 120_001), record())))
    line = next(line for line in many.splitlines() if b'"120000"' in line)
    assert "the key '120000' is there" in str(refusal(many.replace(line, line + b",\n" + line)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            '"team":"east"', '"team":{},"team":"east"'.replace("{}", "[" * 1000 + "]" * 1000), id="behind-a-duplicate"
        ),
        pytest.param('{"51":4}', '{"51":' + '{"51":' * 1000 + "1" + "}" * 1001, id="in-channels"),
    ],
)
def test_nesting_is_refused_however_deep(old: str, new: str) -> None:
    assert str(refusal(edited(old, new)))


@pytest.mark.parametrize("version", ["1.1", "2.0", "10.3"])
def test_a_newer_format_is_told_apart_before_anything_else_is_looked_at(version: str) -> None:
    error = refusal(json.dumps({"format_version": version, "agents": "elsewhere"}).encode())
    assert str(error) == f"format {version} was written by a newer reconciler; this one reads up to 1.0"
    assert "upgrade" in error.hint


def test_the_state_of_another_site_is_refused_by_name() -> None:
    error = refusal(DOCUMENT, site="prod")
    assert str(error) == "this is the state of site 'demo', and 'prod' is wanted"
    assert "the section state of its site.yaml" in error.hint


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda s: s.with_agents({AgentId(1001): record(at="yesterday")}), id="time"),
        pytest.param(lambda s: s.with_agents({AgentId(1001): record(at=None)}), id="acknowledged-never"),
        pytest.param(lambda s: replace(s, pending={AgentId(1001): pending(since="yesterday")}), id="waiting-since"),
        pytest.param(lambda s: replace(s, pending={AgentId(1001): pending(attempts=0)}), id="never-deferred"),
        pytest.param(lambda s: replace(s, lineage="mine"), id="lineage"),
        pytest.param(lambda s: replace(s, serial=0), id="serial"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(spoil: Callable[[State], State]) -> None:
    with pytest.raises(ValueError, match="is"):
        encode(spoil(state({1001: record(at=NOW)})))
