"""The journal read back: what was promised is found, what was cut is cut, what was damaged is refused."""

from __future__ import annotations

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state.records import (
    EARLIER,
    LINEAGE,
    NOW,
    WEB_CHAT_4,
    WEB_CHAT_9,
    agent_ids,
    concurrencies,
    in_doubt,
    pending,
    record,
    state,
)

from reconciler.errors import JournalError
from reconciler.model.agent import MAX_AGENT_ID, MIN_AGENT_ID, AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import AgentRecord, Pending, State, empty_state
from reconciler.state.files import MAX_READ
from reconciler.state.journal.entries import (
    Acknowledged,
    Deferred,
    Entry,
    Forgotten,
    Intended,
    NotApplied,
    NotDue,
    Noted,
    RunOpened,
)
from reconciler.state.journal.lines import Journal, frame, is_compacted, read_journal, replay
from reconciler.values import replace

NAME = "state.json.journal"
RUN = RunOpened(site="demo", lineage=LINEAGE, serial=7, run="run-1", started_at=NOW)
A, B = AgentId(1001), AgentId(1002)


def intended(agent: AgentId = A) -> Intended:
    return Intended(agent=agent, concurrency=WEB_CHAT_4, callnums_key=CallnumsKey.LOWER, team="ost", protected=True)


ENTRIES: tuple[Entry, ...] = (
    intended(),
    Acknowledged(agent=A, at=NOW, session="login-1"),
    Noted(agent=A, team=None, protected=False),
    intended(B),
    NotApplied(agent=B),
    Deferred(agent=B, at=NOW, retcode="100-006"),
    NotDue(agent=B),
    Forgotten(agent=A),
)
LINES = [frame(RUN), *map(frame, ENTRIES)]
DATA = b"".join(LINES)


def read(data: bytes) -> Journal:
    journal = read_journal(data, name=NAME)
    assert journal is not None
    return journal


def entries_of(data: bytes) -> tuple[Entry, ...]:
    journal = read_journal(data, name=NAME)
    return () if journal is None else tuple(entry for _, entry in journal.entries)


def journal_of(*entries: Entry) -> Journal:
    return read(b"".join(map(frame, (RUN, *entries))))


def line(payload: bytes) -> bytes:
    return b"%08x %08x %b\n" % (len(payload), zlib.crc32(payload), payload)


_texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
entries = st.one_of(
    st.builds(
        Intended,
        agent=agent_ids,
        concurrency=concurrencies,
        callnums_key=st.sampled_from(CallnumsKey),
        team=_texts,
        protected=st.booleans(),
        at=st.none() | st.just(NOW),
    ),
    st.builds(Acknowledged, agent=agent_ids, at=st.just(NOW), session=_texts, keep=st.booleans()),
    st.builds(NotApplied, agent=agent_ids),
    st.builds(Deferred, agent=agent_ids, at=st.just(NOW), retcode=_texts),
    st.builds(NotDue, agent=agent_ids),
    st.builds(Forgotten, agent=agent_ids),
    st.builds(Noted, agent=agent_ids, team=_texts, protected=st.booleans()),
)


@given(st.lists(entries, max_size=6))
def test_every_journal_comes_back_as_it_was_written(written: list[Entry]) -> None:
    journal = read(b"".join(map(frame, (RUN, *written))))
    assert journal.run == RUN
    assert [entry for _, entry in journal.entries] == written


def test_a_line_can_be_read_by_people_and_checked_by_anyone() -> None:
    payload = b'{"kind":"not_applied","agent":"1002"}'
    assert frame(NotApplied(agent=B)) == b"00000025 %08x %b\n" % (zlib.crc32(payload), payload)


def test_the_longest_run_there_can_be_leaves_a_journal_that_is_read() -> None:
    everything = Concurrency.of(60, dict.fromkeys(Channel, 60))
    agent, callnums_key, team, session = AgentId(MAX_AGENT_ID), CallnumsKey.CAMEL, "t" * 64, "\U0001f4de" * 128
    turn = (
        Intended(agent=agent, concurrency=everything, callnums_key=callnums_key, team=team, protected=False, at=NOW),
        Acknowledged(agent=agent, at=NOW, session=session, keep=False),
    )

    assert sum(len(frame(entry)) for entry in turn) * (MAX_AGENT_ID - MIN_AGENT_ID + 1) < MAX_READ


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, LINES[0][:-30]], ids=["nothing", "zeros", "half-a-run"])
def test_a_journal_without_its_opening_says_nothing(data: bytes) -> None:
    assert read_journal(data, name=NAME) is None


