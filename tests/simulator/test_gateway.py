from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.calls import (
    CONTENT_TYPE,
    REFERENCE_REQUEST,
    SUCCESS,
    Clock,
    answer,
    body_of,
    call_of,
    guid_of,
    make_gateway,
    path_of,
    retcode,
)

import reconciler.simulator
from reconciler.errors import InputError
from reconciler.model.channel import Channel
from reconciler.simulator import ChannelMode, Rules, SimulatedSession, Spelling
from reconciler.simulator.exchange import Call, RefusedError
from reconciler.simulator.reference import MEDIA_TYPES


def test_the_references_request_gets_the_references_response() -> None:
    gateway = make_gateway(callnums_key="callnums")

    reply = answer(gateway, call_of(gateway, body=REFERENCE_REQUEST))

    assert (reply.status, reply.content_type) == (200, "application/json; charset=UTF-8")
    assert json.loads(reply.body) == SUCCESS
    assert gateway.agents_document() == {"1001": {"total": 25, "channels": {"51": 9, "52": 6}}}


def test_its_own_table_of_media_types_agrees_with_the_models() -> None:
    assert set(MEDIA_TYPES) == {int(channel) for channel in Channel}


def test_the_room_imports_no_other_room() -> None:
    room = Path(reconciler.simulator.__file__).parent
    allowed = ("reconciler.errors", "reconciler.values", "reconciler.model.channel", "reconciler.simulator")
    for file in room.glob("*.py"):
        imported = {
            node.module
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("reconciler")
        }
        assert all(name.startswith(allowed) for name in imported), file.name


@given(
    total=st.integers(1, 60),
    channels=st.dictionaries(st.sampled_from(sorted(MEDIA_TYPES)), st.integers(0, 60)),
    agent=st.integers(101, 999_999),
    key=st.sampled_from(["callNums", "callnums"]),
    mode=st.sampled_from(ChannelMode),
    spelling=st.sampled_from(Spelling),
)
def test_a_valid_message_is_always_accepted_and_read_back_exactly(
    *, total: int, channels: dict[int, object], agent: int, key: str, mode: ChannelMode, spelling: Spelling
) -> None:
    gateway = make_gateway(agents=[agent], callnums_key=key, channel_mode=mode, spelling=spelling)

    assert retcode(gateway, call_of(gateway, agent, body=body_of(total, channels, key=key))) == "0"

    expected = {str(code): channels[code] for code in sorted(channels)}
    assert gateway.agents_document() == {str(agent): {"total": total, "channels": expected}}
    live = gateway.live(agent)
    assert live is not None
    assert dict(live.channels) == channels


@given(
    st.binary(max_size=200) | st.recursive(st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_a_body_that_is_no_message_is_refused_and_changes_nothing(body: bytes) -> None:
    gateway = make_gateway()

    assert retcode(gateway, call_of(gateway, body=body)) == "000-006"
    assert gateway.agents_document() == {}


@pytest.mark.parametrize("agent", [101, 59_999, 60_000, 999_999])
def test_agent_ids_of_table_1_are_accepted(agent: int) -> None:
    gateway = make_gateway(agents=[agent])

    assert retcode(gateway, call_of(gateway, agent)) == "0"


@pytest.mark.parametrize("text", ["100", "0", "1000000", "0101", "-101", "abc", "1001.0", "%31001", "१०१", "1001 "])
def test_agent_ids_outside_table_1_are_a_bad_url_parameter(text: str) -> None:
    gateway = make_gateway()

    assert retcode(gateway, call_of(gateway, path=path_of(text))) == "000-002"
    assert gateway.requests_document()["agents"] == {}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/agentgateway/resource/mediacall/1001/setcallnums",
        "/agentgateway/resource/mediacall//setcallnumsbymediatype",
        "/agentgateway/resource/mediacall/1/1001/setcallnumsbymediatype",
        path_of(1001) + "/",
        path_of(1001).upper(),
        "/rehearsal/agents",
    ],
)
def test_any_other_path_does_not_exist_and_is_not_counted(path: str) -> None:
    gateway = make_gateway()

    reply = answer(gateway, call_of(gateway, path=path))

    assert reply.status == 404
    assert json.loads(reply.body)["retcode"] == "000-002"
    assert gateway.requests_document()["total"] == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post"])
