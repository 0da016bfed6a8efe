"""Each scenario does what its row says, through the pure judgement and a clock that moves only when told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.calls import Clock, answer, body_of, call_of, guid_of, make_gateway, path_of
from support.sign_ins import code, guid_in, heartbeat, nobody, poll, request, set_numbers, sign_in, sign_out, signed_in

from reconciler.errors import InputError
from reconciler.simulator import SCENARIOS, Control, Gateway, Rules, Stage, Step, parse_scenario
from reconciler.simulator.exchange import Call
from reconciler.simulator.reference import RESOURCES, RETCODES, Operation

NAMES = [scenario.name for scenario in SCENARIOS]


def playing(*scenarios: str, agents: tuple[int, ...] = (1001, 1002, 1003)) -> tuple[Gateway, Clock]:
    """Return a gateway that plays scenarios, with agents who signed in after they began."""
    gateway, clock = nobody()
    Stage(gateway).play(scenarios)
    for agent in agents:
        gateway.sign_in(agent)
    return gateway, clock


def outcome(gateway: Gateway, agent: int = 1001, *, guid: str | None = None, body: bytes | None = None) -> str:
    """Return what the agent's call meets: a retcode, `reset`, `html-502`, `429`."""
    guid = guid or next((session.guid for session in gateway.sessions() if session.agent == agent), "none")
    visit = gateway.arrive(call_of(gateway, agent, guid=guid, body=body_of() if body is None else body))
    gateway.leave(visit)
    if visit.reply is None:
        return "reset"
    if not visit.reply.body.startswith(b"{"):
        return f"html-{visit.reply.status}"
    return str(json.loads(visit.reply.body)["retcode"] if visit.reply.status == 200 else visit.reply.status)


def outcomes(gateway: Gateway, *agents: int) -> list[str]:
    return [outcome(gateway, agent) for agent in agents]


def test_guid_rotation_gives_every_desk_another_guid_while_the_old_one_is_good_as_long_again() -> None:
    gateway, clock = playing("guid-rotation:60s")
    first, key = guid_of(gateway, 1001), gateway.sessions()[0].key

    clock.now += 60
    second = guid_of(gateway, 1001)

    assert second != first
    assert gateway.sessions()[0].key == key
    assert [outcome(gateway, guid=first), outcome(gateway, guid=second)] == ["0", "0"]
    clock.now += 60
    assert [outcome(gateway, guid=first), outcome(gateway, guid=second)] == ["000-003", "0"]
    assert gateway.live(1001) is not None


def test_guid_rotation_can_be_quicker() -> None:
    gateway, clock = playing("guid-rotation:500ms")
    first = guid_of(gateway, 1001)

    clock.now += 0.5
    assert guid_of(gateway, 1001) != first
    clock.now += 0.5
    assert outcome(gateway, guid=first) == "000-003"


def test_guid_expiry_refuses_a_guid_that_nobody_renews() -> None:
    gateway, clock = playing("guid-expiry")
    first = guid_of(gateway, 1001)

    clock.now += 119.9
    assert outcome(gateway) == "0"
    clock.now += 0.1

    assert outcome(gateway) == "000-003"
    assert guid_of(gateway, 1001) == first


def test_sign_out_midway_signs_out_the_agent_of_each_third_call_until_it_signs_in_again() -> None:
    gateway, _ = playing("sign-out-midway")

    assert outcomes(gateway, 1001, 1002, 1003) == ["0", "0", "100-006"]
    assert [session.agent for session in gateway.sessions()] == [1001, 1002]
    assert outcomes(gateway, 1003, 1001) == ["100-006", "0"]
    gateway.sign_in(1003)
    assert outcome(gateway, 1001) == "100-006"
    assert outcome(gateway, 1003) == "0"


def test_lost_session_forgets_an_agent_whom_the_sessions_file_still_has() -> None:
    gateway, _ = playing("lost-session:2")

    assert outcomes(gateway, 1001, 1002, 1003) == ["0", "100-006", "0"]
    assert [session.agent for session in gateway.sessions()] == [1001, 1002, 1003]
    assert gateway.attendance.count(Step.LOST) == 1


def test_dr_switchover_refuses_calls_of_every_kind_for_a_while_from_the_first_on() -> None:
    gateway, clock = playing("dr-switchover:30")

    clock.now += 1_000
    assert outcome(gateway) == "000-004"
    clock.now += 29.9
    assert outcomes(gateway, 1001, 1002) == ["000-004", "000-004"]
    assert [code(sign_in(gateway, 1004)), code(poll(gateway, "x")), code(heartbeat(gateway, "x"))] == ["000-004"] * 3
    assert gateway.agents_document() == {}
    clock.now += 0.1
    assert outcomes(gateway, 1001, 1002) == ["0", "0"]