def test_a_journal_cut_anywhere_keeps_every_whole_record() -> None:
    for cut in range(len(DATA)):
        whole = sum(1 for number in range(1, len(LINES) + 1) if len(b"".join(LINES[:number])) - 1 <= cut)
        assert entries_of(DATA[:cut]) == ENTRIES[: max(whole - 1, 0)]


def test_zeros_where_the_file_only_grew_are_cut() -> None:
    for cut in range(len(DATA)):
        assert entries_of(DATA[:cut] + b"\0" * 64) == entries_of(DATA[:cut])


@pytest.mark.parametrize("flip", [0x01, 0x02, 0x08, 0x20, 0x80, 0xFF])
def test_a_flipped_byte_is_refused_with_its_place_wherever_it_is(flip: int) -> None:
    starts = [len(b"".join(LINES[:index])) for index in range(len(LINES) + 1)]
    for place in range(len(DATA)):
        damaged = bytearray(DATA)
        damaged[place] ^= flip
        with pytest.raises(JournalError) as caught:
            read_journal(bytes(damaged), name=NAME)
        offset = int(re.match(rf"{NAME}:(\d+): ", str(caught.value))[1])  # type: ignore[index]
        assert offset in starts
        assert offset <= place
        assert f"first {offset} bytes" in caught.value.hint


def recovered(data: bytes) -> tuple[Entry, ...] | None:
    """Return what is read, or `None` when the journal is refused with a place."""
    try:
        return entries_of(data)
    except JournalError as error:
        return None if str(error).startswith(f"{NAME}:") else ()


@pytest.mark.parametrize("byte", [b"\n", b"\0", b" "], ids=["line-end", "zero", "space"])
def test_an_overwritten_byte_is_refused_or_harmless(byte: bytes) -> None:
    for place in range(len(DATA)):
        assert recovered(DATA[:place] + byte + DATA[place + 1 :]) in {None, ENTRIES}


@pytest.mark.parametrize("gone", range(1, len(LINES) - 1))
def test_a_record_that_is_half_gone_in_the_middle_is_never_skipped(gone: int) -> None:
    with pytest.raises(JournalError, match="journal is damaged"):
        read_journal(b"".join([*LINES[:gone], LINES[gone][:-9], *LINES[gone + 1 :]]), name=NAME)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        pytest.param(b"[]", "no record of a journal", id="no-object"),
        pytest.param(b'{"kind":"burnt","agent":"1001"}', "no record of a journal", id="unknown-kind"),
        pytest.param(b'{"kind":["intent"],"agent":"1001"}', "no record of a journal", id="kind-is-a-list"),
        pytest.param(b'{"kind":"run"}', "no record of a journal", id="second-run"),
        pytest.param(b'{"kind":"forgotten","agent":1001}', "agent is 1001", id="agent-is-a-number"),
        pytest.param(b'{"kind":"forgotten","agent":"1"}', "'1' is not an agent id", id="agent-too-low"),
        pytest.param(b'{"kind":"forgotten"}', "lacks agent", id="field-missing"),
        pytest.param(b'{"kind":"forgotten","agent":"1001","guid":"x"}', "unknown guid", id="field-unknown"),
        pytest.param(b'{"kind":"forgotten","agent":"10', "unexpected end", id="not-json"),
        pytest.param(b'{"kind":"deferred","agent":"1001","at":"now","retcode":null}', "at is 'now'", id="no-time"),
        pytest.param(
            b'{"kind":"deferred","agent":"1001","at":"2026-01-31T09:30:00Z","retcode":7}',
            "retcode is a int, not text or null",
            id="retcode-is-a-number",
        ),
    ],
)
def test_a_record_that_is_none_is_refused_though_its_checksum_is_right(payload: bytes, words: str) -> None:
    with pytest.raises(JournalError, match=re.escape(words)) as caught:
        read_journal(LINES[0] + line(payload), name=NAME)
    assert str(caught.value).startswith(f"{NAME}:{len(LINES[0])}: ")


@pytest.mark.parametrize("first", [LINES[1], line(b"[]"), line(b"1")], ids=["intent", "array", "number"])
def test_a_journal_that_does_not_begin_with_a_run_is_refused(first: bytes) -> None:
    with pytest.raises(JournalError, match=rf"{NAME}:0: .*begins with a run"):
        read_journal(first, name=NAME)


def test_a_journal_of_a_newer_version_is_refused_with_the_remedy() -> None:
    with pytest.raises(JournalError, match=r"^state\.json\.journal: format 1\.1 was written by a newer") as caught:
        read_journal(line(b'{"kind":"run","format_version":"1.1","more":1}') + b"anything", name=NAME)
    assert "upgrade" in caught.value.hint


