from __future__ import annotations

import json

import pytest
from support.calls import Clock, answer, call_of, make_gateway, path_of, retcode

from reconciler.errors import InputError
from reconciler.simulator import Gateway, Operation, parse_fault
from reconciler.simulator.exchange import Call
from reconciler.simulator.reference import RESOURCES


def _outcomes(gateway: Gateway, *agents: int) -> list[str]:
    outcomes = []
    for agent in agents:
        visit = gateway.arrive(call_of(gateway, agent))
        gateway.leave(visit)
        if visit.reply is None:
            outcomes.append("reset")
        elif visit.reply.body.startswith(b"{"):
            outcomes.append(json.loads(visit.reply.body)["retcode"])
        else:
            outcomes.append(f"html-{visit.reply.status}")
    return outcomes


@pytest.mark.parametrize(
    ("fault", "outcome", "committed"),
    [
        ("reset-before-commit", "reset", False),
        ("reset-after-commit", "reset", True),
        ("http-502", "html-502", False),
        ("http-200-html", "html-200", False),
        ("retcode:100-007", "100-007", False),
        ("retcode:106-003", "106-003", False),
        ("http-429:2", "100-003", False),
        ("slow:0.5", "0", True),
    ],
)
def test_a_fault_hits_the_next_call_once(fault: str, outcome: str, committed: bool) -> None:
    gateway = make_gateway(fault)

    assert [outcome] == _outcomes(gateway, 1001)
    assert committed == (gateway.live(1001) is not None)
    assert _outcomes(gateway, 1001) == ["0"]


def test_throttling_says_when_to_come_back() -> None:
    gateway = make_gateway("http-429:7")

    reply = answer(gateway, call_of(gateway))

    assert (reply.status, dict(reply.headers)) == (429, {"Retry-After": "7"})


def test_a_slow_answer_is_slow_on_top_of_the_latency() -> None:
    gateway = make_gateway("slow:1.5", latency=0.25)

    assert gateway.arrive(call_of(gateway)).delay == 1.75


@pytest.mark.parametrize(
    ("faults", "agents", "expected"),
    [
        (["1002=http-502"], [1001, 1002, 1002], ["0", "html-502", "0"]),
        (
            ["1001=http-502", "1001=http-502", "1001=retcode:000-004"],
            [1001] * 4,
            ["html-502", "html-502", "000-004", "0"],
        ),
        (["#2=http-502"], [1001, 1002, 1001], ["0", "html-502", "0"]),
        (["1001#2=http-502"], [1001, 1002, 1001, 1001], ["0", "0", "html-502", "0"]),
        (["1001*=http-502"], [1001, 1002, 1001], ["html-502", "0", "html-502"]),
        (["*=http-502"], [1001, 1002], ["html-502", "html-502"]),
        (["*=slow:1", "1001#2=reset-before-commit"], [1001, 1001, 1001], ["0", "reset", "0"]),
        (["http-502", "1002=retcode:000-004"], [1002, 1002, 1001], ["html-502", "000-004", "0"]),
        (["@2=http-502"], [1001, 1002, 1001, 1001, 1002, 1002], ["html-502"] * 3 + ["0", "html-502", "0"]),
        (["1002@1=http-502"], [1001, 1002, 1002], ["0", "html-502", "0"]),
        (["%2=http-502"], [1001, 1002, 1001, 1002, 1001], ["0", "html-502", "0", "html-502", "0"]),
        (["1001%2=http-502"], [1002, 1001, 1001, 1002, 1001, 1001], ["0", "0", "html-502", "0", "0", "html-502"]),
        (["set/1001=http-502", "sign-in/*=http-502"], [1001, 1001], ["html-502", "0"]),
        (["any/#2=http-502"], [1001, 1001, 1001], ["0", "html-502", "0"]),
    ],
    ids=[
        "one-agent",
        "one-after-another",
        "nth-of-all",
        "nth-of-agent",
        "every-of-agent",
        "every",
        "every-and-nth",
        "anyone-then-agent",
        "first-of-each",
        "first-of-one",
        "every-second",
        "every-second-of-agent",
        "by-operation",
        "of-any-operation",
    ],
)
def test_a_fault_hits_exactly_the_calls_it_names(faults: list[str], agents: list[int], expected: list[str]) -> None:
    assert expected == _outcomes(make_gateway(*faults, agents=[1001, 1002]), *agents)