def test_only_post_is_supported(method: str) -> None:
    gateway = make_gateway()

    reply = answer(gateway, call_of(gateway, method=method))

    assert (reply.status, dict(reply.headers)) == (405, {"Allow": "POST"})
    assert json.loads(reply.body).keys() == {"message", "retcode"}
    assert gateway.live(1001) is None


@pytest.mark.parametrize(
    "content_type",
    [
        CONTENT_TYPE,
        "application/json",
        "application/json;charset=UTF-8",
        "Application/JSON; Charset=utf-8",
        'application/json; charset="utf-8"',
        "application/json ; charset=utf8",
    ],
)
def test_spellings_of_the_content_type_are_accepted(content_type: str) -> None:
    gateway = make_gateway()

    assert retcode(gateway, call_of(gateway, content_type=content_type)) == "0"


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/json; charset=GBK", "application/jsonx", "application/x-www-form-urlencoded"],
)
def test_other_content_types_are_a_bad_message_parameter(content_type: str | None) -> None:
    gateway = make_gateway()

    assert retcode(gateway, call_of(gateway, content_type=content_type)) == "000-006"


def _replaced(**keys: Any) -> bytes:
    return json.dumps({"totalCallNum": 25, "agentMediaCallNums": [], **keys}).encode()


def _row(**keys: Any) -> bytes:
    return _replaced(agentMediaCallNums=[{"mediaType": 51, "callNums": 9, **keys}])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(body_of(total=1), id="total-1"),
        pytest.param(body_of(total=60), id="total-60"),
        pytest.param(body_of(channels={51: 0}), id="number-0"),
        pytest.param(body_of(channels={51: 60}), id="number-60"),
        pytest.param(body_of(total=1, channels={51: 60, 52: 60}), id="sum-and-channel-above-total"),
        pytest.param(body_of(channels=dict.fromkeys(MEDIA_TYPES, 5)), id="all-twelve"),
        pytest.param(_replaced(), id="empty-array"),
        pytest.param(b" \r\n" + body_of() + b"\n", id="white-space-around"),
    ],
)
def test_bounds_of_tables_3_and_4_are_accepted(body: bytes) -> None:
    gateway = make_gateway()

    assert retcode(gateway, call_of(gateway, body=body)) == "0"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"{", id="cut-off"),
        pytest.param(b"\xef\xbb\xbf" + body_of(), id="byte-order-mark"),
        pytest.param(b'{"totalCallNum": 25, "agentMediaCallNums": [], "x": "\xff"}', id="not-utf-8"),
        pytest.param(b"[" * 100_000, id="too-deep"),
        pytest.param(b'{"totalCallNum": ' + b"9" * 5_000 + b', "agentMediaCallNums": []}', id="huge-number"),
        pytest.param(b'{"totalCallNum": 1, "totalCallNum": 2, "agentMediaCallNums": []}', id="key-twice"),
        pytest.param(b'{"agentMediaCallNums": []}', id="total-missing"),
        pytest.param(b'{"totalCallNum": 25}', id="array-missing"),
        pytest.param(_replaced(totalCallNum=0), id="total-0"),
        pytest.param(_replaced(totalCallNum=61), id="total-61"),
        pytest.param(_replaced(totalCallNum=-1), id="total-negative"),
        pytest.param(_replaced(totalCallNum=True), id="total-boolean"),
        pytest.param(_replaced(totalCallNum="25"), id="total-text"),
        pytest.param(_replaced(totalCallNum=25.0), id="total-float"),
        pytest.param(_replaced(totalCallNum=None), id="total-null"),
        pytest.param(_replaced(totalCallNum=float("nan")), id="total-nan"),
        pytest.param(_replaced(agentMediaCallNums=None), id="array-null"),
        pytest.param(_replaced(agentMediaCallNums={}), id="array-is-object"),
        pytest.param(_replaced(agentMediaCallNums=[51]), id="row-is-number"),
        pytest.param(_replaced(agentMediaCallNums=[{"callNums": 9}]), id="media-type-missing"),
        pytest.param(_replaced(agentMediaCallNums=[{"mediaType": 51}]), id="number-missing"),
        pytest.param(_row(mediaType=49), id="media-type-49"),
        pytest.param(_row(mediaType=54), id="media-type-54"),
        pytest.param(_row(mediaType=55), id="media-type-55"),
        pytest.param(_row(mediaType=64), id="media-type-64"),
        pytest.param(_row(mediaType="51"), id="media-type-text"),
        pytest.param(_row(mediaType=51.0), id="media-type-float"),
        pytest.param(_row(callNums=-1), id="number-negative"),
        pytest.param(_row(callNums=61), id="number-61"),
        pytest.param(_row(callNums=True), id="number-boolean"),
        pytest.param(_row(callNums="9"), id="number-text"),
        pytest.param(_row(callNums=9.0), id="number-float"),
        pytest.param(_row(callNums=None), id="number-null"),
        pytest.param(
            _replaced(agentMediaCallNums=[{"mediaType": 51, "callNums": 9}, {"mediaType": 51, "callNums": 9}]),
            id="media-type-twice",
        ),
        pytest.param(_replaced(more=1), id="unknown-key"),
        pytest.param(_row(callnums=9), id="both-spellings"),
    ],
)
def test_a_message_outside_tables_3_and_4_is_a_bad_message_parameter(body: bytes) -> None:
    gateway = make_gateway()

    assert retcode(gateway, call_of(gateway, body=body)) == "000-006"
    assert gateway.agents_document() == {}