@pytest.mark.parametrize(
    ("run", "compacted"),
    [
        pytest.param(RUN, False, id="same-serial"),
        pytest.param(replace(RUN, serial=6), True, id="older"),
        pytest.param(replace(RUN, serial=0, lineage=None), True, id="from-before-the-first-write"),
    ],
)
def test_a_journal_counts_only_beside_the_snapshot_it_was_begun_from(run: RunOpened, compacted: bool) -> None:
    assert is_compacted(read(frame(run)), state(serial=7)) is compacted


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(replace(RUN, serial=8), id="snapshot-went-back"),
        pytest.param(replace(RUN, lineage=LINEAGE.replace("0", "1")), id="other-lineage"),
        pytest.param(replace(RUN, lineage=LINEAGE.replace("0", "1"), serial=3), id="other-lineage-older"),
        pytest.param(replace(RUN, site="prod"), id="other-site"),
    ],
)
def test_a_journal_of_another_state_is_refused(run: RunOpened) -> None:
    with pytest.raises(JournalError, match=r"^state\.json\.journal continues serial") as caught:
        is_compacted(read(frame(run)), state(serial=7))
    assert "put back" in caught.value.hint


def test_a_journal_whose_snapshot_is_gone_is_refused() -> None:
    with pytest.raises(JournalError, match="continues serial 7"):
        is_compacted(read(frame(RUN)), empty_state("demo"))


OLD = record(WEB_CHAT_9)
SENT = in_doubt(WEB_CHAT_4, at=EARLIER).amended(callnums_key=CallnumsKey.LOWER, team="ost", protected=True)
ACKNOWLEDGED = SENT.amended(acknowledged_at=NOW, session="login-1", status=OLD.status)
UNSURE = in_doubt(WEB_CHAT_9, at=EARLIER)
DONE = Acknowledged(agent=A, at=NOW, session="login-1")


@pytest.mark.parametrize(
    ("before", "happened", "after"),
    [
        pytest.param(OLD, [intended()], SENT, id="intent-alone-is-in-doubt"),
        pytest.param(None, [intended()], replace(SENT, acknowledged_at=None), id="intent-of-a-new-agent"),
        pytest.param(OLD, [intended(), DONE], ACKNOWLEDGED, id="acknowledged"),
        pytest.param(OLD, [intended(), replace(DONE, keep=False)], None, id="acknowledged-and-dropped"),
        pytest.param(OLD, [intended(), NotApplied(agent=A)], OLD, id="not-applied"),
        pytest.param(None, [intended(), NotApplied(agent=A)], None, id="not-applied-to-a-new-agent"),
        pytest.param(UNSURE, [intended(), NotApplied(agent=A)], UNSURE, id="not-applied-stays-in-doubt"),
        pytest.param(OLD, [intended(), intended(), NotApplied(agent=A)], SENT, id="second-intent-not-applied"),
        pytest.param(OLD, [intended(), intended(), DONE], ACKNOWLEDGED, id="second-intent-acknowledged"),
        pytest.param(OLD, [Forgotten(agent=A)], None, id="forgotten"),
        pytest.param(OLD, [intended(), Forgotten(agent=A)], None, id="forgotten-in-doubt"),
        pytest.param(
            OLD, [Noted(agent=A, team="w", protected=True)], OLD.amended(team="w", protected=True), id="noted"
        ),
        pytest.param(
            OLD,
            [intended(), Noted(agent=A, team="w", protected=False), NotApplied(agent=A)],
            OLD.amended(team="w", protected=False),
            id="noted-while-in-doubt",
        ),
        pytest.param(
            None,
            [intended(), Noted(agent=A, team="w", protected=True), NotApplied(agent=A)],
            None,
            id="noted-while-new",
        ),
    ],
)
def test_replay_tells_what_is_known_of_an_agent(before: object, happened: list[Entry], after: object) -> None:
    others = {1000: OLD, 1002: UNSURE}
    base = state({**others, **({1001: before} if before else {})})  # type: ignore[dict-item]
    expected = state({**others, **({1001: after} if after else {})})  # type: ignore[dict-item]
    assert replay(journal_of(*happened), base) == expected


def test_agents_who_are_sent_the_same_hold_the_same_thing_in_doubt_and_acknowledged() -> None:
    sent = [intended(AgentId(number)) for number in range(1001, 1005)]
    done = [replace(DONE, agent=AgentId(number)) for number in (1001, 1002)]
    found = [record.holding for record in replay(journal_of(*sent, *done), state({})).agents.values()]
    assert found[0] is found[1] is not found[2]
    assert found[2] is found[3]