@pytest.mark.parametrize(("effect", "held"), [("sign-out", []), ("lose-session", [1001])])
def test_a_session_can_end_just_before_a_call_is_judged(effect: str, held: list[int]) -> None:
    gateway = make_gateway(f"1001#2={effect}", "1003*=sign-out", agents=[1001])
    call = call_of(gateway)

    assert [retcode(gateway, call) for _ in range(3)] == ["0", "100-006", "100-006"]
    assert [session.agent for session in gateway.sessions()] == held
    assert retcode(gateway, call_of(gateway, path=path_of(1003), guid="any")) == "100-006"


def test_a_fault_can_last_for_seconds_from_its_first_hit_on() -> None:
    clock = Clock()
    gateway = make_gateway("~30=http-502", "1002~10=retcode:000-004", agents=[1001, 1002], clock=clock)

    clock.now += 100
    met = _outcomes(gateway, 1001)
    clock.now += 29.9
    met += _outcomes(gateway, 1001, 1002)
    clock.now += 0.1
    met += _outcomes(gateway, 1001, 1002)
    clock.now += 10
    met += _outcomes(gateway, 1001, 1002)

    assert met == ["html-502", "html-502", "html-502", "0", "000-004", "0", "0"]


@pytest.mark.parametrize("operation", [each for each in Operation if each is not Operation.SET])
def test_a_fault_of_one_operation_hits_its_calls_and_no_others(operation: Operation) -> None:
    gateway = make_gateway(f"{operation}/1001#2=http-502", f"{operation}/=slow:1", "#1=retcode:100-007")
    resource = RESOURCES[operation]
    call = Call(method=resource.method, path=resource.path.replace("{agentid}", "1001"))

    assert gateway.arrive(call).delay == 1.0
    statuses = [200, *(answer(gateway, call).status for _ in range(2))]

    assert statuses == [200, 502, 200]
    assert _outcomes(gateway, 1001, 1001) == ["100-007", "0"]


def test_effects_joined_by_a_plus_act_together() -> None:
    gateway = make_gateway("1001=slow:1+slow:0.5+http-502")

    visit = gateway.arrive(call_of(gateway))

    assert visit.reply is not None
    assert (visit.delay, visit.reply.status) == (1.5, 502)


def test_faults_of_different_kinds_on_one_call_act_together() -> None:
    gateway = make_gateway("*=slow:1", "#1=reset-after-commit", "1001=slow:2")

    visit = gateway.arrive(call_of(gateway))

    assert (visit.reply, visit.delay) == (None, 3.0)
    assert gateway.live(1001) is not None


def test_a_fault_in_front_of_the_gateway_hits_an_overlapping_call_too() -> None:
    gateway = make_gateway("#2=http-502")
    gateway.arrive(call_of(gateway))

    assert _outcomes(gateway, 1001) == ["html-502"]


def test_faults_can_be_added_and_cleared() -> None:
    gateway = make_gateway("*=http-502")

    gateway.faults.add([parse_fault("1001=http-502")])
    assert len(gateway.faults) == 2
    gateway.faults.clear()

    assert retcode(gateway, call_of(gateway)) == "0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http-503",
        "=http-502",
        "100=http-502",
        "#0=http-502",
        "#=http-502",
        "x=http-502",
        "1001#2*=http-502",
        "http-502:1",
        "slow",
        "slow:",
        "slow:-1",
        "slow:nan",
        "slow:1e3",
        "http-429",
        "retcode:0",
        "retcode:1000-06",
        "slow:1+",
        "@0=http-502",
        "@=http-502",
        "~1.5=http-502",
        "%-1=http-502",
        "login/1001=http-502",
        "/1001=http-502",
        "sign-out:1",
    ],
)
def test_a_misspelt_fault_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="cannot be used") as caught:
        parse_fault(text)

    assert "1001=http-502" in caught.value.hint
