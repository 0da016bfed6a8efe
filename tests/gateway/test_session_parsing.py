from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from gateway.examples import COOKIE, MARKER, UNHURRIED, words_of
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.errors import ExitCode, SessionSourceError
from reconciler.gateway.sessions.parsing import Sessions, parse_array, parse_csv, parse_lines
from reconciler.model.agent import AgentId
from reconciler.model.session import Session

ORIGIN = "session file s.json"
FULL = {"agentId": "1001", "guid": MARKER, "cookies": {"JSESSIONID": COOKIE}, "session": "login-1700000000"}
EXPECTED = Session(agent=AgentId(1001), guid=MARKER, cookies={"JSESSIONID": COOKIE}, key="login-1700000000")

Parse = Callable[..., Sessions]


def array(*entries: Any) -> bytes:
    return json.dumps(entries).encode()


def refusal(raw: bytes, parse: Parse = parse_array) -> SessionSourceError:
    with pytest.raises(SessionSourceError) as caught:
        parse(raw, origin=ORIGIN)
    assert caught.value.exit_code is ExitCode.SESSION_SOURCE_FAILED
    assert str(caught.value).startswith(ORIGIN)
    assert str(caught.value).isprintable()
    return caught.value


def full_csv(cookies: str, header: str = "agentId,guid,cookies,session") -> bytes:
    return f"{header}\r\n1001,{MARKER},{cookies},login-1700000000\r\n".encode()


@pytest.mark.parametrize(
    ("parse", "raw"),
    [
        pytest.param(parse_array, array(FULL), id="array"),
        pytest.param(parse_array, b"\xef\xbb\xbf" + array(FULL), id="byte-order-mark"),
        pytest.param(parse_array, array({**FULL, "agentId": 1001}), id="agent-as-a-number"),
        pytest.param(parse_lines, b"\n" + json.dumps(FULL).encode() + b"\r\n\n", id="lines"),
        pytest.param(parse_csv, full_csv(f'"{{""JSESSIONID"": ""{COOKIE}""}}"'), id="csv-with-json-cookies"),
        pytest.param(parse_csv, full_csv(f"JSESSIONID={COOKIE};"), id="csv-with-plain-cookies"),
        pytest.param(parse_csv, b"\xef\xbb\xbf\n" + full_csv(f"JSESSIONID={COOKIE}"), id="csv-of-a-spreadsheet"),
        pytest.param(
            parse_csv,
            f"session,cookies,guid,agentId\nlogin-1700000000,JSESSIONID={COOKIE},{MARKER},1001".encode(),
            id="csv-in-another-order",
        ),
    ],
)
def test_a_session_reads_the_same_from_every_form(parse: Parse, raw: bytes) -> None:
    assert {AgentId(1001): EXPECTED} == parse(raw, origin=ORIGIN)


@pytest.mark.parametrize(
    ("parse", "raw"),
    [
        pytest.param(parse_array, array({"agentId": "1001", "guid": "g"}), id="absent"),
        pytest.param(parse_array, array({"agentId": "1001", "guid": "g", "cookies": None, "session": None}), id="null"),
        pytest.param(parse_csv, b"agentId,guid\n1001,g\n", id="no-columns"),
        pytest.param(parse_csv, b"agentId,guid,cookies,session\n1001,g,,\n", id="empty-cells"),
    ],
)
def test_cookies_and_session_key_are_optional(parse: Parse, raw: bytes) -> None:
    assert {AgentId(1001): Session(agent=AgentId(1001), guid="g")} == parse(raw, origin=ORIGIN)


def test_two_cookies_of_a_cell_are_told_apart() -> None:
    sessions = parse_csv(b"agentId,guid,cookies\n1001,g,k=v=w; k2=v2\n", origin=ORIGIN)

    assert sessions[AgentId(1001)].cookies == {"k": "v=w", "k2": "v2"}


