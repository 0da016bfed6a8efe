"""Changes by hand in words: exactly what would be recorded or dropped, and everybody of whom it is said."""

from __future__ import annotations

import re

from hypothesis import given, settings
from report.examples import COLORED, PLAIN, hostile
from support.fleets import (
    NOW,
    Situation,
    agent_id,
    concurrency,
    desired,
    desired_agent,
    fleet_of,
    record,
    scope,
    situations,
    state,
    waiting,
)

from reconciler.model.by_hand import Adoption, Removal
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.state import RecordStatus
from reconciler.planning import adoption, removal
from reconciler.report import adoption_text, backup_sentence, removal_text

PLAIN_25 = concurrency(25, web_chat=9, sms=6)
MAIL = concurrency(8, email=8)
LOUD = "NOTHING IS SENT. That the gateway has these values is your word, not its answer: the state cannot be told"


def dropped(situation: Situation) -> Removal:
    return removal(situation.desired, situation.state, situation.options.scope)


def adopted(situation: Situation) -> Adoption:
    return adoption(situation.desired, situation.state, situation.options.scope, at=NOW, replace=True)


def test_a_removal_in_words() -> None:
    recorded = state(
        {
            **dict.fromkeys((1001, 1002, 1003), record(PLAIN_25)),
            1005: record(MAIL, team=None, protected=True, status=RecordStatus.IN_DOUBT),
        },
        pending={1003: waiting(), 1009: waiting()},
    )
    wanted = desired(fleet_of((1001, 1002, 1009), PLAIN_25))
    text = removal_text(removal(wanted, recorded, scope(agents="1001-1009")), style=PLAIN)
    assert text.splitlines() == [
        "To be dropped from the state of site demo (serial 7):",
        "  - 3 agents: total 25, web_chat 9, sms 6, team east",
        "    1001-1003",
        "  - agent 1005: total 8, email 8, protected, in doubt",
        "  - agent 1009: no record; a change waits",
        "",
        "Nothing is sent: the gateway keeps what it has.",
        "3 agents desired still: 1001-1002, 1009; the next plan shows them as new.",
        "2 agents not desired: 1003, 1005; no plan will name them any more, whatever they have.",
        "1 agent in doubt: 1005; that their last call has no known answer is forgotten too.",
        "2 agents waiting: 1003, 1009; since when they wait is forgotten.",
    ]


def test_an_adoption_in_words() -> None:
    wanted = desired(
        {
            **fleet_of((1001, 1002), PLAIN_25),
            1003: desired_agent(MAIL, team="night", protected=True),
            1004: PLAIN_25,
        }
    )
    recorded = state(
        {1003: record(PLAIN_25, callnums_key=CallnumsKey.LOWER), 1004: PLAIN_25}, pending={1001: waiting()}
    )
    text = adoption_text(adoption(wanted, recorded, scope(), at=NOW, replace=True), style=PLAIN)
    assert text.splitlines() == [
        "To be recorded as acknowledged in the state of site demo (serial 7):",
        "  sent with the key callNums",
        "  + 2 agents: total 25, web_chat 9, sms 6, team east",
        "    1001-1002",
        "  ~ agent 1003: total 8, email 8, team night, protected",
        "    in place of total 25, web_chat 9, sms 6, team east, key callnums",
        "",
        f"{LOUD} from",
        "one it acknowledged, and no plan will send them again unless it is asked to (--reassert).",
        "1 agent with web_chat open as recorded, and not desired: 1003; no plan will close it.",
        "1 agent with sms open as recorded, and not desired: 1003; no plan will close it.",
        "1 agent recorded just so: 1004; nothing to adopt.",
        "1 agent waiting: 1001; nothing is due any more, so the wait ends.",
    ]


def test_nobody_is_left_out_however_many_ranges_they_make() -> None:
    numbers = range(1001, 1201, 2)
    text = removal_text(removal(desired(), state(fleet_of(numbers, MAIL)), scope(agents="1001-1200")), style=PLAIN)
    named = set(re.findall(r"\b1[0-9]{3}\b", text.partition("\n\n")[0]))
    assert named == {str(number) for number in numbers}


def _named(text: str) -> set[int]:
    """The agents named above the sentences; no other number there has three digits."""
    spans = re.findall(r"\b([0-9]{3,6})(?:-([0-9]{3,6}))?\b", text.partition("\n\n")[0])
    return {agent for first, last in spans for agent in range(int(first), int(last or first) + 1)}


@given(situations)
@settings(max_examples=50)
def test_everybody_who_is_meant_is_named_and_colour_changes_no_letter(situation: Situation) -> None:
    put, gone = adopted(situation), dropped(situation)
    assert _named(adoption_text(put, style=PLAIN)) == set(put.records)
    assert _named(removal_text(gone, style=PLAIN)) == {*gone.records, *gone.waiting}
    colored = adoption_text(adopted(situation), style=COLORED)
    assert re.sub(r"\x1b\[[0-9]+m", "", colored) == adoption_text(adopted(situation), style=PLAIN)


@given(hostile)
def test_a_teams_name_is_shown_and_not_obeyed(team: str) -> None:
    recorded = state({1001: record(MAIL, team=team)})
    text = removal_text(removal(desired(), recorded, scope(agents="1001")), style=PLAIN)
    assert len(text.splitlines()) <= 8
    assert all(line.isprintable() and not line.lstrip().startswith("::") for line in text.split("\n"))


def test_nothing_kept_is_nothing_to_say() -> None:
    assert backup_sentence(None, "") == ""
    assert backup_sentence("s.backup-1", "push it").endswith("kept in s.backup-1; to put it back: push it\n")


def test_an_agent_without_a_record_is_told_by_the_wait() -> None:
    change = removal(desired({1001: MAIL}), state(pending={1001: waiting()}), scope(agents="1001"))
    assert list(change.waiting) == [agent_id(1001)]
    assert "agent 1001: no record; a change waits" in removal_text(change, style=PLAIN)
