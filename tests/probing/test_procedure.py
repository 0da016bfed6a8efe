"""Whole probes over TLS: what they find, how they end, and what is recorded then."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from probing.rehearsed import AGENT, HOLDER, OWN, VALUES, FullDisk, Laboratory, finding
from state.memory import MemoryBackend
from state.test_history import away
from support.fleets import NOW, concurrency, record
from support.rehearsal import RehearsalServer

from reconciler.errors import InterruptedRunError, LockHeldError, LockLostError, SessionSourceError, StateError
from reconciler.gateway import GatewayWitness, Observation, Request
from reconciler.model.agent import AgentId
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.probe import Grade, ProbeEnd, Restoration, Topic
from reconciler.model.session import Absent, Session
from reconciler.model.site import RetcodeClass
from reconciler.model.state import RecordStatus
from reconciler.probing import Seen
from reconciler.simulator import ChannelMode, Rules, Spelling
from reconciler.simulator.exchange import Call
from reconciler.simulator.gateway import Visit
from reconciler.state import StateStore

MODES = list(itertools.product(CallnumsKey, Spelling, ChannelMode, CallnumsKey))


def name(mode: tuple[CallnumsKey, Spelling, ChannelMode, CallnumsKey]) -> str:
    understood, spelling, channels, configured = mode
    return f"reads-{understood}-{spelling}-{channels}-configured-{configured}"


@pytest.fixture(params=MODES, ids=name)
def mode(request: pytest.FixtureRequest) -> tuple[CallnumsKey, Spelling, ChannelMode, CallnumsKey]:
    found: tuple[CallnumsKey, Spelling, ChannelMode, CallnumsKey] = request.param
    return found


@pytest.fixture
def any_laboratory(
    mode: tuple[CallnumsKey, Spelling, ChannelMode, CallnumsKey], tmp_path: Path
) -> Iterator[Laboratory]:
    understood, spelling, channels, configured = mode
    rules = Rules(callnums_key=understood.value, spelling=spelling, channel_mode=channels)
    with RehearsalServer(rules=rules, agents=[AGENT]) as server:
        yield Laboratory(server, tmp_path, settings={"callnums_key": configured})


def test_every_rehearsal_gateway_is_found_out_and_the_agent_gets_its_numbers_back(
    any_laboratory: Laboratory, mode: tuple[CallnumsKey, Spelling, ChannelMode, CallnumsKey]
) -> None:
    understood, _, channels, _ = mode
    any_laboratory.seen = Seen.KEPT if channels is ChannelMode.MERGE else Seen.GONE
    report = any_laboratory.probe(pause=60.0)

    spelling, unlisted = finding(report, Topic.CALLNUMS_KEY), finding(report, Topic.UNLISTED_CHANNELS)
    assert (spelling.grade, spelling.value) == (Grade.CONFIRMED, understood.value)
    assert (unlisted.grade, unlisted.value) == (Grade.LIKELY, channels.value)
    assert (report.outcome.end, report.outcome.restoration) == (ProbeEnd.COMPLETE, Restoration.RESTORED)
    assert any_laboratory.live == OWN
    kept = {"51": 6, "52": 4} if channels is ChannelMode.MERGE else {"51": 6}
    assert any_laboratory.live_while_looking == [kept]


def test_after_a_probe_the_state_records_exactly_what_was_acknowledged(
    any_laboratory: Laboratory, mode: tuple[CallnumsKey, Spelling, ChannelMode, CallnumsKey]
) -> None:
    any_laboratory.probe()

    recorded = any_laboratory.recorded
    assert recorded is not None
    assert recorded == record(VALUES, callnums_key=mode[0], acknowledged_at=NOW, session=recorded.session)
    assert any_laboratory.source.closed == 1


def test_the_agents_record_and_not_its_entry_is_what_it_begins_and_ends_with(laboratory: Laboratory) -> None:
    laboratory.record(record(concurrency(9, web_chat=3, sms=2)))
    laboratory.probe()

    assert laboratory.live == {"51": 3, "52": 2}
    assert laboratory.recorded is not None
    assert laboratory.recorded.concurrency == concurrency(9, web_chat=3, sms=2)


def test_the_recorded_spelling_comes_first_whatever_the_site_says(laboratory: Laboratory) -> None:
    laboratory.record(record(VALUES))
    laboratory.settings = {"callnums_key": CallnumsKey.LOWER}
    report = laboratory.probe()

    assert [call.answer for call in report.outcome.calls][:2] == ["acknowledged", "acknowledged"]
    assert finding(report, Topic.CALLNUMS_KEY).value == "callNums"


def test_what_is_sent_is_what_was_announced(any_laboratory: Laboratory) -> None:
    report = any_laboratory.probe(pause=60.0)

    announced = {message.letter for message in report.script.messages}
    assert {call.letter for call in report.outcome.calls} <= announced
    assert len(report.outcome.calls) == any_laboratory.calls <= report.script.at_most


def test_without_approval_nobody_is_connected_to(laboratory: Laboratory) -> None:
    laboratory.answer = False
    with pytest.raises(InterruptedRunError, match="not approved; nothing was sent"):
        laboratory.probe()

    assert (laboratory.calls, laboratory.source.fetched, laboratory.recorded) == (0, 0, None)


def test_while_another_run_holds_the_state_nothing_is_asked(laboratory: Laboratory) -> None:
    with laboratory.store().lock(HOLDER), pytest.raises(LockHeldError):
        laboratory.probe()

    assert laboratory.asked == []


# The gateway's identity


def test_an_authority_nobody_knows_ends_the_probe_before_a_session_is_read(laboratory: Laboratory) -> None:
    laboratory.settings = {"ca_file": None}
    report = laboratory.probe()

    assert (report.outcome.end, report.outcome.restoration) == (ProbeEnd.UNTRUSTED, Restoration.NOT_TOUCHED)
    assert (laboratory.calls, laboratory.source.fetched) == (0, 0)
    assert [each.topic for each in report.outcome.findings] == [Topic.TLS]
    assert report.outcome.findings[0].value == "unknown-authority"


def test_a_site_that_says_insecure_is_probed_and_told_so(laboratory: Laboratory) -> None:
    laboratory.settings = {"ca_file": None, "insecure": True}
    report = laboratory.probe()

    assert report.outcome.end is ProbeEnd.COMPLETE
    assert finding(report, Topic.TLS).value == "insecure"
    assert "nobody checks whom the Guids go to" in finding(report, Topic.TLS).conclusion


def test_a_gateway_that_is_not_there_ends_the_probe(laboratory: Laboratory) -> None:
    with RehearsalServer() as other:
        gone = other.url
    wanted = laboratory.desired
    laboratory.server.url = gone
    report = laboratory.probe()

    assert (report.outcome.end, laboratory.source.fetched) == (ProbeEnd.UNREACHABLE, 0)
    assert "the connection was refused" in report.outcome.detail
    assert wanted().site.gateway.url == gone


# Things that are off


def test_an_agent_without_a_session_is_left_alone(laboratory: Laboratory) -> None:
    laboratory.server.call(lambda gateway: gateway.sign_out(AGENT))
    report = laboratory.probe()

    assert (report.outcome.end, report.outcome.restoration) == (ProbeEnd.NOT_SIGNED_IN, Restoration.NOT_TOUCHED)
    assert (laboratory.calls, laboratory.recorded) == (0, None)
    assert "no session of this agent is known" in report.outcome.detail


def test_why_a_source_has_no_session_is_told(laboratory: Laboratory) -> None:
    laboratory.source.says = Absent(message="the agent is signed in elsewhere", retcode="100-002")
    report = laboratory.probe()

    assert (report.outcome.end, report.outcome.detail) == (ProbeEnd.NOT_SIGNED_IN, "the agent is signed in elsewhere")


def test_a_source_that_says_nobody_else_is_to_be_tried_ends_it_as_a_refused_session(laboratory: Laboratory) -> None:
    laboratory.source.says = Absent(message="wrong password", retcode="100-004", ends_run=True)
    report = laboratory.probe()

    assert (report.outcome.end, laboratory.source.fetched) == (ProbeEnd.SESSION_REFUSED, 1)


def test_an_agent_the_gateway_holds_for_signed_out_is_left_as_it_was(laboratory: Laboratory) -> None:
    laboratory.record(record(VALUES))
    laboratory.server.add_faults("1001#1=retcode:100-006")
    before = laboratory.state
    report = laboratory.probe()

    assert (report.outcome.end, report.outcome.restoration) == (ProbeEnd.NOT_SIGNED_IN, Restoration.NOT_TOUCHED)
    assert (laboratory.calls, laboratory.state) == (1, before)


def rotate_before_each_read(laboratory: Laboratory) -> None:
    def rotate(_: int) -> None:
        laboratory.server.call(lambda gateway: gateway.rotate(AGENT))

    laboratory.source.before_fetch = rotate


def test_a_session_that_is_refused_is_read_again_once(laboratory: Laboratory) -> None:
    rotate_before_each_read(laboratory)
    laboratory.server.add_faults("1001#1=retcode:000-003")
    report = laboratory.probe()

    assert (report.outcome.end, laboratory.source.fetched) == (ProbeEnd.COMPLETE, 2)


def test_calls_are_repeated_only_as_announced(tmp_path: Path) -> None:
    rules = Rules(callnums_key="callnums", spelling=Spelling.LENIENT_ZERO)
    with RehearsalServer(rules=rules, agents=[AGENT]) as server:
        laboratory = Laboratory(server, tmp_path)
        rotate_before_each_read(laboratory)
        server.add_faults("1001%2=retcode:000-003")
        report = laboratory.probe()

    refused = [call for call in report.outcome.calls if call.answer == "session refused"]
    answered = [call for call in report.outcome.calls if call.answer != "session refused"]
    assert len(refused) > 3
    assert len(refused) <= len(answered) <= report.script.at_most


def test_what_gives_the_numbers_back_is_repeated_as_often_as_announced(laboratory: Laboratory) -> None:
    laboratory.server.add_faults("1001*=reset-after-commit")
    report = laboratory.probe()

    assert laboratory.calls == 1 + report.script.restoring_attempts
    assert report.outcome.restoration is Restoration.IN_DOUBT


def test_a_session_that_stays_refused_ends_it(laboratory: Laboratory) -> None:
    laboratory.server.add_faults("1001*=retcode:000-003")
    report = laboratory.probe()

    assert (report.outcome.end, report.outcome.restoration) == (ProbeEnd.SESSION_REFUSED, Restoration.NOT_TOUCHED)
    assert laboratory.calls == 1


@pytest.mark.parametrize("retcode", ["000-003", "100-004"])
def test_a_refused_session_is_one_whatever_the_site_makes_of_its_retcode(laboratory: Laboratory, retcode: str) -> None:
    laboratory.site_settings = {"retcodes": {retcode: RetcodeClass.PERMANENT}}
    laboratory.server.add_faults(f"1001*=retcode:{retcode}")

    assert laboratory.probe().outcome.end is ProbeEnd.SESSION_REFUSED


def test_a_refusal_of_the_agents_own_numbers_ends_it_with_nothing_set(laboratory: Laboratory) -> None:
    laboratory.server.call(lambda gateway: gateway.set_skills(AGENT, [51]))
    report = laboratory.probe()

    assert (report.outcome.end, report.outcome.restoration) == (ProbeEnd.REFUSED, Restoration.NOT_TOUCHED)
    assert (laboratory.calls, laboratory.live, laboratory.recorded) == (1, None, None)
    assert report.outcome.calls[0].retcode == "106-011"
    assert finding(report, Topic.CALLNUMS_KEY).grade is Grade.UNKNOWN


def test_a_message_refused_under_both_spellings_ends_it_with_nothing_set(laboratory: Laboratory) -> None:
    laboratory.server.add_faults("1001*=retcode:000-006")
    report = laboratory.probe()

    assert (report.outcome.end, laboratory.calls) == (ProbeEnd.REFUSED, 2)
    assert laboratory.recorded is None


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("1001#{n}=http-502", ProbeEnd.UNANSWERED),
        ("1001#{n}=http-200-html", ProbeEnd.UNANSWERED),
        ("1001#{n}=reset-after-commit", ProbeEnd.UNANSWERED),
        ("1001#{n}=http-429:0", ProbeEnd.FAILED),
        ("1001#{n}=retcode:000-007", ProbeEnd.FAILED),
        ("1001#{n}=retcode:000-004", ProbeEnd.FAILED),
    ],
    ids=["502", "page", "reset", "429", "overlapping", "switchover"],
)
@pytest.mark.parametrize("call", range(1, 7))
def test_an_answer_that_is_off_ends_it_at_any_call_and_the_agent_gets_its_numbers_back(
    laboratory: Laboratory, fault: str, end: ProbeEnd, call: int
) -> None:
    laboratory.server.add_faults(fault.format(n=call))
    report = laboratory.probe()

    touched = call > 1 or end is ProbeEnd.UNANSWERED
    assert report.outcome.end is end
    assert report.outcome.restoration is (Restoration.RESTORED if touched else Restoration.NOT_TOUCHED)
    assert laboratory.live == (OWN if touched else None)
    assert (laboratory.recorded is not None) == touched
    if laboratory.recorded is not None:
        assert laboratory.recorded.status is RecordStatus.ACKNOWLEDGED


def test_restoring_is_tried_again_while_it_fails_for_now(laboratory: Laboratory) -> None:
    laboratory.server.add_faults("1001#3=http-502", "1001#4=http-502", "1001#5=retcode:000-007")
    report = laboratory.probe()

    assert (report.outcome.restoration, laboratory.live, laboratory.calls) == (Restoration.RESTORED, OWN, 6)


def test_an_agent_that_cannot_be_restored_is_in_doubt(laboratory: Laboratory) -> None:
    laboratory.server.add_faults(*(f"1001#{n}=http-502" for n in range(3, 12)))
    report = laboratory.probe()

    assert report.outcome.restoration is Restoration.IN_DOUBT
    assert laboratory.recorded is not None
    assert laboratory.recorded.status is RecordStatus.IN_DOUBT
    assert laboratory.recorded.concurrency == VALUES


def test_an_agent_who_signs_out_in_the_middle_is_in_doubt_and_not_called_again(laboratory: Laboratory) -> None:
    laboratory.server.add_faults("1001#4=sign-out")
    report = laboratory.probe()

    assert (report.outcome.end, report.outcome.restoration) == (ProbeEnd.NOT_SIGNED_IN, Restoration.IN_DOUBT)
    assert laboratory.calls <= 5
    assert laboratory.recorded is not None
    assert laboratory.recorded.status is RecordStatus.IN_DOUBT


# Interruption, a source that breaks, a disk that is full


@pytest.mark.parametrize("fetch", [1], ids=["before-the-first-call"])
def test_an_interruption_before_the_first_call_sends_nothing(laboratory: Laboratory, fetch: int) -> None:
    laboratory.source.before_fetch = lambda number: laboratory.halt() if number == fetch else None
    report = laboratory.probe()

    assert isinstance(report.error, InterruptedRunError)
    assert (report.outcome.end, report.outcome.restoration) == (ProbeEnd.STOPPED, Restoration.NOT_TOUCHED)
    assert (laboratory.calls, laboratory.recorded, laboratory.source.closed) == (0, None, 1)


def test_an_interruption_while_the_run_is_being_begun_sends_nothing_and_leaves_nobody_in_doubt(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    backend = MemoryBackend()
    laboratory.store = lambda: away(tmp_path, backend)  # type: ignore[method-assign]

    def interrupted() -> None:
        backend.state.before_save = lambda: None
        laboratory.halt_soon()

    backend.state.before_save = interrupted
    report = laboratory.probe()

    assert isinstance(report.error, InterruptedRunError)
    assert (report.outcome.end, report.outcome.restoration) == (ProbeEnd.STOPPED, Restoration.NOT_TOUCHED)
    assert (laboratory.calls, laboratory.recorded, laboratory.state.open_run) == (0, None, None)
    assert len(backend.state.saves) == 2  # announced and taken back


def test_a_place_that_falls_silent_while_the_run_is_being_begun_does_not_hold_an_interruption_up(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    backend, silent = MemoryBackend(), threading.Event()
    store = away(tmp_path, backend)
    hurried: list[float] = []
    hurry = store.hurry

    def hurry_more(seconds: float) -> None:
        hurried.append(seconds)
        hurry(0.0)

    def interrupted() -> None:
        laboratory.halt_soon()
        silent.wait(10)

    store.hurry = hurry_more  # type: ignore[method-assign]  # seconds that nobody has to wait for
    laboratory.store = lambda: store  # type: ignore[method-assign]
    backend.state.before_save = interrupted
    with pytest.raises(StateError, match="the run had to end before it answered"):
        laboratory.probe()
    silent.set()

    assert (laboratory.calls, hurried[:1]) == (0, [5.0])


def test_an_interruption_while_somebody_looks_restores_and_records(laboratory: Laboratory) -> None:
    async def interrupted() -> None:
        laboratory.halt()
        await asyncio.Event().wait()

    laboratory.meanwhile = interrupted
    report = laboratory.probe(pause=600.0)

    assert isinstance(report.error, InterruptedRunError)
    assert (report.outcome.restoration, laboratory.live) == (Restoration.RESTORED, OWN)
    assert finding(report, Topic.UNLISTED_CHANNELS).grade is Grade.UNKNOWN
    assert laboratory.recorded == record(VALUES, acknowledged_at=NOW, session=laboratory.recorded.session)  # type: ignore[union-attr]


@pytest.mark.parametrize("call", range(1, 8))
def test_an_interruption_at_any_call_restores_and_records(laboratory: Laboratory, call: int) -> None:
    seen = itertools.count(1)
    judge = laboratory.server.gateway.arrive

    def arrive(arrived: Call) -> Visit:
        if next(seen) == call:
            laboratory.halt_soon()
        return judge(arrived)

    laboratory.server.gateway.arrive = arrive  # type: ignore[method-assign, assignment]  # the moment matters
    report = laboratory.probe(pause=600.0)

    assert isinstance(report.error, InterruptedRunError)
    assert (report.outcome.restoration, laboratory.live) == (Restoration.RESTORED, OWN)
    assert laboratory.recorded is not None
    assert laboratory.recorded.status is RecordStatus.ACKNOWLEDGED
    assert laboratory.calls <= call + 1


def test_other_numbers_wait_until_a_call_without_an_answer_can_be_over(laboratory: Laboratory) -> None:
    laboratory.server.add_faults("1001#3=reset-before-commit")
    begun = time.monotonic()
    report = laboratory.probe(settling=0.3)

    assert time.monotonic() - begun >= 0.3
    assert (report.outcome.restoration, laboratory.live, laboratory.calls) == (Restoration.RESTORED, OWN, 4)


def test_numbers_given_back_while_another_call_may_be_at_work_leave_the_agent_in_doubt(laboratory: Laboratory) -> None:
    laboratory.server.add_faults("1001#3=reset-before-commit")
    with laboratory.halts_when(lambda: laboratory.calls == 3):
        report = laboratory.probe(settling=600.0)

    assert (laboratory.live, laboratory.calls) == (OWN, 4)
    assert report.outcome.restoration is Restoration.IN_DOUBT
    assert laboratory.recorded is not None
    assert laboratory.recorded.status is RecordStatus.IN_DOUBT


def test_the_same_numbers_are_sent_again_without_waiting(laboratory: Laboratory) -> None:
    laboratory.server.add_faults("1001#1=reset-before-commit")
    report = laboratory.probe(settling=600.0)

    assert (report.outcome.restoration, laboratory.live, laboratory.calls) == (Restoration.RESTORED, OWN, 2)


def test_an_interruption_while_an_answer_does_not_come_restores_after_a_moment(laboratory: Laboratory) -> None:
    laboratory.server.add_faults("1001#3=slow:30")
    laboratory.settings = {"timeout": 60.0}
    watch = laboratory.halts_when(lambda: laboratory.calls == 3)
    begun = time.monotonic()
    with watch:
        report = laboratory.probe()

    assert time.monotonic() - begun < 7
    assert isinstance(report.error, InterruptedRunError)
    # The gateway has not ended the call that was given up, and says so until it has.
    assert report.outcome.restoration is Restoration.IN_DOUBT
    assert laboratory.recorded is not None
    assert laboratory.recorded.status is RecordStatus.IN_DOUBT


def test_a_source_that_breaks_in_the_middle_is_told_and_the_agent_stands_as_it_did(laboratory: Laboratory) -> None:
    def breaking(number: int) -> None:
        if number > 1:
            raise SessionSourceError("the source is gone")

    laboratory.source.before_fetch = breaking
    laboratory.server.add_faults("1001#3=retcode:000-003")
    report = laboratory.probe()

    assert str(report.error) == "the source is gone"
    assert (report.outcome.restoration, laboratory.live) == (Restoration.RESTORED, OWN)
    assert laboratory.source.closed == 1


def test_a_source_that_mixes_up_agents_ends_it_before_a_call(laboratory: Laboratory) -> None:
    laboratory.source.says = Session(agent=AgentId(1002), guid="somebody-elses")
    report = laboratory.probe()

    assert isinstance(report.error, SessionSourceError)
    assert (laboratory.calls, laboratory.recorded) == (0, None)


def test_a_source_that_cannot_be_closed_is_told_with_the_findings(laboratory: Laboratory) -> None:
    laboratory.source.close_fails = SessionSourceError("it does not close")
    report = laboratory.probe()

    assert str(report.error) == "it does not close"
    assert (report.outcome.end, laboratory.live) == (ProbeEnd.COMPLETE, OWN)
    assert finding(report, Topic.CALLNUMS_KEY).grade is Grade.CONFIRMED


def test_a_lock_that_is_lost_ends_it_and_the_agent_gets_its_numbers_back_first(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching: list[Callable[[LockLostError], None]] = []
    monkeypatch.setattr(StateStore, "watch_lock", lambda _store, on_lost: watching.append(on_lost))

    async def lose() -> None:
        watching[0](LockLostError("somebody else has the lock"))
        await asyncio.Event().wait()

    laboratory.meanwhile = lose
    report = laboratory.probe(pause=600.0)

    assert isinstance(report.error, LockLostError)
    assert (report.outcome.restoration, laboratory.live) == (Restoration.RESTORED, OWN)


def test_a_bug_in_the_middle_of_a_call_is_told_after_the_agent_got_its_numbers_back(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe, times = GatewayWitness.observe, itertools.count(1)

    async def broken(witness: GatewayWitness, request: Request) -> Observation:
        seen = await observe(witness, request)
        if next(times) == 3:
            raise ZeroDivisionError
        return seen

    monkeypatch.setattr(GatewayWitness, "observe", broken)
    report = laboratory.probe()

    assert isinstance(report.error, ZeroDivisionError)
    assert [call.letter for call in report.outcome.calls] == ["A", "A", "B", "A"]
    assert (report.outcome.restoration, laboratory.live) == (Restoration.RESTORED, OWN)


def test_where_restoring_cannot_be_recorded_it_is_done_all_the_same_and_told(tmp_path: Path) -> None:
    disk = FullDisk(fails_at=13)  # 12 is the intent of leaving a channel out
    with RehearsalServer(rules=Rules(channel_mode=ChannelMode.REPLACE), agents=[AGENT]) as server:
        laboratory = Laboratory(server, tmp_path, files=disk)
        report = laboratory.probe(pause=60.0)

        assert laboratory.live_while_looking == [{"51": 6}]
        assert (report.outcome.restoration, laboratory.live) == (Restoration.RESTORED, OWN)
        assert isinstance(report.error, StateError)
        assert laboratory.recorded is not None
        assert laboratory.recorded.status is RecordStatus.IN_DOUBT


@pytest.mark.parametrize("entry", range(2, 13))
def test_a_disk_that_fails_at_any_entry_of_the_journal_leaves_a_true_record(laboratory: Laboratory, entry: int) -> None:
    laboratory.files = disk = FullDisk(fails_at=entry)
    report = laboratory.probe()
    disk.fails_at = None

    assert isinstance(report.error, StateError)
    assert laboratory.live in (None, OWN)
    recorded = laboratory.recorded
    if report.outcome.restoration is Restoration.NOT_TOUCHED:
        assert laboratory.live is None
        assert recorded is None or recorded.status is RecordStatus.IN_DOUBT
    elif recorded is not None and recorded.status is RecordStatus.ACKNOWLEDGED:
        assert (recorded.concurrency, laboratory.live) == (VALUES, OWN)


# Cookies, and what replies carry besides


def test_cookies_that_are_needed_are_found_out_by_leaving_them_at_home(tmp_path: Path) -> None:
    with RehearsalServer(rules=Rules(node="n1", sticky_cookies=True), agents=[AGENT]) as server:
        laboratory = Laboratory(server, tmp_path)
        report = laboratory.probe()

        found = finding(report, Topic.COOKIES)
        assert (found.grade, found.value) == (Grade.LIKELY, "needed")
        assert report.outcome.end is ProbeEnd.COMPLETE
        assert laboratory.live == OWN


def test_cookies_that_are_not_needed_are_said_to_be_so(tmp_path: Path) -> None:
    with RehearsalServer(rules=Rules(session_cookies={"SERVERID": "n1"}), agents=[AGENT]) as server:
        report = Laboratory(server, tmp_path).probe()

    found = finding(report, Topic.COOKIES)
    assert (found.grade, found.value) == (Grade.LIKELY, "not-needed")
    assert [call.with_cookies for call in report.outcome.calls] == [True] * 6 + [False]


def test_a_session_without_cookies_needs_no_call_of_its_own(laboratory: Laboratory) -> None:
    report = laboratory.probe()

    assert finding(report, Topic.COOKIES).value == "not-needed"
    assert laboratory.calls == 6


# What belongs into site.yaml


def test_the_lines_for_site_yaml_say_what_was_found_and_how_sure_it_is(tmp_path: Path) -> None:
    with RehearsalServer(rules=Rules(callnums_key="callnums"), agents=[AGENT]) as server:
        report = Laboratory(server, tmp_path).probe()

    assert report.outcome.site_lines == (
        "gateway:",
        "  callnums_key: callnums  # confirmed by probe",
        "on_channel_removal: zero  # right whether a channel left out is kept or closed: that is not known",
    )


@pytest.mark.parametrize(
    ("seen", "words"),
    [(Seen.KEPT, "keeps its number"), (Seen.GONE, "omit would do as well"), (Seen.UNCLEAR, "that is not known")],
    ids=["kept", "gone", "unclear"],
)
def test_what_somebody_saw_becomes_a_remark(laboratory: Laboratory, seen: Seen, words: str) -> None:
    laboratory.seen = seen
    report = laboratory.probe(pause=60.0)

    assert words in report.outcome.site_lines[-1]
    assert [question.channel.label for question in laboratory.looked] == ["sms"]


def test_latency_is_told_of_connecting_of_the_handshake_and_of_answers(laboratory: Laboratory) -> None:
    report = laboratory.probe()

    assert [(each.what, each.count) for each in report.outcome.latency] == [("connect", 4), ("tls", 4), ("answer", 6)]
    assert all(0 <= each.low <= each.median <= each.high for each in report.outcome.latency)