@pytest.mark.parametrize("parse", [parse_array, parse_lines, parse_csv])
def test_nobody_signed_in_is_no_error(parse: Parse) -> None:
    raw = {parse_array: b" [] ", parse_lines: b" \n\n", parse_csv: b"agentId,guid\n\n"}[parse]

    assert parse(raw, origin=ORIGIN) == {}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(b"", "is not JSON (line 1, column 1)", id="empty"),
        pytest.param(b'[{"guid": "' + MARKER.encode(), "is not JSON (line 1, column 11)", id="cut-short"),
        pytest.param(array(FULL) + b"\n]", "is not JSON (line 2, column 1)", id="more-than-one"),
        pytest.param(b'[\n"' + MARKER.encode() + b'",\n\xff]', "line 3: is not UTF-8", id="not-utf-8"),
        pytest.param(json.dumps([FULL]).encode("utf-16"), "line 1: is not UTF-8", id="utf-16"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="deep-arrays"),
        pytest.param(b'[{"cookies":' * 100_000, "nested too deeply", id="deep-objects"),
        pytest.param(b"[" + b"9" * 5000 + b"]", "a number that is too long", id="huge-number"),
        pytest.param(json.dumps(FULL).encode(), "not an array of sessions", id="bare-object"),
        pytest.param(json.dumps({"1001": MARKER}).encode(), "not an array of sessions", id="mapping"),
        pytest.param(b"null", "not an array of sessions", id="null"),
    ],
)
def test_a_text_that_is_no_array_is_refused_with_its_place(raw: bytes, words: str) -> None:
    exc = refusal(raw)

    assert words in str(exc)
    assert exc.hint


