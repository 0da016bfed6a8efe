"""The past in words: one line for whatever became of an agent, and nothing of it is obeyed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.examples import COLORED, PLAIN, hostile
from support.fleets import LINEAGE, NOW, agent_id, concurrency, record

from reconciler.model.past import Ending, Event, PastEvent, PastRun
from reconciler.report import history_documents, history_summary, history_text

VALUES = record(concurrency(25, web_chat=9, sms=6), team="east", session="login-1")


def past(*events: PastEvent, ending: Ending = Ending.ENDED, operation: str | None = "apply") -> PastRun:
    return PastRun(
        run="run-1",
        started_at=NOW,
        ending=ending,
        site="demo",
        lineage=LINEAGE,
        serial=7,
        operation=operation,
        who="alice@desk" if operation else None,
        url="https://ci.example/jobs/1" if operation else None,
        events=events,
    )


APPLIED = PastEvent(agent=agent_id(1001), event=Event.APPLIED, at=NOW, retcode="0", record=VALUES)
LAST = PastEvent(agent=agent_id(101), event=Event.APPLIED, at=NOW, retcode="0", record=VALUES, kept=False)
DEFERRED = PastEvent(agent=agent_id(999_999), event=Event.DEFERRED, at=NOW)
DOUBT = PastEvent(agent=agent_id(1003), event=Event.IN_DOUBT, record=VALUES)


def test_a_run_and_its_events_in_words() -> None:
    text = history_text("demo", [past(APPLIED, LAST, DEFERRED, DOUBT)], kept=3, style=PLAIN)
    assert text.splitlines() == [
        f"{NOW}  apply by alice@desk  from serial 7, run run-1, https://ci.example/jobs/1",
        f"  1001    applied      {NOW}  0        total 25, web_chat 9, sms 6",
        f"  101     applied      {NOW}  0        total 25, web_chat 9, sms 6  (the last call; the record was dropped)",
        f"  999999  deferred     {NOW}  -",
        "  1003    in doubt     -                     -        total 25, web_chat 9, sms 6",
        "",
        "State: site demo, 1 of 3 runs listed, 4 events.",
    ]


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Ending.ENDED, "apply by alice@desk  from"),
        (Ending.CUT_SHORT, "cut short; a later run took over what it had left"),
        (Ending.BY_HAND, "by hand; nothing was sent"),
        (Ending.NOT_ENDED, "not ended: under way, or cut short"),
    ],
)
def test_how_a_run_ended_is_said(ending: Ending, words: str) -> None:
    assert words in history_text("demo", [past(ending=ending)], kept=1, style=PLAIN)


def test_a_run_that_does_not_say_who_it_was_is_a_run() -> None:
    text = history_text("demo", [past(operation=None)], kept=1, style=PLAIN)
    assert text.startswith(f"{NOW}  a run  from serial 7, run run-1\n")


def test_every_event_has_words_and_a_count() -> None:
    events = [PastEvent(agent=agent_id(1001), event=event) for event in Event]
    summary = history_summary([past(*events)], kept=1, unread=2)
    assert summary == {"listed": 1, "kept": 1, "unreadable": 2, **{str(event): 1 for event in Event}}
    text = history_text("demo", [past(*events)], kept=1, style=PLAIN)
    assert all(f"  {str(event).replace('_', ' ')}" in text for event in Event)


def test_the_document_has_every_field_of_an_event() -> None:
    (document,) = history_documents([past(APPLIED, DEFERRED)])
    events = document["events"]
    assert isinstance(events, list)
    first, second = events
    assert first == {
        "agent": "1001",
        "event": "applied",
        "at": NOW,
        "retcode": "0",
        "total": 25,
        "channels": {"51": 9, "52": 6},
        "callnums_key": "callNums",
        "session": "login-1",
        "team": "east",
        "kept": True,
    }
    assert (second["total"], second["channels"], second["callnums_key"]) == (None, None, None)


@given(hostile, hostile, hostile, hostile)
def test_nothing_of_it_is_obeyed(who: str, operation: str, url: str, retcode: str) -> None:
    run = PastRun(
        run="run-1",
        started_at=NOW,
        ending=Ending.ENDED,
        site="demo",
        lineage=None,
        serial=0,
        operation=operation,
        who=who,
        url=url,
        events=(PastEvent(agent=agent_id(1001), event=Event.DEFERRED, at=NOW, retcode=retcode),),
    )
    text = history_text(who or "demo", [run], kept=1, style=PLAIN)
    assert len(text.splitlines()) == 4
    for line in text.split("\n"):
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line


@given(st.lists(st.sampled_from([APPLIED, LAST, DEFERRED, DOUBT]), max_size=4))
def test_colour_changes_no_letter(events: list[PastEvent]) -> None:
    colored = history_text("demo", [past(*events)], kept=1, style=COLORED)
    assert re.sub(r"\x1b\[[0-9]+m", "", colored) == history_text("demo", [past(*events)], kept=1, style=PLAIN)
