"""Whose numbers a probe begins and ends with, and whom it leaves alone."""

from __future__ import annotations

import pytest
from support.fleets import agent_range, concurrency, desired, desired_agent, record, site, state

from reconciler.errors import GuardrailRefusedError, UsageError
from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.site import GuardrailSettings
from reconciler.model.state import AgentRecord, RecordStatus, State, empty_state
from reconciler.probing.subject import choose_subject

AGENT = AgentId(1001)
RECORDED, DESIRED = concurrency(12, sms=4), concurrency(20, web_chat=9)
EMPTY = empty_state("demo")
GUARDED = site(guardrails=GuardrailSettings(protected_agents=(agent_range("1001"),)))
GUARDED_TEAM = site(guardrails=GuardrailSettings(protected_teams=("vip",)))


def test_the_recorded_numbers_and_their_spelling_come_first() -> None:
    recorded = state({1001: record(RECORDED, callnums_key=CallnumsKey.LOWER)})
    subject = choose_subject(AGENT, desired({1001: DESIRED}), recorded, allow_protected=False)

    assert (subject.values, subject.configured, subject.recorded) == (RECORDED, CallnumsKey.LOWER, True)


def test_without_a_record_the_desired_numbers_and_the_sites_spelling_are_taken() -> None:
    fleet = desired({1001: DESIRED}, at=site(callnums_key=CallnumsKey.LOWER))
    subject = choose_subject(AGENT, fleet, EMPTY, allow_protected=False)

    assert (subject.values, subject.configured, subject.recorded) == (DESIRED, CallnumsKey.LOWER, False)


def test_an_agent_that_is_recorded_and_no_longer_desired_can_be_probed_with() -> None:
    subject = choose_subject(AGENT, desired(), state({1001: RECORDED}), allow_protected=False)

    assert (subject.values, subject.team) == (RECORDED, "east")


def test_a_doubt_about_the_record_is_told() -> None:
    recorded = state({1001: record(RECORDED, status=RecordStatus.IN_DOUBT)})

    assert choose_subject(AGENT, desired(), recorded, allow_protected=False).in_doubt


def test_an_agent_that_is_neither_recorded_nor_desired_is_refused() -> None:
    with pytest.raises(UsageError, match="agent 1001 is neither recorded nor desired"):
        choose_subject(AGENT, desired({1002: DESIRED}), EMPTY, allow_protected=True)


@pytest.mark.parametrize(
    ("fleet", "recorded"),
    [
        (desired({1001: desired_agent(DESIRED, protected=True)}), EMPTY),
        (desired({1001: DESIRED}), state({1001: record(RECORDED, protected=True)})),
        (desired({}), state({1001: record(RECORDED, protected=True)})),
        (desired({1001: DESIRED}, at=GUARDED), EMPTY),
        (desired({1001: desired_agent(DESIRED, team="vip")}, at=GUARDED_TEAM), EMPTY),
        (desired({1001: DESIRED}, at=GUARDED_TEAM), state({1001: record(RECORDED, team="vip")})),
    ],
    ids=["by-itself", "in-the-record", "deleted", "by-the-site", "by-its-team", "by-its-recorded-team"],
)
def test_a_protected_agent_is_refused_unless_that_is_lifted(fleet: Desired, recorded: State) -> None:
    with pytest.raises(GuardrailRefusedError) as refused:
        choose_subject(AGENT, fleet, recorded, allow_protected=False)

    assert "--allow-protected" in refused.value.hint
    assert choose_subject(AGENT, fleet, recorded, allow_protected=True).agent == AGENT


@pytest.mark.parametrize(
    "recorded", [record(RECORDED, protected=True), record(RECORDED, team="vip")], ids=["protection", "protecting-team"]
)
def test_a_probe_lifts_no_protection_in_the_record(recorded: AgentRecord) -> None:
    fleet = desired({1001: desired_agent(DESIRED, team="east")}, at=GUARDED_TEAM)
    subject = choose_subject(AGENT, fleet, state({1001: recorded}), allow_protected=True)

    assert subject.protected == recorded.protected
    assert subject.team == ("vip" if recorded.team == "vip" else "east")