def test_overlap_refused_holds_answers_back_so_that_overlapping_calls_meet_and_are_counted() -> None:
    gateway, _ = playing("overlap-refused:1s")

    first = gateway.arrive(call_of(gateway))
    assert outcome(gateway) == "000-007"
    assert outcome(gateway, 1002) == "0"
    gateway.leave(first)

    assert first.delay == 1.0
    document = gateway.requests_document()
    assert (document["overlapped"], document["max_overlap"]) == (1, 2)


def test_slow_replies_are_late_and_their_work_is_done_at_once() -> None:
    gateway, _ = playing("slow-replies:1500ms")

    visits = [gateway.arrive(call_of(gateway, agent)) for agent in (1001, 1002)]

    assert [visit.delay for visit in visits] == [1.5, 1.5]
    assert gateway.agents_document().keys() == {"1001", "1002"}


@pytest.mark.parametrize(
    ("scenario", "met", "taken"),
    [
        ("reset-before-commit", "reset", False),
        ("reset-after-commit", "reset", True),
        ("html-200", "html-200", False),
        ("bad-gateway-502", "html-502", False),
        ("too-many-requests", "429", False),
    ],
)
def test_each_agents_first_call_meets_it_and_the_next_one_does_not(scenario: str, met: str, taken: bool) -> None:
    gateway, _ = playing(scenario)

    assert outcomes(gateway, 1001, 1002) == [met, met]
    assert (gateway.live(1001) is not None) == taken
    assert outcomes(gateway, 1002, 1001, 1003, 1003) == ["0", "0", met, "0"]


def test_a_scenario_of_first_calls_can_hit_more_of_them_and_begins_when_it_is_played() -> None:
    gateway, _ = playing()
    assert outcome(gateway) == "0"

    Stage(gateway).play(["bad-gateway-502:2"])

    assert outcomes(gateway, 1001, 1001, 1001, 1002) == ["html-502", "html-502", "0", "html-502"]


def test_too_many_requests_says_when_to_come_back() -> None:
    gateway, _ = playing("too-many-requests:7s")

    assert answer(gateway, call_of(gateway)).headers["Retry-After"] == "7"


def test_wrong_password_refuses_signing_in_by_force_too_and_nothing_else() -> None:
    gateway, _ = playing("wrong-password")

    assert [code(sign_in(gateway, 1004)), code(sign_in(gateway, 1004, force=True))] == ["100-004", "100-004"]
    assert outcome(gateway) == "0"


def test_sticky_cookies_must_come_back_with_the_guid_from_desks_and_callers() -> None:
    gateway, _ = playing("sticky-cookies", agents=(1001,))
    desk = gateway.sessions()[0].document()
    cookies = desk["cookies"]
    assert isinstance(cookies, dict)
    sent = "; ".join(f"{name}={value}" for name, value in cookies.items())

    assert [set_numbers(gateway, str(desk["guid"]), cookie=each) for each in ("", sent)] == ["100-006", "0"]
    reply = sign_in(gateway, 1002)
    assert code(sign_out(gateway, guid_in(reply), 1002)) == "100-006"
    assert code(sign_out(gateway, guid_in(reply), 1002, cookie=reply.headers["Set-Cookie"].split(";")[0])) == "0"


def test_missing_skill_refuses_the_channel_for_everybody_who_was_not_given_it() -> None:
    gateway, _ = playing("missing-skill:sms")
    gateway.set_skills(1002, [51, 52])

    assert outcomes(gateway, 1001, 1002) == ["106-011", "0"]
    assert outcome(gateway, body=body_of(channels={51: 9})) == "0"


def test_lenient_zero_acknowledges_the_wrong_spelling_and_reads_zero() -> None:
    gateway, _ = playing("lenient-zero")

    assert outcome(gateway, body=body_of(key="callnums")) == "0"
    assert gateway.agents_document()["1001"]["channels"] == {"51": 0, "52": 0}


@pytest.mark.parametrize(("scenario", "channels"), [("merge", {"51": 1, "61": 4}), ("replace", {"51": 1})])
def test_merge_keeps_and_replace_drops_what_a_call_leaves_out(scenario: str, channels: dict[str, int]) -> None:
    gateway, _ = playing(scenario)

    outcome(gateway, body=body_of(channels={51: 9, 61: 4}))
    outcome(gateway, body=body_of(channels={51: 1}))

    assert gateway.agents_document()["1001"]["channels"] == channels


