"""Every run leaves its way back, however it ends, and the way back leads to the numbers that were in force."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from applying.rehearsed import Office
from applying.scripted import Disk, Fault, results
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fleets import concurrency, desired_agent, few_concurrencies, fleet_of
from support.rehearsal import RehearsalServer

from reconciler.applying import ApplyReport, PlanRefusedError, RecordsChangedError
from reconciler.errors import InputError, InterruptedRunError, StalePlanError, StateError
from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.inverse import InversePlan
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, PlanOptions
from reconciler.model.site import GuardrailSettings, OnAgentRemoval
from reconciler.model.state import RecordStatus
from reconciler.planning import require_unaltered_inverse
from reconciler.report import document_text, inverse_document, read_inverse_plan
from reconciler.values import replace

OLD, NEW = concurrency(25, web_chat=9), concurrency(25, web_chat=4, sms=6)
FIVE = (1001, 1002, 1003, 1004, 1005)
ABSENT, NO = "100-006", "106-011"


@dataclass
class Shelf:
    """Keeps the way back of a run as the text of its file, and every text it ever had."""

    texts: list[str] = field(default_factory=list)
    prepared_by: int = 0
    refuses: bool = False
    breaks: bool = False

    def prepare(self, inverse: InversePlan) -> None:
        if self.refuses:
            raise InputError("no room for the way back")
        self.prepared_by += 1
        self.texts.append(written(inverse))

    def settle(self, inverse: InversePlan) -> None:
        if self.breaks:
            raise InputError("no room any more")
        self.texts.append(written(inverse) if inverse.changes else "")

    @property
    def early(self) -> InversePlan:
        return read(self.texts[0])

    @property
    def late(self) -> InversePlan:
        return read(self.texts[-1])


class NoRoomForAJournal(Disk):
    """A disk that is full when the journal is begun."""

    def open_append(self, path: Path) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def written(inverse: InversePlan) -> str:
    return document_text(inverse_document(inverse, tool_version="1"))


def read(text: str) -> InversePlan:
    inverse = read_inverse_plan(text.encode(), name="rollback.json")
    require_unaltered_inverse(inverse, name="rollback.json")
    return inverse


def begun(office: Office, agents: Mapping[int, Concurrency]) -> None:
    """Sign them in and give them their values."""
    office.sign_in(*agents)
    report = office.apply(office.desired(agents))
    assert set(results(report.outcomes).values()) <= {Result.APPLIED}
    office.asked.clear()


def applied(office: Office, agents: Mapping[int, Concurrency], *, shelf: Shelf, **more: object) -> ApplyReport:
    return office.apply(office.desired(agents), around={"way_back": shelf}, **more)  # type: ignore[arg-type]


def undone(office: Office, undo: InversePlan, *, shelf: Shelf | None = None, **request: object) -> ApplyReport:
    around = {"way_back": shelf or Shelf()}
    return office.apply(office.desired({}), around=around, undo=undo, **request)  # type: ignore[arg-type]


# The law


@dataclass(frozen=True, kw_only=True)
class Story:
    """What was in force, what is asked for, and what goes wrong on the way."""

    before: dict[int, Concurrency]
    wanted: dict[int, Concurrency]
    removal: OnAgentRemoval
    faults: dict[int, str]
    stop_after: int


agents = st.sampled_from(FIVE)
stories = st.builds(
    Story,
    before=st.dictionaries(agents, few_concurrencies, min_size=2),
    wanted=st.dictionaries(agents, few_concurrencies, min_size=1),
    removal=st.sampled_from(OnAgentRemoval),
    faults=st.dictionaries(
        agents, st.sampled_from([f"retcode:{ABSENT}", f"retcode:{NO}", "reset-before-commit", "reset-after-commit"])
    ),
    stop_after=st.integers(1, 9),
)


def in_force(office: Office, agent: int) -> dict[str, int]:
    return {code: number for code, number in office.live()[agent].items() if number}


def numbers(value: Concurrency) -> dict[str, int]:
    return {channel.code: number for channel, number in value.channels if number}


@settings(max_examples=20, deadline=None)
@given(story=stories, cut_short=st.booleans())
def test_after_a_run_and_its_way_back_everybody_has_the_numbers_they_had(story: Story, *, cut_short: bool) -> None:
    with RehearsalServer() as server, TemporaryDirectory() as directory:
        office = Office(server, Path(directory))
        office.sign_in(*FIVE)  # once: who signs in anew loses the numbers
        office.apply(office.desired(story.before))
        server.add_faults(*(f"{agent}={fault}" for agent, fault in story.faults.items()))
        told: list[Outcome] = []

        def interrupt(outcome: Outcome) -> None:
            told.append(outcome)
            if len(told) == story.stop_after and office.stop is not None:
                office.stop.request(InterruptedRunError("interrupted"), grace=5.0)

        shelf = Shelf()
        wanted = office.desired(story.wanted, on_agent_removal=story.removal)
        office.apply(wanted, on_outcome=interrupt, max_attempts=1, around={"way_back": shelf})
        if shelf.texts and shelf.texts[-1]:
            report = office.apply(wanted, undo=shelf.early if cut_short else shelf.late, options=PlanOptions())
            assert set(results(report.outcomes).values()) <= {Result.APPLIED}

        recorded = office.state().agents
        for agent, value in story.before.items():
            assert numbers(value) == in_force(office, agent)
            assert numbers(value) == numbers(recorded[AgentId(agent)].concurrency)
            assert value.total == recorded[AgentId(agent)].concurrency.total


# What a run leaves


def test_a_run_leaves_the_agents_it_changed_with_what_was_recorded_of_them(office: Office) -> None:
    begun(office, fleet_of(FIVE[:2], OLD))
    office.sign_in(1001, 1003)
    before = office.state()
    shelf = Shelf()

    report = applied(office, fleet_of(FIVE[:3], NEW), shelf=shelf)

    assert {change.agent: change.before for change in shelf.late.changes} == {
        1001: before.agents[AgentId(1001)],
        1003: None,
    }
    assert [change.agent for change in shelf.early.changes] == [1001, 1002, 1003]
    assert (shelf.early.finished, shelf.late.finished) == (False, True)
    assert (shelf.late.serial_before, shelf.late.serial_after) == (before.serial, report.state.serial)
    assert report.inverse == shelf.late


def test_the_way_back_is_kept_before_the_first_call_and_a_run_without_one_sends_nothing(office: Office) -> None:
    begun(office, {1001: OLD})
    before = office.state()

    with pytest.raises(InputError, match="no room"):
        applied(office, {1001: NEW}, shelf=Shelf(refuses=True))

    assert office.calls() == 1
    assert before == office.state()


def test_a_way_back_that_cannot_be_written_anew_hides_no_outcome(office: Office) -> None:
    begun(office, {1001: OLD})
    shelf = Shelf(breaks=True)

    report = applied(office, {1001: NEW}, shelf=shelf)

    assert results(report.outcomes) == {1001: Result.APPLIED}
    assert report.error is None
    assert [warning.code for warning in report.warnings] == ["rollback-file-not-settled"]
    assert results(undone(office, shelf.early).outcomes) == {1001: Result.APPLIED}
    assert in_force(office, 1001) == numbers(OLD)


@pytest.mark.parametrize("wanted", [OLD, NEW], ids=["nothing-planned", "everybody-deferred"])
def test_a_run_that_changed_nothing_leaves_no_way_back(office: Office, wanted: Concurrency) -> None:
    begun(office, {1001: OLD})
    office.sign_in()
    shelf = Shelf()

    applied(office, {1001: wanted}, shelf=shelf)

    assert shelf.texts[-1:] == ([] if wanted == OLD else [""])


def test_a_run_whose_journal_cannot_be_begun_leaves_no_way_back(office: Office) -> None:
    begun(office, {1001: OLD})
    office.files = NoRoomForAJournal()
    shelf = Shelf()

    with pytest.raises(StateError):
        applied(office, {1001: NEW}, shelf=shelf)

    assert shelf.texts[-1] == ""


def test_the_way_back_survives_a_state_that_cannot_be_written(office: Office) -> None:
    begun(office, {1001: OLD})
    office.files = disk = Disk()
    disk.broken = {"state.json"}
    shelf = Shelf()

    report = applied(office, {1001: NEW}, shelf=shelf)
    disk.broken = set()

    assert isinstance(report.error, StateError)
    assert results(undone(office, shelf.late).outcomes) == {1001: Result.APPLIED}
    assert in_force(office, 1001) == numbers(OLD)


def test_the_breaker_that_stops_a_run_leaves_the_way_back_of_what_it_did(office: Office) -> None:
    begun(office, fleet_of(FIVE, OLD))
    office.sign_in(*FIVE)
    office.server.add_faults(*(f"{agent}=retcode:106-011" for agent in FIVE[2:4]))
    shelf = Shelf()

    desired = office.desired(fleet_of(FIVE, NEW), gateway=office.gateway(concurrency=1))
    report = office.apply(desired, breaker=2, around={"way_back": shelf})

    assert results(report.outcomes)[1005] is Result.SKIPPED
    assert [change.agent for change in shelf.late.changes] == [1001, 1002]


def test_who_gave_no_answer_is_in_the_way_back_and_restored_by_it(office: Office) -> None:
    begun(office, {1001: OLD})
    office.server.add_faults("1001=reset-after-commit")
    shelf = Shelf()

    applied(office, {1001: NEW}, shelf=shelf, max_attempts=1)
    assert office.state().agents[AgentId(1001)].status is RecordStatus.IN_DOUBT
    undone(office, shelf.late)

    assert [change.result for change in shelf.late.changes] == [Result.IN_DOUBT]
    assert in_force(office, 1001) == numbers(OLD)
    assert office.state().agents[AgentId(1001)].status is RecordStatus.ACKNOWLEDGED


def test_no_secret_and_no_path_is_in_it(office: Office) -> None:
    begun(office, {1001: OLD})
    shelf = Shelf()

    applied(office, {1001: NEW}, shelf=shelf)

    (session,) = json.loads((office.directory / "sessions.json").read_text())
    assert session["guid"] not in "".join(shelf.texts)
    assert str(office.directory) not in "".join(shelf.texts)


# Going back


def test_a_record_that_was_dropped_is_put_back_and_no_call_is_sent(office: Office) -> None:
    begun(office, fleet_of(FIVE[:2], OLD))
    kept = office.state().agents[AgentId(1002)]
    shelf = Shelf()
    applied(office, {1001: OLD}, shelf=shelf)
    calls = office.calls()

    report = undone(office, shelf.late)

    assert calls == office.calls()
    assert report.outcomes == ()
    assert office.state().agents[AgentId(1002)] == kept
    assert len(office.asked) == 2, "putting back a record has to be approved as well"


def test_a_way_back_leaves_the_way_forward(office: Office) -> None:
    begun(office, {1001: OLD})
    first, second = Shelf(), Shelf()
    applied(office, {1001: NEW}, shelf=first)
    undone(office, first.late, shelf=second)

    undone(office, second.late)

    assert second.late.left_by == "rollback"
    assert in_force(office, 1001) == numbers(NEW)


def test_a_way_back_that_was_not_approved_sends_nothing_and_leaves_nothing(office: Office) -> None:
    begun(office, fleet_of(FIVE[:2], OLD))
    shelf, second = Shelf(), Shelf()
    applied(office, {1001: NEW}, shelf=shelf)
    after, calls, office.answer = office.state(), office.calls(), False

    with pytest.raises(InterruptedRunError):
        undone(office, shelf.late, shelf=second)

    assert (office.state(), office.calls(), second.texts) == (after, calls, [])


def test_who_is_deferred_on_the_way_back_is_taken_back_by_the_next_try(office: Office) -> None:
    begun(office, fleet_of(FIVE[:2], OLD))
    shelf = Shelf()
    applied(office, fleet_of(FIVE[:2], NEW), shelf=shelf)
    office.sign_in(1001)
    first = results(undone(office, shelf.late).outcomes)
    office.sign_in(1001, 1002)

    second = results(undone(office, shelf.late).outcomes)

    assert first == {1001: Result.APPLIED, 1002: Result.DEFERRED}
    assert second == {1002: Result.APPLIED}


def test_the_wait_of_a_change_that_the_yaml_still_asks_for_does_not_end(office: Office) -> None:
    begun(office, fleet_of(FIVE[:2], OLD))
    office.sign_in(1001)
    shelf = Shelf()
    applied(office, fleet_of(FIVE[:2], NEW), shelf=shelf)
    waiting = office.state().pending

    undone(office, shelf.late)

    assert set(waiting) == {1002}
    assert waiting == office.state().pending


def test_agents_who_were_changed_since_refuse_it_until_it_is_said_that_they_stay(office: Office) -> None:
    begun(office, fleet_of(FIVE[:2], OLD))
    shelf = Shelf()
    applied(office, fleet_of(FIVE[:2], NEW), shelf=shelf)
    later = concurrency(8, email=8)
    office.apply(office.desired({1001: NEW, 1002: later}))
    calls = office.calls()

    with pytest.raises(RecordsChangedError, match=r"1 agent was changed since that run: 1002; nothing was sent"):
        undone(office, shelf.late)
    assert calls == office.calls()
    undone(office, shelf.late, allow_shrink=True)

    assert in_force(office, 1001) == numbers(OLD)
    assert in_force(office, 1002) == {Channel.EMAIL.code: 8}


def test_guardrails_hold_and_are_lifted_by_the_exact_number(office: Office) -> None:
    begun(office, fleet_of(FIVE, OLD))
    shelf = Shelf()
    applied(office, fleet_of(FIVE, NEW), shelf=shelf)
    calls, office.guardrails = office.calls(), GuardrailSettings(max_changed_agents=4)

    with pytest.raises(PlanRefusedError, match=r"max_changed_agents: 5 agents, the limit is 4"):
        undone(office, shelf.late)
    assert calls == office.calls()
    undone(office, shelf.late, allow_changes=5)

    assert calls + 5 == office.calls()


def test_a_protected_agent_is_not_called_unasked(office: Office) -> None:
    begun(office, {1001: OLD})
    shelf = Shelf()
    wanted = office.desired({1001: desired_agent(NEW, protected=True)})
    office.apply(wanted, around={"way_back": shelf}, allow_changes=1)

    with pytest.raises(PlanRefusedError, match="protected"):
        undone(office, shelf.late)

    assert in_force(office, 1001) == numbers(NEW)


@pytest.mark.parametrize(
    ("elsewhere", "words"),
    [
        ({"site": "other"}, "was of site other"),
        ({"url": "https://other.example:8043"}, r"called https://other\.example:8043"),
        ({"lineage": "0b6f3d8e-4c1a-4f5e-9a77-2f1c8d9e0a12"}, "the state of lineage 0b6f3d8e"),
    ],
    ids=["site", "gateway", "state"],
)
def test_a_way_back_from_elsewhere_is_refused(office: Office, elsewhere: dict[str, str], words: str) -> None:
    begun(office, {1001: OLD})
    shelf = Shelf()
    applied(office, {1001: NEW}, shelf=shelf)
    calls = office.calls()

    with pytest.raises(StalePlanError, match=words):
        undone(office, replace(shelf.late, **elsewhere))

    assert calls == office.calls()


def test_a_bug_while_keeping_the_way_back_is_told_and_the_outcomes_too(office: Office) -> None:
    class Broken(Shelf):
        def settle(self, inverse: InversePlan) -> None:
            del inverse
            raise Fault("bug")

    begun(office, {1001: OLD})

    report = applied(office, {1001: NEW}, shelf=Broken())

    assert [(each.action, each.result) for each in report.outcomes] == [(Action.SET, Result.APPLIED)]
    assert [warning.code for warning in report.warnings] == ["rollback-file-not-settled"]
