"""What an apply leaves when something goes wrong on the way, and that the next one finishes the work."""

from __future__ import annotations

from pathlib import Path

import pytest
from applying.rehearsed import Office
from applying.scripted import VALUES, Disk, Fault, results
from support.fleets import concurrency, desired_agent, fleet_of

from reconciler.applying import RunStoppedError
from reconciler.errors import InterruptedRunError, StateError
from reconciler.gateway import GatewayAccess, open_access
from reconciler.model.agent import AgentId
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Reason
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import RecordStatus
from reconciler.state import decode

OTHER = concurrency(8, web_chat=3, sms=6)
FIVE = (1001, 1002, 1003, 1004, 1005)
NOTHING_LEFT = {"state.json", "state.json.history", "state.json.lock", "sessions.json"}


def begun(office: Office, *agents: int) -> None:
    """Sign the agents in and give them `VALUES`."""
    office.sign_in(*agents)
    report = office.apply(office.desired(fleet_of(agents, VALUES)))
    assert set(results(report.outcomes).values()) <= {Result.APPLIED}
    office.asked.clear()


# When the state cannot be written


def test_a_state_that_cannot_be_written_is_rescued_and_told(office: Office) -> None:
    office.files = disk = Disk()
    disk.broken = {"state.json"}
    office.sign_in(1001)
    report = office.apply(office.desired({1001: VALUES}))

    assert results(report.outcomes) == {1001: Result.APPLIED}
    assert isinstance(report.error, StateError)
    assert "No space left on device" in str(report.error)
    rescued = decode((office.directory / "errored-state.json").read_bytes(), site="demo")
    assert rescued.agents == report.state.agents
    assert "state.json.journal holds the run" in report.error.hint
    assert "or put the full copy there with: reconciler state push" in report.error.hint
    assert office.state().agents == rescued.agents  # the journal holds the run as well


def test_a_state_that_cannot_be_written_does_not_hide_why_the_run_had_stopped(office: Office) -> None:
    office.files = disk = Disk()
    disk.broken = {"state.json"}
    office.sign_in(*FIVE)
    office.server.add_faults("1002=retcode:106-011")
    gateway = office.gateway(concurrency=1)
    report = office.apply(office.desired(fleet_of(FIVE, VALUES), gateway=gateway), fail_fast=True)

    assert isinstance(report.error, StateError)
    assert "No space left on device; before that: stopped: agent 1002 failed" in str(report.error)
    assert isinstance(report.error.__cause__, RunStoppedError)
    assert "errored-state.json" in report.error.hint


def test_a_bug_is_not_hidden_by_a_state_that_cannot_be_written(office: Office) -> None:
    office.files = disk = Disk()
    disk.broken = {"state.json"}
    office.sign_in(1001)

    def listener(_: Outcome) -> None:
        raise Fault("here")

    report = office.apply(office.desired({1001: VALUES}), on_outcome=listener)

    assert "before that: Fault('here')" in str(report.error)


def test_a_bug_while_the_state_is_written_costs_no_outcome(office: Office) -> None:
    class Strange(Disk):
        def replace(self, source: Path, target: Path) -> None:
            raise Fault(f"{source.name} and {target.name}")

    office.files = Strange()
    office.sign_in(1001)
    report = office.apply(office.desired({1001: VALUES}))

    assert isinstance(report.error, Fault)
    assert results(report.outcomes) == {1001: Result.APPLIED}


# A gateway that cannot be spoken to


def trusting_nobody(office: Office) -> GatewayAccess:
    """The way to the gateway without its `ca_file`."""
    return open_access(GatewaySettings(url=office.server.url), root=office.directory, environ={})


def test_a_wrong_certificate_stops_the_run_with_a_sentence_and_sends_nothing(office: Office) -> None:
    office.sign_in(*FIVE)
    report = office.apply(office.desired(fleet_of(FIVE, VALUES)), around={"access": trusting_nobody(office)})

    assert isinstance(report.error, RunStoppedError)
    assert "gateway.ca_file" in str(report.error)
    assert set(results(report.outcomes).values()) == {Result.FAILED, Result.SKIPPED}
    assert office.calls() == 0
    assert office.state().agents == {}


def test_an_answer_that_was_cut_off_is_tried_again_and_ends_well(office: Office) -> None:
    office.sign_in(1001)
    office.server.add_faults("1001=reset-after-commit", "1001=http-502", "1001=retcode:100-007")
    report = office.apply(office.desired({1001: VALUES}))

    assert [(each.result, each.attempts) for each in report.outcomes] == [(Result.APPLIED, 4)]


def test_an_agent_in_doubt_is_sent_again_by_the_next_apply(office: Office) -> None:
    office.sign_in(1001)
    office.server.add_faults(*["1001=reset-after-commit"] * 2)
    wanted = office.desired({1001: VALUES})
    first = office.apply(wanted, max_attempts=2)
    assert results(first.outcomes) == {1001: Result.IN_DOUBT}
    assert first.state.agents[AgentId(1001)].status is RecordStatus.IN_DOUBT

    second = office.apply(wanted)
    assert [change.reason for change in second.plan.changes] == [Reason.IN_DOUBT]
    assert results(second.outcomes) == {1001: Result.APPLIED}