def test_static_guids_stay_and_rotate_at_no_desk_either() -> None:
    gateway, clock = playing("static-guids", "guid-rotation")
    guid = signed_in(gateway, agent=1004)
    before = guid_of(gateway, 1001)

    for _ in range(3):
        clock.now += 100
        assert guid_in(poll(gateway, guid, 1004)) is None

    assert guid_of(gateway, 1001) == before
    assert outcome(gateway) == "0"


def test_websocket_mode_tells_who_polls_that_it_is_the_wrong_way() -> None:
    gateway, _ = playing("websocket-mode")
    guid = signed_in(gateway, agent=1004)

    assert [code(poll(gateway, guid, 1004)), code(heartbeat(gateway, guid, 1004))] == ["000-001", "0"]


def test_scenarios_act_together() -> None:
    gateway, clock = playing("dr-switchover:5s", "reset-after-commit", "slow-replies:1s", "replace", "guid-rotation:2s")

    # A reset wins over a reply; what the switchover refuses has not been taken.
    assert outcomes(gateway, 1001, 1001) == ["reset", "000-004"]
    assert gateway.live(1001) is None
    clock.now += 5
    assert gateway.arrive(call_of(gateway)).delay == 1.0
    assert gateway.rules.channel_mode == "replace"


@pytest.mark.parametrize(
    "scenarios",
    [["merge", "replace"], ["missing-skill:sms", "missing-skill:line"], ["guid-rotation:1s", "guid-rotation:2s"]],
    ids=["two", "two-channels", "two-ages"],
)
def test_scenarios_that_contradict_each_other_are_refused_and_nothing_is_played(scenarios: list[str]) -> None:
    gateway, _ = nobody()
    stage = Stage(gateway)

    with pytest.raises(InputError, match=f"{scenarios[0]}.* and {scenarios[1]}.* contradict each other"):
        stage.play(["reset-before-commit", *scenarios])

    assert stage.document() == []
    assert len(gateway.faults) == 0
    assert gateway.rules == Rules()


def test_a_contradiction_to_what_is_played_already_is_refused_too() -> None:
    stage = Stage(nobody()[0])
    stage.play(["merge"])

    with pytest.raises(InputError, match="merge and replace contradict"):
        stage.play(["replace"])

    assert [each["scenario"] for each in stage.document()] == ["merge"]


def test_the_same_scenario_twice_is_played_once() -> None:
    gateway, _ = nobody()
    stage = Stage(gateway)

    stage.play(["bad-gateway-502", "bad-gateway-502:1"])
    stage.play(["bad-gateway-502"])

    assert len(stage.document()) == len(gateway.faults) == 1


def test_stopping_takes_back_what_scenarios_brought_and_nothing_else() -> None:
    gateway = make_gateway("*=slow:1")
    stage = Stage(gateway)
    stage.play(["replace", "slow-replies:1s", "slow-replies:2s"])

    stage.stop()

    assert (len(gateway.faults), gateway.rules, stage.document()) == (1, Rules(), [])
    assert gateway.arrive(call_of(gateway)).delay == 1.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("guid-rotatoin", "did you mean guid-rotation?"),
        ("Merge", "did you mean merge?"),
        ("", "--list-scenarios"),
        ("q" * 100_000, "--list-scenarios"),
        ("merge:1", "write merge"),
        ("merge:", "write merge"),
        ("slow-replies:", "slow-replies:2s"),
        ("slow-replies:0", "slow-replies:2s"),
        ("slow-replies:0.1ms", "slow-replies:2s"),
        ("slow-replies:61m", "slow-replies:2s"),
        ("slow-replies:nan", "slow-replies:2s"),
        ("slow-replies:1h", "slow-replies:2s"),
        ("dr-switchover:500ms", "dr-switchover:30s"),
        ("html-200:0", "html-200:1"),
        ("html-200:-1", "html-200:1"),
        ("missing-skill:51", "missing-skill:whatsapp"),
    ],
)
def test_a_scenario_that_cannot_be_used_is_refused_with_a_way_out(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_scenario(text)

    assert told in caught.value.hint
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_every_row_can_be_played_as_it_is_and_says_what_it_does_and_how_one_knows(scenario: object) -> None:
    row = next(each for each in SCENARIOS if each is scenario)
    part = parse_scenario(row.name)

    assert part.rules or part.faults
    assert row.grade in {"D", "S", "C", "I"}
    assert row.source
    assert re.fullmatch(r"[a-z0-9A-Z].*[^.]", part.description)
    assert "{" not in part.description
    assert part.rules.keys() <= set(Rules.__struct_fields__)


def test_names_are_unique_and_the_documentation_lists_every_one_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rehearsal.md").read_text()
    section = page[page.index("## Scenarios") : page.index("## Bad days")]
    rows = [scenario.document() for scenario in SCENARIOS]

    assert len(set(NAMES)) == len(NAMES)
    assert re.findall(r"^\| `([a-z0-9-]+)(?::[^`]*)?` \|", section, re.MULTILINE) == NAMES
    assert [
        row["name"] for row in rows if f" | {row['description']} | {row['grade']}: {row['source']} |" not in section
    ] == []


def test_control_plays_shows_and_stops_scenarios() -> None:
    gateway, _ = playing()
    control = Control(gateway)

    played = control.answer("POST", "/rehearsal/scenarios", b'["html-200:2", "replace"]')
    assert [each["scenario"] for each in json.loads(played.body)] == ["html-200:2", "replace"]
    assert outcome(gateway) == "html-200"
    assert control.answer("GET", "/rehearsal/scenarios").body == played.body
    assert json.loads(control.answer("DELETE", "/rehearsal/scenarios").body) == []
    assert outcome(gateway) == "0"


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'["html-20"]', b'["html-200", "merge", "replace"]'])
def test_a_list_of_scenarios_with_a_mistake_is_refused_as_a_whole(body: bytes) -> None:
    gateway, _ = nobody()
    control = Control(gateway)

    reply = control.answer("POST", "/rehearsal/scenarios", body)

    assert reply.status == 400
    assert "message" in json.loads(reply.body)
    assert json.loads(control.answer("GET", "/rehearsal/scenarios").body) == []


