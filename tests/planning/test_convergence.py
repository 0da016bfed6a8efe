"""Plans applied lead to where nothing is left to do, and agents then really have what is desired.

Between the steps calls get lost: their agents are in doubt, and the gateway has taken them or not.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from support.fleets import (
    POOL,
    Floor,
    agent_id,
    concurrency,
    desired,
    desired_fleets,
    desireds,
    settle,
    site,
    sites,
    state,
    states,
)

from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Plan
from reconciler.model.site import OnAgentRemoval, OnChannelRemoval, Site
from reconciler.model.state import State
from reconciler.planning import make_plan
from reconciler.values import replace


@dataclass(frozen=True)
class Step:
    """A desired fleet is applied; some answers are lost, and of these some calls as well."""

    fleet: dict[AgentId, DesiredAgent]
    unanswered: frozenset[AgentId]
    unheard: frozenset[AgentId]


some_agents = st.frozensets(st.sampled_from(POOL))
steps = st.builds(
    lambda fleet, unanswered, unheard: Step(fleet, unanswered, unanswered & unheard),
    desired_fleets,
    some_agents,
    some_agents,
)
chains = st.lists(steps, min_size=1, max_size=4)


@given(wanted=desireds, recorded=states)
def test_after_every_call_is_acknowledged_nothing_is_left_to_do(wanted: Desired, recorded: State) -> None:
    after = settle(make_plan(wanted, recorded), recorded)
    assert make_plan(wanted, after).changes == ()
    assert list(wanted.agents) == list(after.agents)


@given(wanted=desireds, recorded=states, unanswered=some_agents)
def test_exactly_the_agents_in_doubt_are_left_to_do(
    wanted: Desired, recorded: State, unanswered: frozenset[AgentId]
) -> None:
    first = make_plan(wanted, recorded)
    second = make_plan(wanted, settle(first, recorded, in_doubt=unanswered))
    assert [call.agent for call in first.calls if call.agent in unanswered] == [c.agent for c in second.changes]
    assert [call.after for call in first.calls if call.agent in unanswered] == [c.after for c in second.changes]


@given(at=sites, chain=chains)
def test_a_chain_of_desired_fleets_with_lost_answers_ends_with_nothing_to_do(at: Site, chain: list[Step]) -> None:
    now = state()
    for step in chain:
        now = settle(make_plan(Desired(site=at, agents=step.fleet), now), now, in_doubt=step.unanswered)
    last = Desired(site=at, agents=chain[-1].fleet)
    now = settle(make_plan(last, now), now)
    assert make_plan(last, now).changes == ()


@given(chain=chains)
def test_closing_by_zero_leaves_every_agent_with_what_is_desired_and_nothing_else(chain: list[Step]) -> None:
    # A reset that closes everything: what another one leaves open is the site's wish, and an agent who returns is new.
    everything_closed = concurrency(1, web_chat=0)
    at = site(on_channel_removal=OnChannelRemoval.ZERO, on_agent_removal=OnAgentRemoval.RESET, reset=everything_closed)
    floor, now = Floor(), state()
    for step in chain:
        plan = make_plan(Desired(site=at, agents=step.fleet), now)
        floor.receive(plan, lost=step.unheard)
        now = settle(plan, now, in_doubt=step.unanswered)
    plan = make_plan(Desired(site=at, agents=chain[-1].fleet), now)
    floor.receive(plan)
    for agent, wanted in chain[-1].fleet.items():
        really_open = {channel: n for channel, n in floor.channels[agent].items() if n > 0}
        assert {channel: n for channel, n in wanted.concurrency.channels if n > 0} == really_open


def test_a_closing_zero_the_gateway_did_not_understand_is_sent_again_under_the_other_spelling() -> None:
    floor, now = Floor(understood=CallnumsKey.LOWER, channels={agent_id(1001): {Channel.SMS: 6}}), state()

    def walk(wanted: Desired) -> Plan:
        nonlocal now
        plan = make_plan(wanted, now)
        floor.receive(plan)
        now = settle(plan, now)
        return plan

    narrow = desired({1001: concurrency(25, web_chat=9)})
    walk(desired({1001: concurrency(25, web_chat=9, sms=6)}))
    walk(narrow)
    respelt = replace(narrow, site=site(callnums_key=CallnumsKey.LOWER))
    assert concurrency(25, web_chat=9, sms=0) == walk(respelt).calls[0].after
    assert floor.channels[agent_id(1001)] == {Channel.WEB_CHAT: 9, Channel.SMS: 0}
    assert walk(respelt).changes == ()