LONG = "x" * 600


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(MARKER, "is not an object", id="text"),
        pytest.param([FULL], "is not an object", id="array"),
        pytest.param(None, "is not an object", id="null"),
        pytest.param({MARKER: 1}, "none of agentId, guid, cookies, session", id="unknown-key"),
        pytest.param({"cookie": {}}, "(did you mean cookies?)", id="misspelt-cookies"),
        pytest.param({"agentID": 1}, "(did you mean agentId?)", id="misspelt-agent"),
        pytest.param({"Guid": MARKER}, "(did you mean guid?)", id="misspelt-guid"),
        pytest.param({"agentId": None}, "agentId is not a whole number from 101 to 999999", id="agent-null"),
        pytest.param({"agentId": 100}, "agentId is not", id="agent-too-small"),
        pytest.param({"agentId": "100"}, "agentId is not", id="agent-too-small-as-text"),
        pytest.param({"agentId": 1_000_000}, "agentId is not", id="agent-too-large"),
        pytest.param({"agentId": "1000000"}, "agentId is not", id="agent-too-large-as-text"),
        pytest.param({"agentId": 1001.0}, "agentId is not", id="agent-as-a-fraction"),
        pytest.param({"agentId": True}, "agentId is not", id="agent-true"),
        pytest.param({"agentId": "01001"}, "agentId is not", id="agent-with-a-zero-before"),
        pytest.param({"agentId": "1001\n"}, "agentId is not", id="agent-with-a-line-break"),
        pytest.param({"agentId": "1001-1002"}, "agentId is not", id="agent-range"),
        pytest.param({"agentId": "\u0661\u0660\u0660\u0661"}, "agentId is not", id="agent-in-arabic-digits"),
        pytest.param({"agentId": MARKER}, "agentId is not", id="guid-in-the-place-of-the-agent"),
        pytest.param({"guid": ""}, "guid is not text of 1 to 512", id="guid-empty"),
        pytest.param({"guid": LONG}, "guid is not", id="guid-too-long"),
        pytest.param({"guid": 7}, "guid is not", id="guid-number"),
        pytest.param({"guid": None}, "guid is not", id="guid-null"),
        pytest.param({"guid": f"{MARKER} x"}, "guid is not", id="guid-with-a-space"),
        pytest.param({"guid": f"{MARKER}\r\nX-Evil: 1"}, "guid is not", id="guid-with-a-header"),
        pytest.param({"guid": f"{MARKER}\n"}, "guid is not", id="guid-with-a-line-break"),
        pytest.param({"guid": f"{MARKER}ü"}, "guid is not", id="guid-not-ascii"),
        pytest.param({"guid": f"{MARKER}\x7f"}, "guid is not", id="guid-with-delete"),
        pytest.param({"cookies": "a=b"}, "cookies are not an object", id="cookies-text"),
        pytest.param({"cookies": []}, "cookies are not an object", id="cookies-array"),
        pytest.param({"cookies": {"": "x"}}, "cookie's name", id="cookie-without-a-name"),
        pytest.param({"cookies": {f"{COOKIE} x": "x"}}, "cookie's name", id="cookie-name-with-a-space"),
        pytest.param({"cookies": {"a=b": "x"}}, "cookie's name", id="cookie-name-with-an-equals-sign"),
        pytest.param({"cookies": {"a\n": "x"}}, "cookie's name", id="cookie-name-with-a-line-break"),
        pytest.param({"cookies": {"a": 1}}, "cookie's value", id="cookie-number"),
        pytest.param({"cookies": {"a": None}}, "cookie's value", id="cookie-null"),
        pytest.param({"cookies": {"a": f"{COOKIE}; b=c"}}, "cookie's value", id="cookie-with-a-second"),
        pytest.param({"cookies": {"a": f"{COOKIE}\r\nX: 1"}}, "cookie's value", id="cookie-with-a-header"),
        pytest.param({"cookies": {"a": '"x'}}, "cookie's value", id="cookie-with-half-quotes"),
        pytest.param({"cookies": {"a": "x\\y"}}, "cookie's value", id="cookie-with-a-backslash"),
        pytest.param({"cookies": {f"c{n}": "" for n in range(51)}}, "more than 50", id="too-many-cookies"),
        pytest.param({"cookies": {"a": "x" * 8192}}, "more than 8192 bytes", id="cookies-too-long"),
        pytest.param({"session": ""}, "session is not text of 1 to 128", id="key-empty"),
        pytest.param({"session": "x" * 129}, "session is not", id="key-too-long"),
        pytest.param({"session": 1700000000}, "session is not", id="key-number"),
        pytest.param({"session": "a\nb"}, "session is not", id="key-with-a-line-break"),
        pytest.param({"session": "\u202ex"}, "session is not", id="key-with-a-bidirectional-mark"),
        pytest.param({"session": f"login-{MARKER}"}, "repeats the guid or a cookie", id="key-with-the-guid"),
        pytest.param({"session": f"login-{COOKIE}"}, "repeats the guid or a cookie", id="key-with-a-cookie"),
        pytest.param({"session": MARKER.partition(".")[0]}, "repeats the guid or a cookie", id="most-of-the-guid"),
        pytest.param({"session": COOKIE[:8]}, "repeats the guid or a cookie", id="most-of-a-cookie"),
    ],
)
def test_a_bad_session_is_refused_with_its_entry_and_without_its_value(change: Any, words: str) -> None:
    entry = {**FULL, **change} if isinstance(change, dict) else change
    exc = refusal(array({"agentId": "2002", "guid": "g"}, entry))

    assert f"{ORIGIN}, entry 2: " in str(exc)
    assert words in str(exc)
    assert "agentId" in exc.hint
    for secret in (MARKER, COOKIE, LONG, "X-Evil"):
        assert secret not in words_of(exc) + exc.hint


def test_a_key_may_be_a_small_part_of_a_guid() -> None:
    login_time = MARKER[4:14]

    assert parse_array(array({**FULL, "session": login_time}), origin=ORIGIN)[AgentId(1001)].key == login_time


