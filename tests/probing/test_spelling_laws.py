"""Whatever a gateway is like: nothing wrong is ever concluded, and the agent ends with its own numbers."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from probing.gateways import ALL_MANNERS, CAMEL, LOWER, VALUES, Desk, Manner, converse, restore
from support.calls import answer, call_of, make_gateway
from support.fleets import concurrencies

from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.probe import Grade, Restoration
from reconciler.probing.restoring import keys_to_restore_with, standing
from reconciler.probing.script import LONGEST
from reconciler.probing.spelling import find_spelling
from reconciler.probing.trials import Answer, Kind, Message
from reconciler.simulator import ChannelMode, Gateway, Spelling

manners = st.sampled_from(ALL_MANNERS)
keys = st.sampled_from(CallnumsKey)
OWN = {int(channel): number for channel, number in VALUES.channels}


def gateway_of(key: CallnumsKey, spelling: Spelling, mode: ChannelMode) -> Gateway:
    return make_gateway(callnums_key=key.value, spelling=spelling, channel_mode=mode)


def receive_at(gateway: Gateway, body: bytes) -> str:
    return str(json.loads(answer(gateway, call_of(gateway, body=body)).body)["retcode"])


@pytest.mark.parametrize("mode", ChannelMode)
@pytest.mark.parametrize("spelling", Spelling)
@pytest.mark.parametrize("configured", CallnumsKey)
@pytest.mark.parametrize("understood", CallnumsKey)
def test_every_rehearsal_gateway_is_told_for_what_it_is(
    understood: CallnumsKey, configured: CallnumsKey, spelling: Spelling, mode: ChannelMode
) -> None:
    gateway = gateway_of(understood, spelling, mode)
    trials = converse(lambda body: receive_at(gateway, body), configured)
    restore(trials, lambda body: receive_at(gateway, body), configured)

    found = find_spelling(trials, configured)
    live = gateway.live(1001)
    assert (found.grade, found.value) == (Grade.CONFIRMED, understood.value)
    assert live is not None
    assert (live.total, live.channels) == (VALUES.total, OWN)
    assert standing(trials, configured) is Restoration.RESTORED


@given(st.sampled_from(list(itertools.product(CallnumsKey, Spelling, ChannelMode))), keys, concurrencies)
def test_it_is_told_with_any_numbers_an_agent_may_have(
    kind: tuple[CallnumsKey, Spelling, ChannelMode], configured: CallnumsKey, values: Concurrency
) -> None:
    gateway = gateway_of(*kind)
    trials = converse(lambda body: receive_at(gateway, body), configured, values=values)

    found = find_spelling(trials, configured)
    assert (found.grade, found.value) == (Grade.CONFIRMED, kind[0].value)


@pytest.mark.parametrize("configured", CallnumsKey)
def test_what_is_concluded_is_true_of_every_deterministic_gateway_however_far_the_probe_comes(
    configured: CallnumsKey,
) -> None:
    for manner, calls in itertools.product(ALL_MANNERS, range(LONGEST + 1)):
        desk = Desk(manner)
        trials = converse(desk.receive, configured, calls=calls)
        restore(trials, desk.receive, configured)

        found = find_spelling(trials, configured)
        if found.value is not None:
            assert CallnumsKey(found.value) in manner.reads, (manner, calls, found)


@pytest.mark.parametrize("configured", CallnumsKey)
def test_a_gateway_that_checks_numbers_and_takes_the_agents_own_is_always_told(configured: CallnumsKey) -> None:
    for manner in ALL_MANNERS:
        if manner.checks_numbers and manner.lacks_queue is None:
            found = find_spelling(converse(Desk(manner).receive, configured), configured)
            assert found.grade is Grade.CONFIRMED, manner


@pytest.mark.parametrize("configured", CallnumsKey)
def test_a_gateway_that_checks_nothing_is_never_told_for_certain(configured: CallnumsKey) -> None:
    for manner in ALL_MANNERS:
        if not manner.checks_numbers:
            found = find_spelling(converse(Desk(manner).receive, configured), configured)
            assert found.grade is not Grade.CONFIRMED, manner


@given(manners, keys, st.integers(0, LONGEST), st.sampled_from(["000-006", "106-011", "200-001"]))
def test_one_refusal_by_chance_makes_nothing_wrong_certain(
    manner: Manner, configured: CallnumsKey, which: int, retcode: str
) -> None:
    desk = Desk(manner)
    calls = itertools.count()

    def moody(body: bytes) -> str:
        return retcode if next(calls) == which else desk.receive(body)

    trials = converse(moody, configured)
    restore(trials, moody, configured)

    found = find_spelling(trials, configured)
    if found.grade is Grade.CONFIRMED:
        assert found.value is not None
        assert CallnumsKey(found.value) in manner.reads


@given(manners, keys, st.integers(1, 5), st.integers(0, 4))
def test_a_gateway_that_refuses_every_nth_call_is_not_taken_for_one_that_reads(
    manner: Manner, configured: CallnumsKey, period: int, phase: int
) -> None:
    desk = Desk(manner)
    calls = itertools.count()

    def tired(body: bytes) -> str:
        return "300-001" if next(calls) % period == phase % period else desk.receive(body)

    found = find_spelling(converse(tired, configured), configured)
    if found.grade is Grade.CONFIRMED:
        assert found.value is not None
        assert CallnumsKey(found.value) in manner.reads


@given(manners, keys, st.integers(0, LONGEST), st.booleans())
def test_after_restoring_the_last_thing_set_is_the_agents_own_numbers_in_the_chosen_spelling(
    manner: Manner, configured: CallnumsKey, calls: int, partial: bool
) -> None:
    desk = Desk(manner)
    trials = converse(desk.receive, configured, calls=calls, partial=partial)
    restore(trials, desk.receive, configured)

    after = standing(trials, configured)
    assert after is not Restoration.IN_DOUBT
    if after is Restoration.RESTORED:
        key = keys_to_restore_with(trials, configured)[0]
        last = [trial for trial in trials if trial.answer is Answer.ACKNOWLEDGED][-1]
        assert last.step.message == Message(kind=Kind.PLAIN, key=key)
        if key in manner.reads:
            assert desk.channels == OWN


@pytest.mark.parametrize("configured", CallnumsKey)
def test_where_the_configured_spelling_is_read_and_numbers_are_checked_nothing_ever_changes(
    configured: CallnumsKey,
) -> None:
    for manner in (m for m in ALL_MANNERS if configured in m.reads and m.checks_numbers):
        desk = Desk(manner, dict(OWN))
        seen: list[dict[int, int]] = []

        def watched(body: bytes, desk: Desk = desk, seen: list[dict[int, int]] = seen) -> str:
            retcode = desk.receive(body)
            seen.append(dict(desk.channels))
            return retcode

        converse(watched, configured)
        assert seen == [OWN] * len(seen), manner


@pytest.mark.parametrize("configured", CallnumsKey)
def test_a_gateway_that_ignores_the_configured_spelling_is_told_without_a_worse_moment_than_the_first(
    configured: CallnumsKey,
) -> None:
    desk = Desk(Manner(reads=tuple(key for key in CallnumsKey if key is not configured)))
    channels: list[dict[int, int]] = []

    def watched(body: bytes) -> str:
        retcode = desk.receive(body)
        channels.append(dict(desk.channels))
        return retcode

    converse(watched, configured)

    closed = dict.fromkeys(OWN, 0)
    assert channels == [closed, closed, closed, OWN, OWN, OWN, OWN, OWN]


def test_the_models_are_not_all_alike() -> None:
    found = [find_spelling(converse(Desk(manner).receive, CAMEL), CAMEL) for manner in ALL_MANNERS]
    assert {each.grade for each in found} == set(Grade)
    assert {each.value for each in found} == {None, CAMEL.value, LOWER.value}
