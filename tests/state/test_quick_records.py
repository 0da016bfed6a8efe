"""The quick way to a state's records and the plain one are of one mind about every document."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from state.records import WEB_CHAT_4, record, state, states

from reconciler.errors import StateError
from reconciler.model.state import State
from reconciler.state import decode, encode
from reconciler.state.document import codec
from reconciler.state.document.quick_records import cut_records
from reconciler.state.document.upgrade import STATE_FORMATS

PIECES = [
    b"", b" ", b"\n", b",", b'"', b"\\", b"{", b"}", b":", b"0", b"60", b"1e1", b"true", b"null", b"\x00", b"\xff",
    b"\xc3\xa9", b"\xe2\x80\xa8", b"callNums", b'"session":null', b'"total":25', b'"1001": ', b"in_doubt", b"1.1",
    b"2026-02-30T00:00:00Z", b"\n  },\n", b'"team":"x","team":"y"',
]  # fmt: skip


def plainly(data: bytes, site: str) -> State | str:
    """Return what the plain way alone makes of it."""
    try:
        state = codec._read_plainly(data, STATE_FORMATS)
    except ValueError as error:
        return str(error)
    return state if state.site == site else "another site"


def quickly(data: bytes, site: str) -> State | str:
    try:
        return decode(data, site=site)
    except StateError as error:
        return "another site" if str(error).startswith("this is the state of site") else str(error)


@settings(max_examples=150, deadline=None)
@given(states())
def test_what_encode_writes_is_read_quickly(state: State) -> None:
    data = encode(state)
    cut = cut_records(data)
    texts = [text for record in state.agents.values() for text in (record.team, record.session) if text]
    odd = any(char in '"\\' or not char.isprintable() for text in texts for char in text)
    odd |= any(record.session == "" or (record.team or "").startswith(":") for record in state.agents.values())
    if state.agents and not odd:
        assert cut is not None
        assert state.agents == cut.records
    assert state == decode(data, site=state.site)


@settings(max_examples=400, deadline=None)
@given(states(), st.data())
def test_of_a_damaged_document_both_ways_say_the_same(state: State, data: st.DataObject) -> None:
    document = encode(state)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(document)))
        end = min(len(document), start + data.draw(st.sampled_from([0, 1, 2, 9, 60])))
        document = document[:start] + data.draw(st.sampled_from(PIECES)) + document[end:]
    assert plainly(document, state.site) == quickly(document, state.site)


@settings(max_examples=150, deadline=None)
@given(states(), st.integers(1, 400), st.data())
def test_however_many_lines_are_looked_at_together_the_same_is_read(
    state: State, chunk: int, data: st.DataObject
) -> None:
    document = encode(state)
    at = data.draw(st.integers(0, len(document)))
    for each in (document, document[:at] + data.draw(st.sampled_from(PIECES)) + document[at:]):
        assert cut_records(each) == cut_records(each, chunk=chunk)


def test_records_that_hold_equal_things_hold_the_same_thing_read_either_way() -> None:
    data = encode(state({1001: record(session="login-1"), 1002: record(WEB_CHAT_4), 1003: record(session="login-2")}))
    for way in (data, data.replace(b"{", b"{ ")):
        one, other, third = (each.holding for each in decode(way, site="demo").agents.values())
        assert one is third is not other


@pytest.mark.parametrize("between", [b"", b" ", b"\n", b","], ids=["nothing", "space", "line", "comma"])
def test_a_document_with_no_line_of_a_record_is_read_as_by_the_plain_way(between: bytes) -> None:
    tail = b'"format_version": "1.0",\n  "lineage": null,\n  "serial": 0,\n  "site": "demo"\n}\n'
    document = b'{\n  "agents": {\n' + between + b"\n  },\n  " + tail
    assert plainly(document, "demo") == quickly(document, "demo")


def test_an_empty_line_behind_a_comma_too_many_is_refused_wherever_a_piece_of_the_document_ends() -> None:
    document = encode(state({agent: record() for agent in (1001, 1002, 1003)}))
    damaged = document.replace(b"}\n  },\n", b"},\n\n  },\n")
    assert isinstance(plainly(damaged, "demo"), str)
    assert not any(cut_records(damaged, chunk=chunk) for chunk in range(1, 901))


@settings(max_examples=100, deadline=None)
@given(states(), st.data())
def test_lines_that_change_places_or_come_twice_are_read_alike(state: State, data: st.DataObject) -> None:
    lines = encode(state).split(b"\n")
    one, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]
    twice = b"\n".join([*lines[:one], lines[one], *lines[one:]])
    for document in (b"\n".join(lines), twice):
        assert plainly(document, state.site) == quickly(document, state.site)


@pytest.mark.parametrize("agent", [b"100", b"1000000", b"0101", b"-101", b"1001 ", b"\xd9\xa1\xd9\xa0\xd9\xa1"])
def test_an_agent_that_is_none_is_refused_as_by_the_plain_way(agent: bytes) -> None:
    record = (
        b'"acknowledged_at":"2026-01-31T09:30:00Z","callnums_key":"callNums","channels":{"51":1},"protected":false,'
        b'"session":null,"status":"acknowledged","team":null,"total":1'
    )
    head, tail = b'{\n  "agents": {\n    "', b'"lineage": null,\n  "serial": 0,\n  "site": "demo"\n}\n'
    document = head + agent + b'": {' + record + b'}\n  },\n  "format_version": "1.0",\n  ' + tail
    assert plainly(document, "demo") == quickly(document, "demo")
    assert isinstance(quickly(document, "demo"), str)