@pytest.mark.parametrize("name", ["agentId", "guid"])
def test_a_session_without_agent_or_guid_is_refused(name: str) -> None:
    entry = {key: value for key, value in FULL.items() if key != name}

    assert f"entry 1: has no {name}" in str(refusal(array(entry)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(f'[{{"agentId": "1001", "guid": "{MARKER}", "guid": "g"}}]', "has a key twice", id="key"),
        pytest.param(
            f'[{{"agentId": "1001", "guid": "g", "cookies": {{"a": "{COOKIE}", "a": "b"}}}}]',
            "cookies have a name twice",
            id="cookie",
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused(text: str, words: str) -> None:
    exc = refusal(text.encode())

    assert f"entry 1: {words}" in str(exc)
    assert MARKER not in words_of(exc)
    assert COOKIE not in words_of(exc)


@pytest.mark.parametrize(
    ("value", "cookies"),
    [
        pytest.param('"quoted"', {}, id="value-in-quotes"),
        pytest.param("", {}, id="empty-value"),
        pytest.param("a=b==", {}, id="equals-signs"),
        pytest.param("x" * 8000, {}, id="long-value"),
    ],
)
def test_a_valid_cookie_is_taken(value: str, cookies: dict[str, str]) -> None:
    sessions = parse_array(array({**FULL, "cookies": {**cookies, "a": value}}), origin=ORIGIN)

    assert sessions[AgentId(1001)].cookies == {"a": value}


@pytest.mark.parametrize("guid", ["g", "~" * 512, "!#$%,;=\"'<>{}"], ids=["one", "longest", "signs"])
def test_a_guid_is_any_printable_token(guid: str) -> None:
    sessions = parse_array(array({"agentId": 999_999, "guid": guid}), origin=ORIGIN)

    assert sessions[AgentId(999_999)].guid == guid


@pytest.mark.parametrize(
    ("parse", "raw", "places"),
    [
        pytest.param(
            parse_array,
            array(FULL, {"agentId": 1002, "guid": "g"}, {"agentId": 1001, "guid": "h"}),
            "entry 1 and entry 3",
            id="array",
        ),
        pytest.param(
            parse_lines,
            b'{"agentId": "1001", "guid": "g"}\n\n{"agentId": 1001, "guid": "g"}',
            "line 1 and line 3",
            id="lines",
        ),
        pytest.param(parse_csv, b"agentId,guid\n1001,g\n1002,g\n1001,h\n", "line 2 and line 4", id="csv"),
    ],
)
def test_an_agent_that_stands_twice_is_refused_with_both_places(parse: Parse, raw: bytes, places: str) -> None:
    assert f"has agent 1001 twice, in {places}" in str(refusal(raw, parse))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(f'{{"agentId": "1001", "guid": "{MARKER}'.encode(), "line 1: is not JSON", id="cut-short"),
        pytest.param(b"\n" + array(FULL), "line 2: is not an object", id="array-on-a-line"),
        pytest.param(json.dumps(FULL, indent=1).encode(), "line 1: is not JSON", id="pretty"),
        pytest.param(b"signing in...\n", "line 1: is not JSON", id="chatter"),
        pytest.param(b'{"a":' * 100_000, "line 1: is nested too deeply", id="deep"),
        pytest.param(b"\xff", "line 1: is not UTF-8", id="not-utf-8"),
    ],
)
def test_a_line_that_is_no_session_is_refused_with_its_number(raw: bytes, words: str) -> None:
    exc = refusal(raw, parse_lines)

    assert words in str(exc)
    assert MARKER not in words_of(exc)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\n\r\n", "is empty", id="blank"),
        pytest.param(f"1001,{MARKER}\n".encode(), "first line names a column that is none of", id="no-header"),
        pytest.param(b"agentId,guid,cookie\n", "(did you mean cookies?)", id="misspelt"),
        pytest.param(b"agentId,guid,guid\n", "first line names a column twice", id="column-twice"),
        pytest.param(b"agentId,session\n", "does not name the columns agentId and guid", id="no-guid-column"),
        pytest.param(b"agentId;guid\n1001;g\n", "none of", id="semicolons"),
        pytest.param(f"agentId,guid\n1001,{MARKER},x\n".encode(), "line 2: has 3 cells under 2 columns", id="too-many"),
        pytest.param(b"agentId,guid\n1001\n", "line 2: has 1 cells under 2 columns", id="too-few"),
        pytest.param(f'agentId,guid\n1001,"{MARKER}'.encode(), "line 2: is not well-formed CSV", id="open-quote"),
        pytest.param(f'agentId,guid\n1001,"{MARKER}"x\n'.encode(), "line 2: is not well-formed", id="text-after-quote"),
        pytest.param(b"agentId,guid\n1001," + b"x" * 200_000, "line 2: is not well-formed CSV", id="endless-cell"),
        pytest.param(f"agentId,guid\n1001,\n1002,{MARKER}".encode(), "line 2: guid is not", id="empty-guid"),
        pytest.param(f'agentId,guid\n1001,"{MARKER}\n"\n'.encode(), "line 2: guid is not", id="guid-over-two-lines"),
        pytest.param(f"agentId,guid\n1001, {MARKER}\n".encode(), "line 2: guid is not", id="space-after-comma"),
        pytest.param(f"agentId,guid\n{MARKER},1001\n".encode(), "line 2: agentId is not", id="swapped"),
        pytest.param(f"agentId,guid,cookies\n1001,g,{COOKIE}\n".encode(), "not an object", id="cookie-no-name"),
        pytest.param(f"agentId,guid,cookies\n1001,g,a={COOKIE};a=b\n".encode(), "name twice", id="cookie-twice"),
        pytest.param(f'agentId,guid,cookies\n1001,g,"{{{COOKIE}"\n'.encode(), "not an object", id="cookie-json-bad"),
        pytest.param(b"agentId,guid\n1001,\xff\n", "line 2: is not UTF-8", id="not-utf-8"),
        pytest.param(b"agentId,guid\n1001,a\x00b\n", "line 2: ", id="nul"),
    ],
)
def test_a_bad_csv_is_refused_with_its_line(raw: bytes, words: str) -> None:
    exc = refusal(raw, parse_csv)

    assert words in str(exc)
    for secret in (MARKER, COOKIE):
        assert secret not in words_of(exc) + exc.hint