def absent(agent: AgentId = A, *, at: str = NOW, retcode: str | None = "100-006") -> Deferred:
    return Deferred(agent=agent, at=at, retcode=retcode)


ONCE = pending(since=NOW)
SINCE_EARLIER = pending(since=EARLIER, last=NOW, attempts=2)


@pytest.mark.parametrize(
    ("record_before", "waited", "happened", "record_after", "waits"),
    [
        pytest.param(None, None, [absent()], None, ONCE, id="a-new-agent-waits-without-a-record"),
        pytest.param(OLD, None, [absent(retcode=None)], OLD, replace(ONCE, retcode=None), id="no-session-known"),
        pytest.param(OLD, None, [intended(), absent()], OLD, ONCE, id="an-intent-is-withdrawn-by-it"),
        pytest.param(None, None, [intended(), absent()], None, ONCE, id="the-intent-of-a-new-agent-too"),
        pytest.param(UNSURE, None, [intended(), absent()], UNSURE, ONCE, id="who-was-in-doubt-stays-so"),
        pytest.param(OLD, pending(), [absent()], OLD, SINCE_EARLIER, id="a-second-time-since-the-first"),
        pytest.param(
            OLD,
            pending(),
            [absent(retcode=None)],
            OLD,
            replace(SINCE_EARLIER, retcode=None),
            id="the-last-word-counts",
        ),
        pytest.param(OLD, pending(), [intended(), DONE], ACKNOWLEDGED, None, id="an-acknowledgement-ends-it"),
        pytest.param(OLD, pending(), [intended(), replace(DONE, keep=False)], None, None, id="the-last-call-ends-it"),
        pytest.param(OLD, pending(), [Forgotten(agent=A)], None, None, id="forgetting-ends-it"),
        pytest.param(OLD, pending(), [NotDue(agent=A)], OLD, None, id="nothing-due-ends-it"),
        pytest.param(None, pending(), [NotDue(agent=A)], None, None, id="nothing-due-ends-it-without-a-record"),
        pytest.param(OLD, pending(), [intended(), NotApplied(agent=A)], OLD, pending(), id="a-failure-leaves-it"),
        pytest.param(OLD, pending(), [intended()], SENT, pending(), id="a-doubt-leaves-it"),
        pytest.param(
            OLD, pending(), [Noted(agent=A, team="east", protected=False)], OLD, pending(), id="a-note-leaves-it"
        ),
        pytest.param(OLD, pending(), [NotDue(agent=A), absent()], OLD, ONCE, id="a-new-wait-begins-anew"),
    ],
)
def test_replay_tells_who_waits(
    record_before: AgentRecord | None,
    waited: Pending | None,
    happened: list[Entry],
    record_after: AgentRecord | None,
    waits: Pending | None,
) -> None:
    def with_others(mine: AgentRecord | None, wait: Pending | None) -> State:
        records = {1000: OLD, **({1001: mine} if mine else {})}
        return state(records, waiting={1000: pending(), **({1001: wait} if wait else {})})

    found = replay(journal_of(*happened), with_others(record_before, waited))
    assert found == with_others(record_after, waits)


@pytest.mark.parametrize(
    "happened",
    [
        pytest.param([DONE], id="answer-without-intent"),
        pytest.param([NotApplied(agent=A)], id="refusal-without-intent"),
        pytest.param([intended(), DONE, DONE], id="two-answers"),
        pytest.param([Forgotten(agent=A), Forgotten(agent=A)], id="forgotten-twice"),
        pytest.param([Noted(agent=B, team=None, protected=False)], id="noted-and-unknown"),
        pytest.param([NotDue(agent=A)], id="not-due-without-a-wait"),
        pytest.param([absent(A), NotDue(agent=A), NotDue(agent=A)], id="not-due-twice"),
        pytest.param([intended(), absent(A), DONE], id="answer-after-the-deferral"),
        pytest.param([absent(A), DONE], id="answer-without-intent-after-a-deferral"),
    ],
)
def test_replay_refuses_what_cannot_have_happened(happened: list[Entry]) -> None:
    journal = journal_of(*happened)
    with pytest.raises(JournalError, match=rf"{NAME}:{journal.entries[-1][0]}: .*agent 100[12] has no"):
        replay(journal, state())


@pytest.mark.parametrize("end", [100, 4096])
def test_a_hole_amid_what_was_written_is_refused_and_not_taken_for_its_end(end: int) -> None:
    batch = b"".join(frame(Forgotten(agent=AgentId(2000 + number))) for number in range(200))
    hole = DATA + bytes(end) + batch[end:]
    with pytest.raises(JournalError, match=rf"^{NAME}:{len(DATA)}: the journal is damaged"):
        read_journal(hole, name=NAME)
