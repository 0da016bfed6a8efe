from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from applying.rehearsed import HOLDER, Office
from applying.scripted import VALUES, results
from support.fleets import agent_range, concurrency, desired_agent, fleet_of

from reconciler.applying import PlanDiffersError, PlanRefusedError
from reconciler.errors import ExitCode, InterruptedRunError, LockHeldError, StalePlanError
from reconciler.gateway import SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.gateway_settings import CallnumsKey, GatewaySettings
from reconciler.model.outcome import Result
from reconciler.model.plan import PlanOptions, Reason, Scope
from reconciler.model.session import Session
from reconciler.model.site import GuardrailSettings
from reconciler.values import replace

OTHER = concurrency(8, web_chat=3, sms=6)
FIVE = (1001, 1002, 1003, 1004, 1005)
NOTHING_LEFT = {"state.json", "state.json.history", "state.json.lock", "sessions.json"}


def begun(office: Office, *agents: int) -> None:
    """Sign the agents in and give them `VALUES`."""
    office.sign_in(*agents)
    report = office.apply(office.desired(fleet_of(agents, VALUES)))
    assert set(results(report.outcomes).values()) <= {Result.APPLIED}
    office.asked.clear()


# From the lock to the unlock


def test_an_apply_sends_records_and_leaves_nothing_but_the_state(office: Office) -> None:
    office.sign_in(1001, 1002)
    report = office.apply(office.desired(fleet_of([1001, 1002], VALUES)))

    assert results(report.outcomes) == {1001: Result.APPLIED, 1002: Result.APPLIED}
    assert report.error is None
    assert report.state == office.state()
    assert report.state.serial == 1
    assert office.live() == {1001: {"51": 9, "52": 6}, 1002: {"51": 9, "52": 6}}
    assert office.names() == NOTHING_LEFT


def test_no_secret_reaches_the_state_or_an_outcome(office: Office) -> None:
    office.sign_in(1001)
    report = office.apply(office.desired({1001: VALUES}))
    (session,) = json.loads((office.directory / "sessions.json").read_text())

    assert session["guid"] not in (office.directory / "state.json").read_text()
    assert session["guid"] not in repr(report)
    assert report.state.agents[AgentId(1001)].session == session["session"]


def test_agents_who_are_not_signed_in_are_deferred_and_done_when_they_are(office: Office) -> None:
    office.sign_in(1001)
    wanted = office.desired(fleet_of([1001, 1002], VALUES))
    assert results(office.apply(wanted).outcomes) == {1001: Result.APPLIED, 1002: Result.DEFERRED}
    assert office.calls_of() == {1001: 1}

    office.sign_in(1001, 1002)
    assert results(office.apply(wanted).outcomes) == {1002: Result.APPLIED}
    assert office.calls_of() == {1001: 1, 1002: 1}


class LateSource(SessionSource):
    """A source that gives the first Guid, and the second only when it is asked again."""

    def __init__(self, *guids: str) -> None:
        self._guids = list(guids)

    async def fetch(self, agents: Sequence[AgentId]) -> dict[AgentId, Session]:
        guid = self._guids.pop(0)
        return {agent: Session(agent=agent, guid=guid, key="login-1") for agent in agents}


def test_a_guid_that_rotated_is_read_again_and_used(office: Office) -> None:
    old, new = office.server.sign_in([1001])[0], office.server.call(lambda gateway: gateway.rotate(1001)).document()
    source = LateSource(str(old["guid"]), str(new["guid"]))
    report = office.apply(office.desired({1001: VALUES}), around={"source": source})

    assert [(each.result, each.attempts) for each in report.outcomes] == [(Result.APPLIED, 2)]


def test_a_held_lock_refuses_before_anything(office: Office) -> None:
    office.sign_in(1001)
    with office.store().lock(replace(HOLDER, who="somebody@else")), pytest.raises(LockHeldError, match="somebody@else"):
        office.apply(office.desired({1001: VALUES}))

    assert (office.asked, office.calls()) == ([], 0)
    assert office.names() == {"state.json.lock", "sessions.json"}


# Approval


def test_approval_is_asked_once_and_shown_the_plan_that_is_carried_out(office: Office) -> None:
    office.sign_in(1001)
    report = office.apply(office.desired({1001: VALUES}))

    assert office.asked == [report.plan]


def test_approval_is_not_asked_when_nothing_changes(office: Office) -> None:
    begun(office, 1001)
    office.answer = False
    report = office.apply(office.desired({1001: VALUES}))

    assert (office.asked, report.outcomes, report.error) == ([], (), None)
    assert office.calls() == 1


def test_without_approval_nothing_is_sent_and_no_journal_is_left(office: Office) -> None:
    office.sign_in(1001)
    office.answer = False
    with pytest.raises(InterruptedRunError, match="not approved; nothing was sent") as caught:
        office.apply(office.desired({1001: VALUES}))

    assert caught.value.exit_code is ExitCode.INTERRUPTED
    assert office.calls() == 0
    assert office.names() == {"state.json.lock", "sessions.json"}
    office.answer = True
    assert results(office.apply(office.desired({1001: VALUES})).outcomes) == {1001: Result.APPLIED}