@pytest.mark.parametrize("key", ["callNums", "callnums"])
@pytest.mark.parametrize("sent", ["callNums", "callnums", "CallNums"])
@pytest.mark.parametrize(
    ("spelling", "wrong_key"),
    [(Spelling.STRICT, ("000-006", None)), (Spelling.LENIENT_ZERO, ("0", {51: 0, 52: 0}))],
    ids=["strict", "lenient-zero"],
)
def test_the_wrong_spelling_is_refused_or_read_as_zero(
    key: str, sent: str, spelling: Spelling, wrong_key: tuple[str, dict[int, int] | None]
) -> None:
    gateway = make_gateway(callnums_key=key, spelling=spelling)

    got = retcode(gateway, call_of(gateway, body=body_of(key=sent)))

    live = gateway.live(1001)
    expected = ("0", {51: 9, 52: 6}) if sent == key else wrong_key
    assert expected == (got, dict(live.channels) if live else None)


@pytest.mark.parametrize("body", [_row(callNums="9"), _row(callNums=61), _row(mediaType=54), b"{}"])
def test_lenient_spelling_forgives_nothing_but_the_missing_key(body: bytes) -> None:
    gateway = make_gateway(spelling=Spelling.LENIENT_ZERO)

    assert retcode(gateway, call_of(gateway, body=body)) == "000-006"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(ChannelMode.MERGE, {50: 3, 51: 1, 61: 4}), (ChannelMode.REPLACE, {50: 3, 51: 1})],
    ids=["merge", "replace"],
)
def test_channels_that_are_not_listed_are_kept_or_dropped(mode: ChannelMode, expected: dict[int, int]) -> None:
    gateway = make_gateway(channel_mode=mode)

    retcode(gateway, call_of(gateway, body=body_of(20, {61: 4, 51: 9})))
    retcode(gateway, call_of(gateway, body=body_of(10, {51: 1, 50: 3})))

    live = gateway.live(1001)
    assert live is not None
    assert (10, list(expected.items())) == (live.total, list(live.channels.items()))


