"""Formats of the past are read for ever, in steps; those of the future are refused, with what to do."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

import pytest
from state import golden
from state.records import EARLIER, NOW, record, state

from reconciler.errors import JournalError, StateError
from reconciler.model.agent import AgentId
from reconciler.state import decode, encode
from reconciler.state.document.fields import FORMAT_VERSION
from reconciler.state.document.upgrade import Fields, Ladder, Rung
from reconciler.state.journal.entries import Acknowledged, Forgotten
from reconciler.state.journal.lines import frame, frame_all, read_journal

FORMATS = golden.FORMATS


def test_every_format_that_was_ever_written_has_its_golden_files() -> None:
    found = {each.name: {file.name for file in each.iterdir()} for each in FORMATS.iterdir()}
    assert FORMAT_VERSION in found
    assert set(map(frozenset, found.values())) == {frozenset({"state.json", "state.json.journal"})}


@pytest.mark.parametrize("version", sorted(each.name for each in FORMATS.iterdir()))
def test_a_golden_state_is_read_with_all_its_fields(version: str) -> None:
    assert decode((FORMATS / version / "state.json").read_bytes(), site="demo") == golden.STATE


@pytest.mark.parametrize("version", sorted(each.name for each in FORMATS.iterdir()))
def test_a_golden_journal_is_read_with_all_its_entries(version: str) -> None:
    journal = read_journal((FORMATS / version / "state.json.journal").read_bytes(), name="state.json.journal")
    assert journal is not None
    assert journal.run == golden.RUN
    assert tuple(entry for _, entry in journal.entries) == (*golden.ENTRIES, *golden.GATHERED)


def test_what_is_written_today_is_the_golden_file_of_todays_format() -> None:
    today = FORMATS / FORMAT_VERSION
    assert encode(golden.STATE) == (today / "state.json").read_bytes()
    written = b"".join(map(frame, (golden.RUN, *golden.ENTRIES))) + frame_all(golden.GATHERED)
    assert written == (today / "state.json.journal").read_bytes()


# A past that never was: in 0.8 an agent's record was a list of numbers, in 0.9 it had no team and no key spelling.


def _from_0_8(fields: Fields) -> Fields:
    agents = fields.pop("agents")
    assert isinstance(agents, dict)
    records = {
        agent: {
            "acknowledged_at": at,
            "channels": {"51": web_chat},
            "protected": False,
            "session": None,
            "status": "acknowledged",
            "total": total,
        }
        for agent, (total, web_chat, at) in agents.items()
    }
    return {**fields, "agents": records}


def _from_0_9(fields: Fields) -> Fields:
    agents = fields["agents"]
    if not isinstance(agents, dict):
        raise ValueError("agents is not an object")  # noqa: TRY004 - a step refuses with a ValueError
    records = {agent: {**each, "team": None, "callnums_key": "callNums"} for agent, each in agents.items()}
    return {**fields, "agents": records}


STATES = Ladder(
    rungs=(
        Rung(older="0.8", newer="0.9", step=_from_0_8),
        Rung(older="0.9", newer="1.0", step=_from_0_9),
    )
)
OLD = {
    "format_version": "0.8",
    "lineage": golden.LINEAGE,
    "serial": 7,
    "site": "demo",
    "agents": {"1001": [8, 4, EARLIER]},
}


def test_an_older_state_climbs_step_by_step() -> None:
    found = decode(json.dumps(OLD).encode(), site="demo", formats=STATES)
    expected = decode(
        encode(state({1001: record(found.agents[AgentId(1001)].concurrency, team=None)})), site="demo", formats=STATES
    )
    assert found == expected
    assert found.agents[AgentId(1001)].concurrency.total == 8


def test_an_older_state_is_written_in_todays_format() -> None:
    found = decode(json.dumps(OLD).encode(), site="demo", formats=STATES)
    assert json.loads(encode(found))["format_version"] == FORMAT_VERSION


def test_an_older_state_is_read_as_strictly_as_one_of_today() -> None:
    spoilt = {**OLD, "agents": {"1001": [8, 4, "yesterday"]}}
    with pytest.raises(StateError, match="agent 1001: acknowledged_at is 'yesterday'"):
        decode(json.dumps(spoilt).encode(), site="demo", formats=STATES)


def test_a_key_that_is_there_twice_is_found_in_an_older_state_too() -> None:
    # The step takes the key away, so that it cannot be counted afterwards.
    spoilt = json.dumps(OLD).replace('"agents": {', '"agents": {"1001": [9, 9, "2026-01-31T08:00:00Z"], ')
    with pytest.raises(StateError, match="the key '1001' is there more than once"):
        decode(spoilt.encode(), site="demo", formats=STATES)


def test_a_step_that_makes_no_sense_of_a_document_refuses_it_in_its_own_words() -> None:
    with pytest.raises(StateError, match=r"^agents is not an object$") as caught:
        decode(json.dumps({**OLD, "format_version": "0.9", "agents": []}).encode(), site="demo", formats=STATES)
    assert "restore it" in caught.value.hint


@pytest.mark.parametrize("version", ["0.7", "0.10", "0.0"])
def test_a_version_between_the_steps_is_refused_with_those_that_can_be_read(version: str) -> None:
    with pytest.raises(StateError) as caught:
        decode(json.dumps({**OLD, "format_version": version}).encode(), site="demo", formats=STATES)
    assert str(caught.value) == f"format {version} is none this reconciler reads; it reads 0.8, 0.9, 1.0"


def test_a_state_of_the_future_is_refused_whatever_the_ladder() -> None:
    with pytest.raises(StateError, match=r"format 1\.1 was written by a newer reconciler") as caught:
        decode(json.dumps({**OLD, "format_version": "1.1"}).encode(), site="demo", formats=STATES)
    assert "upgrade this reconciler" in caught.value.hint


# In 0.9 a journal called an acknowledgement "done" and did not say whether the record was kept.


def _journal_from_0_9(fields: Fields) -> Fields:
    return {**fields, "kind": "acknowledged", "keep": True} if fields["kind"] == "done" else fields


JOURNALS = Ladder(rungs=(Rung(older="0.9", newer="1.0", step=_journal_from_0_9),))


def framed(*records: Mapping[str, object]) -> bytes:
    """Frame records that today's writer would not write."""
    payloads = [json.dumps(each, separators=(",", ":")).encode() for each in records]
    return b"".join(b"%08x %08x %b\n" % (len(each), zlib.crc32(each), each) for each in payloads)


