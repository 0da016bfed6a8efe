"""Staying signed in: Guids that rotate, events, silence; by a clock that moves only when told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.calls import Clock, answer, call_of, make_gateway
from support.sign_ins import (
    BODY,
    code,
    guid_in,
    heartbeat,
    nobody,
    poll,
    request,
    set_numbers,
    sign_in,
    sign_out,
    signed_in,
    update_guid,
)

from reconciler.simulator import AuthMode, EventMode, Gateway, Rules, Step
from reconciler.simulator.exchange import Reply


def test_a_dynamic_guid_is_renewed_by_the_first_poll_after_its_interval_and_both_are_good_for_a_while() -> None:
    gateway, clock = nobody()
    first = signed_in(gateway)

    clock.now += 59.9
    assert guid_in(poll(gateway, first)) is None
    clock.now += 0.1
    second = guid_in(poll(gateway, first))

    assert second not in {None, first}
    assert [set_numbers(gateway, first), set_numbers(gateway, second)] == ["0", "0"]
    clock.now += 60
    assert [set_numbers(gateway, first), set_numbers(gateway, second)] == ["000-003", "0"]
    assert gateway.attendance.count(Step.ROTATION) == 1


def test_a_heartbeat_renews_the_guid_too() -> None:
    gateway, clock = nobody()
    first = signed_in(gateway)

    clock.now += 60
    second = guid_in(heartbeat(gateway, first))

    assert second not in {None, first}
    assert set_numbers(gateway, second) == "0"


def test_who_lost_the_answer_with_the_new_guid_is_told_it_again() -> None:
    gateway, clock = nobody()
    first = signed_in(gateway)
    clock.now += 60
    second = guid_in(heartbeat(gateway, first))

    assert second is not None
    assert guid_in(heartbeat(gateway, first)) == second
    assert guid_in(heartbeat(gateway, second)) is None


def test_a_static_guid_stays_for_ever_and_is_never_told_again() -> None:
    gateway, clock = nobody(auth_mode=AuthMode.STATIC)
    guid = signed_in(gateway)

    for _ in range(10):
        clock.now += 100
        assert guid_in(poll(gateway, guid)) is None
    assert guid_in(update_guid(gateway, guid)) == guid
    assert set_numbers(gateway, guid) == "0"


def test_updating_the_guid_tells_it_in_the_body_and_in_the_header() -> None:
    gateway, _ = nobody()
    first = signed_in(gateway)

    reply = update_guid(gateway, first)

    second = json.loads(reply.body)["result"]["guid"]
    assert second == guid_in(reply) != first
    assert [set_numbers(gateway, first), set_numbers(gateway, second)] == ["0", "0"]


@pytest.mark.parametrize("stay", [poll, heartbeat])
def test_a_caller_that_is_silent_for_two_minutes_is_signed_out_and_told_so(stay: Any) -> None:
    gateway, clock = nobody(auth_mode=AuthMode.STATIC)
    guid = signed_in(gateway)
    clock.now += 119.9
    assert code(stay(gateway, guid)) == "0"
    set_numbers(gateway, guid)

    clock.now += 119.9
    assert set_numbers(gateway, guid) == "0"
    clock.now += 0.1

    assert set_numbers(gateway, guid) == "100-008"
    assert code(stay(gateway, guid)) == "100-008"
    assert code(sign_out(gateway, guid)) == "100-006"
    assert gateway.agents_document() == {}
    assert gateway.attendance.count(Step.TIMED_OUT) == 1
    assert code(sign_in(gateway)) == "0"


def test_a_person_at_a_desk_is_never_silent() -> None:
    clock = Clock()
    gateway = make_gateway(clock=clock)
    before = gateway.sessions()[0].guid

    clock.now += 86_400

    assert set_numbers(gateway, before) == "0"


def test_a_held_poll_neither_overlaps_nor_counts_as_a_call() -> None:
    gateway, _ = nobody()
    guid = signed_in(gateway)
    held = [gateway.arrive(request("GET", "/agentevent/1001", guid=guid)) for _ in range(5)]

    assert set_numbers(gateway, guid) == "0"
    assert code(heartbeat(gateway, guid)) == "0"
    assert gateway.requests_document()["total"] == 1
    for visit in held:
        gateway.leave(visit)
    assert gateway.requests_document()["max_in_flight"] == 1


def test_signing_in_and_out_must_not_overlap_each_other() -> None:
    gateway, _ = nobody()
    coming = gateway.arrive(request("PUT", "/onlineagent/1001", body=BODY))
    guid = gateway.sessions()[0].guid

    assert [code(sign_out(gateway, guid)), code(sign_in(gateway, force=True))] == ["000-007", "000-007"]
    assert code(sign_in(gateway, 1002)) == "0"
    gateway.leave(coming)
    assert code(sign_out(gateway, guid)) == "0"


@pytest.mark.parametrize(
    ("more", "mode", "expected"),
    [
        ({"callBackUri": "https://desk.example/events", "serviceToken": "t"}, EventMode.AS_ASKED, "000-001"),
        ({"callBackUri": "https://desk.example/events"}, EventMode.AS_ASKED, "0"),
        ({"serviceToken": "t"}, EventMode.AS_ASKED, "0"),
        ({}, EventMode.PUSHED, "000-001"),
    ],
    ids=["both-parameters", "address-only", "token-only", "site-pushes"],
)
def test_polling_is_the_wrong_way_where_events_are_pushed_and_heartbeats_are_right(
    more: dict[str, Any], mode: EventMode, expected: str
) -> None:
    gateway, _ = nobody(event_mode=mode)
    guid = signed_in(gateway, **more)

    assert (code(poll(gateway, guid)), code(heartbeat(gateway, guid))) == (expected, "0")


STEPS: Mapping[str, Callable[[Gateway, str | None], Reply]] = {
    "in": lambda gateway, _guid: sign_in(gateway),
    "force": lambda gateway, _guid: sign_in(gateway, force=True),
    "out": sign_out,
    "poll": poll,
    "beat": heartbeat,
    "update": update_guid,
    "set": lambda gateway, guid: answer(gateway, call_of(gateway, guid=guid)),
}


@given(st.lists(st.sampled_from([*STEPS, "wait", "lose"]), max_size=30))
def test_whatever_callers_do_the_newest_guid_of_a_session_is_good_until_it_is_old(steps: list[str]) -> None:
    gateway, clock = nobody()
    guid: str | None = None
    for step in steps:
        if step == "wait":
            clock.now += 50
        elif step == "lose":
            gateway.lose(1001)
        else:
            guid = guid_in(STEPS[step](gateway, guid)) or guid
        assert (set_numbers(gateway, guid) == "0") == _is_good(gateway, clock)


def _is_good(gateway: Gateway, clock: Clock) -> bool:
    return any(
        not session.lost and clock.now - session.issued_at < Rules().guid_timeout for session in gateway.sessions()
    )