def test_a_channel_without_its_skill_queue_is_refused_as_a_whole() -> None:
    gateway = make_gateway(skills={1001: frozenset({51})})

    assert retcode(gateway, call_of(gateway, body=body_of(channels={51: 9, 52: 0}))) == "106-011"
    assert gateway.live(1001) is None
    assert retcode(gateway, call_of(gateway, body=body_of(channels={51: 9}))) == "0"


def test_skill_queues_can_be_given_later_and_belong_to_one_agent() -> None:
    gateway = make_gateway(agents=[1001, 1002], skills={1001: frozenset()})

    gateway.set_skills(1001, [51, 52])
    gateway.set_skills(1002, [50])

    assert retcode(gateway, call_of(gateway, 1001)) == "0"
    assert retcode(gateway, call_of(gateway, 1002)) == "106-011"


def test_an_agent_that_is_not_signed_in_is_told_so_whatever_it_sends() -> None:
    gateway = make_gateway(agents=[1001])

    assert retcode(gateway, call_of(gateway, path=path_of(1002), guid=guid_of(gateway, 1001))) == "100-006"
    assert retcode(gateway, call_of(gateway, path=path_of(1002), guid=None, body=b"")) == "100-006"


@pytest.mark.parametrize("guid", [None, "", "wrong", "é", "\udcff"])
def test_a_wrong_guid_has_no_permission(guid: str | None) -> None:
    gateway = make_gateway()

    assert retcode(gateway, call_of(gateway, guid=guid)) == "000-003"
    assert gateway.live(1001) is None


def test_another_agents_guid_has_no_permission() -> None:
    gateway = make_gateway(agents=[1001, 1002])

    assert retcode(gateway, call_of(gateway, 1001, guid=guid_of(gateway, 1002))) == "000-003"


def test_the_caller_is_checked_before_the_message() -> None:
    gateway = make_gateway()

    assert retcode(gateway, call_of(gateway, guid="wrong", body=b"", content_type=None)) == "000-003"


def test_a_guid_expires_at_its_time_to_live_and_rotation_renews_it() -> None:
    clock = Clock()
    gateway = make_gateway(clock=clock, guid_ttl=120.0)

    clock.now += 119.9
    assert retcode(gateway, call_of(gateway)) == "0"
    clock.now += 0.1
    assert retcode(gateway, call_of(gateway)) == "000-003"
    gateway.rotate(1001)
    assert retcode(gateway, call_of(gateway)) == "0"


def test_rotation_keeps_the_session_and_its_numbers_but_not_the_guid() -> None:
    gateway = make_gateway()
    retcode(gateway, call_of(gateway))
    before = gateway.sessions()[0]

    after = gateway.rotate(1001)

    assert after.key == before.key
    assert after.guid != before.guid
    assert gateway.live(1001) is not None
    assert retcode(gateway, call_of(gateway, guid=before.guid)) == "000-003"


def test_signing_out_forgets_the_numbers_and_the_guid() -> None:
    gateway = make_gateway()
    call = call_of(gateway)
    retcode(gateway, call)

    gateway.sign_out(1001)

    assert gateway.agents_document() == {}
    assert retcode(gateway, call) == "100-006"


def test_signing_in_again_is_another_session_with_nothing_set() -> None:
    gateway = make_gateway()
    before = gateway.sessions()[0]
    retcode(gateway, call_of(gateway))

    after = gateway.sign_in(1001)

    assert before.key != after.key
    assert gateway.live(1001) is None
    assert retcode(gateway, call_of(gateway, guid=before.guid)) == "000-003"