# The reviewed plan


def test_a_reviewed_plan_that_still_holds_is_carried_out(office: Office) -> None:
    begun(office, *FIVE)
    wanted = office.desired(fleet_of(FIVE, OTHER))
    report = office.apply(wanted, reviewed=office.plan(wanted))

    assert set(results(report.outcomes).values()) == {Result.APPLIED}
    assert office.calls() == 10


def test_a_reviewed_plan_brings_its_own_options(office: Office) -> None:
    begun(office, *FIVE)
    wanted = office.desired(fleet_of(FIVE, OTHER))
    narrow = PlanOptions(scope=Scope(agents=(agent_range("1002-1003"),)))
    report = office.apply(wanted, reviewed=office.plan(wanted, narrow), options=PlanOptions(reassert_all=True))

    assert list(results(report.outcomes)) == [1002, 1003]


def test_options_count_when_there_is_no_reviewed_plan(office: Office) -> None:
    begun(office, 1001)
    report = office.apply(office.desired({1001: VALUES}), options=PlanOptions(reassert_all=True))

    assert [change.reason for change in report.plan.changes] == [Reason.REQUESTED]


def test_a_plan_that_grew_is_refused_with_the_difference_and_nothing_is_sent(office: Office) -> None:
    begun(office, *FIVE)
    reviewed = office.plan(office.desired(fleet_of([1001], OTHER) | fleet_of(FIVE[1:], VALUES)))
    with pytest.raises(PlanDiffersError, match="not the plan that was reviewed; nothing was sent") as caught:
        office.apply(office.desired(fleet_of(FIVE, OTHER)), reviewed=reviewed, allow_shrink=True)

    error = caught.value
    assert error.exit_code is ExitCode.STALE_PLAN
    assert [change.agent for change in error.difference.come] == list(FIVE[1:])
    assert "--allow-shrink" not in error.hint
    assert office.calls() == 5
    assert office.asked == []


def test_a_plan_that_shrank_is_refused_unless_that_is_accepted(office: Office) -> None:
    begun(office, *FIVE)
    wanted = office.desired(fleet_of(FIVE, OTHER))
    reviewed = office.plan(wanted)
    office.apply(wanted, options=PlanOptions(scope=Scope(agents=(agent_range("1001-1002"),))))

    with pytest.raises(PlanDiffersError) as caught:
        office.apply(wanted, reviewed=reviewed)
    assert [change.agent for change in caught.value.difference.gone] == [1001, 1002]
    assert "--allow-shrink" in caught.value.hint

    report = office.apply(wanted, reviewed=reviewed, allow_shrink=True)
    assert list(results(report.outcomes)) == [1003, 1004, 1005]


def test_a_plan_with_another_value_is_no_shrunk_one(office: Office) -> None:
    begun(office, *FIVE)
    reviewed = office.plan(office.desired(fleet_of(FIVE, OTHER)))
    wanted = office.desired(fleet_of(FIVE[1:4], OTHER) | {1001: VALUES, 1005: concurrency(9, web_chat=3, sms=6)})
    with pytest.raises(PlanDiffersError) as caught:
        office.apply(wanted, reviewed=reviewed, allow_shrink=True)

    assert [now.agent for _, now in caught.value.difference.altered] == [1005]


def test_a_plan_for_another_gateway_is_refused(office: Office) -> None:
    office.sign_in(1001)
    reviewed = office.plan(office.desired({1001: VALUES}, gateway=GatewaySettings(url="https://other.test:8043")))
    with pytest.raises(PlanDiffersError) as caught:
        office.apply(office.desired({1001: VALUES}), reviewed=reviewed, allow_shrink=True)

    assert caught.value.difference.settings == (("url", "https://other.test:8043", office.server.url),)


def test_a_plan_of_another_site_is_refused_even_if_it_does_the_same(office: Office) -> None:
    office.sign_in(1001)
    reviewed = office.plan(office.desired({1001: VALUES}))
    with pytest.raises(StalePlanError, match="of site elsewhere, and this is site demo; nothing was sent"):
        office.apply(office.desired({1001: VALUES}), reviewed=replace(reviewed, site="elsewhere"))

    assert office.calls() == 0


# Guardrails


def test_a_refusal_names_every_guardrail_and_the_way_out(office: Office) -> None:
    begun(office, *FIVE)
    office.guardrails = GuardrailSettings(
        max_changed_percent=30, min_population=1, max_changed_agents=2, protected_agents=(agent_range("1004"),)
    )
    wanted = office.desired({**fleet_of(FIVE[:4], OTHER), 1006: OTHER})
    with pytest.raises(PlanRefusedError) as caught:
        office.apply(wanted)

    error = caught.value
    assert error.exit_code is ExitCode.REFUSED_BY_GUARDRAIL
    assert str(error) == (
        "refused: max_changed_percent: 5 of 5 recorded agents (100.0 %), the limit is 30 %; "
        "max_changed_agents: 5 agents, the limit is 2; protected: 1 protected agent, the limit is 0; "
        "nothing was sent"
    )
    assert error.hint == "if it is meant, say so with --allow-changes 6"
    assert [finding.guardrail for finding in error.plan.refusals] == [
        "max_changed_percent",
        "max_changed_agents",
        "protected",
    ]
    assert (office.asked, office.calls()) == ([], 5)