@UNHURRIED
@given(raw=st.binary(max_size=300))
@example(raw=b"\xef\xbb\xbf")
@example(raw=b'agentId,guid\n1001,"')
@example(raw=b"[1e999]")
@pytest.mark.parametrize("parse", [parse_array, parse_lines, parse_csv])
def test_bytes_are_sessions_or_a_session_source_error_and_nothing_else(parse: Parse, raw: bytes) -> None:
    try:
        sessions = parse(raw, origin=ORIGIN)
    except SessionSourceError:
        return
    assert all(101 <= agent <= 999_999 for agent in sessions)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(MARKER)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=4)
KEYS = st.sampled_from(["agentId", "guid", "cookies", "session"]) | st.text(max_size=8)


@UNHURRIED
@given(entries=st.lists(st.dictionaries(KEYS, VALUES, max_size=5) | VALUES, max_size=3))
def test_no_document_raises_anything_else_or_is_quoted(entries: list[Any]) -> None:
    said = ""
    try:
        parse_array(array(*entries), origin=ORIGIN)
    except SessionSourceError as exc:
        said = words_of(exc)
    assert MARKER not in said


TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)


@UNHURRIED
@given(agents=st.lists(st.integers(101, 999_999), unique=True, max_size=5), guid=TOKENS)
def test_what_is_written_is_read(agents: list[int], guid: str) -> None:
    entries = [{"agentId": str(agent), "guid": guid} for agent in agents]
    expected = {AgentId(agent): Session(agent=AgentId(agent), guid=guid) for agent in agents}

    assert expected == parse_array(array(*entries), origin=ORIGIN)
    assert expected == parse_lines("\n".join(map(json.dumps, entries)).encode(), origin=ORIGIN)
