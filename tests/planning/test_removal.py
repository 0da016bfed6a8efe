"""What becomes of channels and agents that are recorded and no longer desired."""

from __future__ import annotations

import pytest
from hypothesis import given
from support.fleets import Situation, concurrency, desired, record, settle, site, situations, state

from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Action, Set
from reconciler.model.site import OnAgentRemoval, OnChannelRemoval
from reconciler.model.state import AgentRecord, RecordStatus
from reconciler.planning import make_plan
from reconciler.values import replace

ZERO, OMIT = site(on_channel_removal=OnChannelRemoval.ZERO), site(on_channel_removal=OnChannelRemoval.OMIT)
WIDE, NARROW = concurrency(25, web_chat=9, sms=6), concurrency(25, web_chat=9)
CLOSED = concurrency(25, web_chat=9, sms=0)
OTHER = concurrency(8, web_chat=4)
ONLY_SMS, ONLY_SMS_CLOSED = concurrency(25, sms=6), concurrency(25, sms=0)
IN_DOUBT, LOWER = RecordStatus.IN_DOUBT, CallnumsKey.LOWER


@pytest.mark.parametrize(
    ("recorded", "wanted", "sent"),
    [
        pytest.param(record(WIDE), NARROW, CLOSED, id="removed-channel-gets-a-zero"),
        pytest.param(record(CLOSED), NARROW, None, id="zero-is-sent-once"),
        pytest.param(record(CLOSED), OTHER, OTHER, id="zero-not-carried-along"),
        pytest.param(record(CLOSED, status=IN_DOUBT), NARROW, CLOSED, id="zero-in-doubt-is-sent-again"),
        pytest.param(
            record(CLOSED, status=IN_DOUBT),
            OTHER,
            concurrency(8, web_chat=4, sms=0),
            id="zero-in-doubt-is-carried-along",
        ),
        pytest.param(record(CLOSED, callnums_key=LOWER), NARROW, CLOSED, id="zero-under-the-other-spelling"),
        pytest.param(record(CLOSED), CLOSED, None, id="desired-zero-is-no-change"),
        pytest.param(record(CLOSED), WIDE, WIDE, id="closed-channel-opens-again"),
        pytest.param(record(NARROW), CLOSED, CLOSED, id="desired-zero-of-a-channel-never-recorded"),
        pytest.param(record(ONLY_SMS), NARROW, CLOSED, id="all-channels-replaced"),
        pytest.param(record(ONLY_SMS_CLOSED), NARROW, NARROW, id="only-a-closed-channel-was-recorded"),
    ],
)
def test_with_zero_a_recorded_agent_is_sent(
    recorded: AgentRecord, wanted: Concurrency, sent: Concurrency | None
) -> None:
    plan = make_plan(desired({1001: wanted}, at=ZERO), state({1001: recorded}))
    assert ([] if sent is None else [sent]) == [call.after for call in plan.calls]


@pytest.mark.parametrize(
    ("recorded", "wanted", "sent"),
    [
        pytest.param(record(WIDE), NARROW, NARROW, id="removed-channel-is-left-out"),
        pytest.param(record(CLOSED), NARROW, None, id="closed-channel-is-no-change"),
        pytest.param(record(CLOSED, status=IN_DOUBT), OTHER, OTHER, id="in-doubt"),
        pytest.param(record(CLOSED, callnums_key=LOWER), NARROW, NARROW, id="other-spelling"),
        pytest.param(record(NARROW), CLOSED, CLOSED, id="desired-zero"),
        pytest.param(record(ONLY_SMS), NARROW, NARROW, id="all-channels-replaced"),
    ],
)
def test_with_omit_a_recorded_agent_is_sent(
    recorded: AgentRecord, wanted: Concurrency, sent: Concurrency | None
) -> None:
    plan = make_plan(desired({1001: wanted}, at=OMIT), state({1001: recorded}))
    assert ([] if sent is None else [sent]) == [call.after for call in plan.calls]


@given(situation=situations)
def test_with_omit_a_set_sends_exactly_what_is_desired(situation: Situation) -> None:
    wanted = replace(situation.desired, site=OMIT)
    sets = [change for change in make_plan(wanted, situation.state).changes if isinstance(change, Set)]
    assert [wanted.agents[change.agent].concurrency for change in sets] == [change.after for change in sets]


@given(situation=situations)
def test_with_zero_a_set_sends_what_is_desired_and_a_zero_for_every_other_open_channel(situation: Situation) -> None:
    wanted = replace(situation.desired, site=ZERO)
    for change in make_plan(wanted, situation.state).changes:
        if isinstance(change, Set):
            values, sent = wanted.agents[change.agent].concurrency.as_mapping(), change.after.as_mapping()
            recorded = {} if change.before is None else change.before.as_mapping()
            still_open = {channel for channel, n in recorded.items() if n > 0}
            assert values == {channel: sent[channel] for channel in values}
            assert {0} >= {sent[channel] for channel in sent.keys() - values.keys()}
            assert still_open <= sent.keys() <= values.keys() | recorded.keys()


@pytest.mark.parametrize(
    ("policy", "recorded", "sent"),
    [
        pytest.param(OnChannelRemoval.ZERO, record(WIDE), concurrency(1, web_chat=1, sms=0), id="zero"),
        pytest.param(OnChannelRemoval.OMIT, record(WIDE), concurrency(1, web_chat=1), id="omit"),
        pytest.param(OnChannelRemoval.ZERO, record(CLOSED), concurrency(1, web_chat=1, sms=0), id="closed-before"),
        pytest.param(OnChannelRemoval.ZERO, record(concurrency(1, web_chat=1)), concurrency(1, web_chat=1), id="equal"),
    ],
)
def test_a_reset_sends_the_site_s_values_and_closes_the_rest(
    policy: OnChannelRemoval, recorded: AgentRecord, sent: Concurrency
) -> None:
    at = site(on_channel_removal=policy, on_agent_removal=OnAgentRemoval.RESET, reset=concurrency(1, web_chat=1))
    plan = make_plan(desired(at=at), state({1001: recorded}))
    assert [(recorded.concurrency, sent)] == [(change.before, change.after) for change in plan.changes]


def test_a_forgotten_agent_gets_no_call_and_is_gone() -> None:
    recorded = state({1001: WIDE})
    plan = make_plan(desired(), recorded)
    assert (plan.count(Action.FORGET), plan.calls) == (1, ())
    assert settle(plan, recorded).agents == {}


def test_a_reset_in_doubt_is_made_again_with_the_same_values() -> None:
    wanted = desired(at=site(on_agent_removal=OnAgentRemoval.RESET))
    recorded = state({1001: WIDE})
    first = make_plan(wanted, recorded)
    second = make_plan(wanted, settle(first, recorded, in_doubt={1001}))
    assert [(Action.RESET, first.calls[0].after)] == [(change.action, change.after) for change in second.calls]