def opening(version: str) -> dict[str, object]:
    return {
        "kind": "run",
        "format_version": version,
        "site": "demo",
        "lineage": golden.LINEAGE,
        "serial": 7,
        "run": "run-1",
        "started_at": NOW,
    }


def test_every_record_of_an_older_journal_climbs() -> None:
    done = {"kind": "done", "agent": "1001", "at": NOW, "session": None}
    journal = read_journal(
        framed(opening("0.9"), done, {"kind": "forgotten", "agent": "1002"}), name="j", formats=JOURNALS
    )
    assert journal is not None
    assert [entry for _, entry in journal.entries] == [
        Acknowledged(agent=AgentId(1001), at=NOW, session=None),
        Forgotten(agent=AgentId(1002)),
    ]


def test_a_record_of_the_past_is_not_read_in_a_journal_of_today() -> None:
    done = {"kind": "done", "agent": "1001", "at": NOW, "session": None}
    with pytest.raises(JournalError, match="this is no record of a journal"):
        read_journal(framed(opening("1.0"), done), name="j", formats=JOURNALS)


def test_a_journal_that_does_not_say_who_wrote_it_is_read() -> None:
    journal = read_journal(framed(opening("1.0")), name="j")
    assert journal is not None
    assert (journal.run.operation, journal.run.who, journal.run.url) == (None, None, None)


def test_a_journal_of_the_future_is_refused_with_what_to_do() -> None:
    with pytest.raises(JournalError, match=r"format 2\.0 was written by a newer reconciler") as caught:
        read_journal(framed(opening("2.0")), name="j")
    assert "upgrade this reconciler" in caught.value.hint


@pytest.mark.parametrize(
    "rungs",
    [
        pytest.param((Rung(older="0.8", newer="0.9", step=_from_0_8),), id="ends-too-early"),
        pytest.param(
            (Rung(older="0.7", newer="0.8", step=_from_0_8), Rung(older="0.9", newer="1.0", step=_from_0_9)), id="gap"
        ),
    ],
)
def test_a_ladder_that_does_not_lead_to_today_cannot_be_built(rungs: tuple[Rung, ...]) -> None:
    with pytest.raises(ValueError, match=r"do not lead to 1\.0"):
        Ladder(rungs=rungs)