NO_GUID = f"JSESSIONID={'0' * 36}.AgentGateway1"
CALLS = st.builds(
    lambda operation, agent, method, guid, cookie, content: (operation, agent, method, guid, cookie, content),
    st.sampled_from(Operation),
    st.sampled_from(["1001", "1002", "1009", "100", "x"]),
    st.sampled_from(["right", "right", "right", "GET", "POST"]),
    st.sampled_from(["own", "own", "own", "old", "wrong", None]),
    st.sampled_from(["own", ""]),
    st.sampled_from([body_of(), body_of(key="callnums"), b'{"password": ""}', b"", b"[]"]),
)


@given(
    scenarios=st.lists(st.sampled_from(NAMES), max_size=6, unique=True),
    calls=st.lists(st.tuples(CALLS, st.sampled_from([0.0, 0.5, 31.0, 61.0, 121.0]), st.booleans()), max_size=25),
)
def test_no_combination_of_scenarios_breaks_the_gateway_and_replies_keep_the_references_shape(
    scenarios: list[str],
    calls: list[tuple[tuple[Operation, str, str, str | None, str, bytes], float, bool]],
) -> None:
    gateway, clock = nobody()
    stage = Stage(gateway)
    try:
        stage.play(scenarios)
    except InputError:
        stage.play([name for name in scenarios if name not in {"merge", "replace"}])
    gateway.sign_in(1001)
    first = gateway.sessions()[0]
    for (operation, agent, method, guid, cookie, content), pause, leaves in calls:
        clock.now += pause
        held = {str(session.agent): session for session in gateway.sessions()}.get(agent)
        known = {"own": held.guid if held else None, "old": first.guid, "wrong": "wrong", None: None}
        cookies = held.cookies if held and cookie == "own" else {}
        resource = RESOURCES[operation]
        call = Call(
            method=resource.method if method == "right" else method,
            path=resource.path.replace("{agentid}", agent),
            content_type="application/json",
            guid=known[guid],
            cookie="; ".join(f"{name}={value}" for name, value in cookies.items()),
            body=content,
        )
        visit = gateway.arrive(call)
        if leaves:
            gateway.leave(visit)
        assert 0 <= visit.delay < 60
        if visit.reply is None or visit.reply.content_type.startswith("text/html"):
            continue
        document = json.loads(visit.reply.body)
        assert document["retcode"] in RETCODES
        assert isinstance(document["message"], str)
        assert document.keys() - {"message", "retcode"} <= {"result", "event"}
        assert visit.reply.status in {200, 405, 429}
        assert re.fullmatch(r"JSESSIONID=[0-9a-f-]{36}\.AgentGateway1", visit.reply.headers.get("Set-GUID", NO_GUID))
        assert json.dumps([gateway.attendance_document(), gateway.agents_document(), gateway.requests_document()])


def test_another_path_is_still_no_resource_whatever_is_played() -> None:
    gateway, _ = playing(*[name for name in NAMES if name != "merge"])

    reply = answer(gateway, request("GET", "/onlineagent/1001/agentskills"))

    assert reply.status == 404
    assert gateway.arrive(call_of(gateway, path=path_of(1001))).reply is None