@pytest.mark.parametrize("move", ["sign_out", "rotate"])
def test_who_is_not_signed_in_can_neither_rotate_nor_sign_out(move: str) -> None:
    with pytest.raises(RefusedError) as caught:
        getattr(make_gateway(), move)(1002)

    assert caught.value.retcode == "100-006"


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("JSESSIONID=abc=1; route=n2", "0"),
        ("other=1;route=n2;JSESSIONID=abc=1", "0"),
        ("JSESSIONID=abc=1", "000-003"),
        ("JSESSIONID=abc; route=n2", "000-003"),
        ("", "000-003"),
    ],
    ids=["both", "more-in-another-order", "one-missing", "one-wrong", "none"],
)
def test_a_sessions_cookies_must_come_back_with_its_guid(cookie: str, expected: str) -> None:
    gateway = make_gateway(agents=[])
    gateway.admit(SimulatedSession(agent=1001, guid="token", cookies={"JSESSIONID": "abc=1", "route": "n2"}))

    assert retcode(gateway, call_of(gateway, guid="token", cookie=cookie)) == expected


def test_cookies_are_not_asked_for_where_the_session_has_none() -> None:
    gateway = make_gateway()

    assert retcode(gateway, call_of(gateway, cookie="anything; goes")) == "0"


def test_overlapping_calls_for_one_agent_are_refused_until_the_first_has_ended() -> None:
    gateway = make_gateway(agents=[1001, 1002], latency=1.0)

    first = gateway.arrive(call_of(gateway))
    assert retcode(gateway, call_of(gateway, body=body_of(1))) == "000-007"
    assert retcode(gateway, call_of(gateway, 1002)) == "0"
    gateway.leave(first)

    assert retcode(gateway, call_of(gateway)) == "0"
    assert gateway.agents_document()["1001"]["total"] == 25
    expected = {"total": 4, "agents": {"1001": 3, "1002": 1}, "max_overlap": 2, "max_in_flight": 2, "overlapped": 1}
    assert gateway.requests_document() == expected


def test_calls_without_a_possible_agent_do_not_overlap() -> None:
    gateway = make_gateway()
    gateway.arrive(call_of(gateway, path=path_of("x")))

    assert retcode(gateway, call_of(gateway, path=path_of("x"))) == "000-002"
    expected = {"total": 2, "agents": {}, "max_overlap": 0, "max_in_flight": 2, "overlapped": 0}
    assert gateway.requests_document() == expected


def test_latency_holds_back_the_answer_and_not_the_work() -> None:
    gateway = make_gateway(latency=0.25)

    visit = gateway.arrive(call_of(gateway))

    assert visit.delay == 0.25
    assert gateway.live(1001) is not None


def test_secrets_appear_in_no_repr() -> None:
    session = SimulatedSession(agent=1001, guid="secret-guid", cookies={"c": "secret-cookie"}, key="login-1")
    call = Call(method="POST", path="/", guid="secret-guid", cookie="c=secret-cookie", body=b"secret-body")

    assert "secret" not in repr((session, call))


def test_a_guid_looks_like_the_references() -> None:
    first, second, suffix = guid_of(make_gateway(), 1001).partition(".AgentGateway")

    assert ([8, 4, 4, 4, 12], suffix) == ([len(part) for part in first.split("-")], "1")
    assert second


@pytest.mark.parametrize(
    "wrong",
    [
        {"callnums_key": "CallNums"},
        {"guid_ttl": 0.0},
        {"guid_ttl": float("inf")},
        {"latency": -0.1},
        {"latency": float("nan")},
        {"poll_wait": -1.0},
        {"idle_timeout": 0.0},
        {"guid_interval": 120.0},
        {"guid_interval": 0.0},
        {"guid_timeout": float("inf")},
        {"missing_skills": frozenset({54})},
    ],
    ids=[
        "key",
        "no-lifetime",
        "endless-lifetime",
        "negative-latency",
        "no-latency",
        "negative-wait",
        "no-idle-time",
        "interval-not-below-timeout",
        "no-interval",
        "endless-timeout",
        "no-such-skill",
    ],
)
def test_rules_that_no_gateway_could_have_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Rules(**wrong)