def test_calls_of_one_agent_never_overlap_at_the_gateway_and_the_site_is_not_crowded(office: Office) -> None:
    numbers = range(1001, 1041)
    office.sign_in(*numbers)
    office.server.add_faults(*(f"{number}=retcode:000-007" for number in numbers))
    gateway = office.gateway(concurrency=3, requests_per_second=10_000)
    office.apply(office.desired(fleet_of(numbers, VALUES), gateway=gateway))
    traffic = office.server.call(lambda gateway: gateway.requests_document())

    assert (traffic["total"], traffic["max_overlap"]) == (80, 1)
    assert int(str(traffic["max_in_flight"])) <= 3


# Interrupted, and gone on with


@pytest.mark.parametrize("after", [1, 3, 7])
def test_an_interrupted_run_is_whole_and_the_next_one_makes_exactly_the_missing_calls(
    office: Office, after: int
) -> None:
    numbers = range(1001, 1013)
    office.sign_in(*numbers)
    wanted = office.desired(fleet_of(numbers, VALUES))
    heard: list[Outcome] = []

    def listener(outcome: Outcome) -> None:
        heard.append(outcome)
        if len(heard) == after:
            assert office.stop is not None
            office.stop.request(InterruptedRunError("interrupted"), grace=5)

    first = office.apply(wanted, on_outcome=listener)
    done = {agent for agent, result in results(first.outcomes).items() if result is Result.APPLIED}
    assert [outcome.agent for outcome in first.outcomes] == list(numbers)
    assert set(results(first.outcomes).values()) == {Result.APPLIED, Result.SKIPPED}
    assert after <= len(done) < after + wanted.site.gateway.concurrency
    assert isinstance(first.error, InterruptedRunError)
    assert set(first.state.agents) == done

    second = office.apply(wanted)
    assert set(results(second.outcomes)) == set(numbers) - done
    assert office.calls_of() == dict.fromkeys(numbers, 1)
    assert office.apply(wanted).outcomes == ()


def test_a_run_that_died_is_taken_over_by_the_next_apply(office: Office) -> None:
    office.sign_in(*FIVE)

    def die(outcome: Outcome) -> None:
        if outcome.agent == 1002:
            raise KeyboardInterrupt

    wanted = office.desired(fleet_of(FIVE, VALUES))
    with pytest.raises(KeyboardInterrupt):
        office.apply(wanted, on_outcome=die)
    assert "state.json.journal" in office.names()
    acknowledged = {a for a, each in office.state().agents.items() if each.status is RecordStatus.ACKNOWLEDGED}
    assert 1002 in acknowledged

    second = office.apply(wanted)
    assert set(results(second.outcomes)) == set(FIVE) - acknowledged
    assert set(results(second.outcomes).values()) <= {Result.APPLIED}
    assert office.names() == NOTHING_LEFT
    assert office.plan(wanted).changes == ()


# Convergence


def test_each_apply_makes_the_missing_calls_and_the_next_one_none(office: Office) -> None:
    numbers = range(1001, 1006)
    office.sign_in(*numbers)
    narrow = concurrency(8, web_chat=3)
    reset = {"on_agent_removal": OnAgentRemoval.RESET, "reset": concurrency(1, web_chat=1)}
    steps = [
        ("all are new", office.desired(fleet_of(numbers, VALUES)), 5),
        ("one changes", office.desired({**fleet_of(numbers, VALUES), 1003: OTHER}), 1),
        ("a channel is closed", office.desired({**fleet_of(numbers, VALUES), 1003: narrow}), 1),
        ("and opened again", office.desired(fleet_of(numbers, VALUES)), 1),
        ("two are forgotten", office.desired(fleet_of(numbers[:3], VALUES)), 0),
        ("and come back", office.desired(fleet_of(numbers, VALUES)), 2),
        ("two are reset", office.desired(fleet_of(numbers[:3], VALUES), **reset), 2),
        ("only a team changes", office.desired({n: desired_agent(VALUES, team="night") for n in numbers[:3]}), 0),
        ("nobody is left", office.desired({}), 0),
        ("all are new again", office.desired(fleet_of(numbers, narrow)), 5),
    ]
    expected = 0
    for step, wanted, missing in steps:
        report = office.apply(wanted)
        expected += missing
        assert (step, office.calls()) == (step, expected)
        assert report.error is None
        assert (step, office.plan(wanted).changes) == (step, ())
        again = office.apply(wanted)
        assert (step, again.outcomes, office.calls()) == (step, (), expected)
        assert again.state == report.state
    assert {agent: channels["51"] for agent, channels in office.live().items()} == dict.fromkeys(numbers, 3)