@pytest.mark.parametrize("allowed", [4, 6])
def test_an_approval_of_another_number_is_refused_too(office: Office, allowed: int) -> None:
    begun(office, *FIVE)
    with pytest.raises(PlanRefusedError, match=f"5 changes planned, the limit is {allowed} approved"):
        office.apply(office.desired(fleet_of(FIVE, OTHER)), allow_changes=allowed)


def test_the_number_named_exactly_lifts_the_guardrails(office: Office) -> None:
    begun(office, *FIVE)
    office.guardrails = GuardrailSettings(max_changed_agents=2)
    report = office.apply(office.desired(fleet_of(FIVE, OTHER)), allow_changes=5)

    assert set(results(report.outcomes).values()) == {Result.APPLIED}


def test_a_reviewed_plan_passes_the_guardrails_again(office: Office) -> None:
    begun(office, *FIVE)
    office.guardrails = GuardrailSettings(max_changed_agents=2)
    wanted = office.desired(fleet_of(FIVE, OTHER))
    with pytest.raises(PlanRefusedError):
        office.apply(wanted, reviewed=office.plan(wanted))


# Team and protection


def test_a_team_that_changes_is_shown_for_approval_and_recorded_without_a_call(office: Office) -> None:
    begun(office, 1001)
    report = office.apply(office.desired({1001: desired_agent(VALUES, team="night", protected=True)}))
    saved = report.state.agents[AgentId(1001)]

    (shown,) = office.asked

    assert (saved.team, saved.protected, office.calls()) == ("night", True, 1)
    assert (shown.changes, [each.agent for each in shown.standing]) == ((), [1001])


def test_a_protection_is_never_lifted_where_nobody_was_asked(office: Office) -> None:
    office.sign_in(1001)
    office.apply(office.desired({1001: desired_agent(VALUES, protected=True)}))
    office.apply(office.desired({1001: desired_agent(VALUES, team="night")}))
    saved = office.state().agents[AgentId(1001)]

    assert (saved.team, saved.protected) == ("night", True)
    with pytest.raises(PlanRefusedError, match="1 protected agent"):
        office.apply(office.desired({1001: OTHER}))


VIP_IS_PROTECTED = GuardrailSettings(max_changed_percent=None, protected_teams=("vip",))


@pytest.mark.parametrize(
    ("key", "asked_for", "calls"),
    [
        pytest.param(CallnumsKey.CAMEL, PlanOptions(), 1, id="without-a-call"),
        pytest.param(CallnumsKey.CAMEL, PlanOptions(reassert_all=True), 2, id="by-a-repetition"),
        pytest.param(CallnumsKey.LOWER, PlanOptions(), 2, id="by-another-key-spelling"),
    ],
)
def test_a_protected_team_is_not_left_in_two_steps_where_nobody_was_asked(
    office: Office, key: CallnumsKey, asked_for: PlanOptions, calls: int
) -> None:
    office.guardrails = VIP_IS_PROTECTED
    office.sign_in(1001)
    office.apply(office.desired({1001: desired_agent(VALUES, team="vip")}))
    gateway = office.gateway(callnums_key=key)
    office.apply(office.desired({1001: desired_agent(VALUES, team="east")}, gateway=gateway), options=asked_for)

    assert (office.state().agents[AgentId(1001)].team, office.calls()) == ("vip", calls)
    with pytest.raises(PlanRefusedError, match="1 protected agent"):
        office.apply(office.desired({1001: desired_agent(OTHER, team="east")}, gateway=gateway))


def test_a_protected_team_is_left_with_an_approved_change(office: Office) -> None:
    office.guardrails = VIP_IS_PROTECTED
    office.sign_in(1001)
    office.apply(office.desired({1001: desired_agent(VALUES, team="vip")}))
    office.apply(office.desired({1001: desired_agent(OTHER, team="east")}), allow_changes=1)
    assert office.state().agents[AgentId(1001)].team == "east"

    report = office.apply(office.desired({1001: desired_agent(VALUES, team="east")}))
    assert results(report.outcomes) == {1001: Result.APPLIED}


def test_a_change_of_a_protected_team_that_the_gateway_refused_leaves_the_recorded_team(office: Office) -> None:
    office.guardrails = VIP_IS_PROTECTED
    office.sign_in(1001)
    office.apply(office.desired({1001: desired_agent(VALUES, team="vip")}))
    office.server.add_faults("1001=retcode:106-011")
    report = office.apply(office.desired({1001: desired_agent(OTHER, team="east")}), allow_changes=1)

    assert results(report.outcomes) == {1001: Result.FAILED}
    assert office.state().agents[AgentId(1001)].team == "vip"
