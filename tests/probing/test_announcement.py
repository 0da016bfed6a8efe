"""What a probe may send is told before, whole."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from probing.gateways import CAMEL, VALUES
from support.fleets import callnums_keys, concurrencies, concurrency, desired

from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.probe import ProbeScript, ScriptedBranch
from reconciler.model.state import empty_state
from reconciler.probing.announcement import announce, letter_of
from reconciler.probing.script import LONGEST, steps
from reconciler.probing.subject import Subject, choose_subject
from reconciler.probing.trials import Answer, Kind, Message, Trial, body_of, other_key
from reconciler.values import replace

AGENT = 1001
ANSWERS = ((Answer.ACKNOWLEDGED, "0"), (Answer.REFUSED, "000-006"), (Answer.REFUSED, "106-011"))


def subject_of(values: Concurrency = VALUES, key: CallnumsKey = CAMEL) -> Subject:
    fleet = desired({AGENT: values})
    agent = next(iter(fleet.agents))
    chosen = choose_subject(agent, fleet, empty_state("demo"), allow_protected=False)
    return replace(chosen, configured=key)


def script_of(values: Concurrency = VALUES, key: CallnumsKey = CAMEL, *, pause: float | None = 60.0) -> ProbeScript:
    return announce(subject_of(values, key), desired({AGENT: values}), pause=pause, interval=1.0)


def ways(key: CallnumsKey, *, cookies: bool, partial: bool, answered: tuple[Trial, ...] = ()) -> Iterator[list[Trial]]:
    """Yield what is sent under every sequence of answers, each way to its end."""
    script = steps(key, has_cookies=lambda: cookies, partial=partial)
    step = next(script)
    try:
        for trial in answered:
            step = script.send(trial)
    except StopIteration:
        yield list(answered)
        return
    for answer, retcode in ANSWERS:
        further = Trial(step=step, answer=answer, retcode=retcode)
        yield from ways(key, cookies=cookies, partial=partial, answered=(*answered, further))


def chains(branches: tuple[ScriptedBranch, ...]) -> set[str]:
    """Return every chain of letters from the first branch to one of its descendants, one letter cut off at a time."""
    found, path = set[str](), list[tuple[str, ...]]()
    for branch in branches:
        path[branch.depth :] = [branch.letters]
        whole = "".join(letter for letters in path for letter in letters)
        found |= {whole[: len(whole) - cut] for cut in range(len(branch.letters))}
    return found


@pytest.mark.parametrize("key", CallnumsKey)
def test_every_way_of_the_script_stands_in_the_announcement(key: CallnumsKey) -> None:
    told = chains(tuple(each for each in script_of(key=key).branches if "or" not in "".join(each.letters)))
    sent = {
        "".join(letter_of(trial.step.message, key) for trial in way) for way in ways(key, cookies=False, partial=False)
    }

    assert sent <= told
    assert {len(each) for each in sent} >= {1, 2, 7, 8}


@pytest.mark.parametrize("key", CallnumsKey)
def test_no_way_is_longer_than_announced(key: CallnumsKey) -> None:
    longest = max(len(way) for way in ways(key, cookies=True, partial=True))

    assert longest == LONGEST
    assert script_of(key=key).at_most == LONGEST + 1  # and the agent's own numbers after the one left out
    assert script_of(key=key, pause=None).at_most == LONGEST


@given(callnums_keys, concurrencies)
def test_every_body_that_can_be_sent_is_shown_to_the_letter(key: CallnumsKey, values: Concurrency) -> None:
    shown = {message.letter: message.body.encode() for message in script_of(values, key).messages}

    for kind in Kind:
        for spelling in (key, other_key(key)):
            letter = letter_of(Message(kind=kind, key=spelling), key) if _is_scripted(kind, spelling, key) else None
            if letter in shown:
                assert shown[letter] == body_of(Message(kind=kind, key=spelling), values)


def _is_scripted(kind: Kind, spelling: CallnumsKey, key: CallnumsKey) -> bool:
    return kind not in (Kind.BOTH, Kind.BOTH_HIGH) or spelling is not key


def test_the_bodies_are_those_of_the_interface_but_for_what_is_tried() -> None:
    bodies = {message.letter: json.loads(message.body) for message in script_of().messages}
    rows = {letter: body["agentMediaCallNums"] for letter, body in bodies.items()}

    assert {body["totalCallNum"] for body in bodies.values()} == {12}
    assert rows == {
        "A": [{"mediaType": 51, "callNums": 6}, {"mediaType": 52, "callNums": 4}],
        "B": [{"mediaType": 51, "callNums": 61}, {"mediaType": 52, "callNums": 4}],
        "C": [{"mediaType": 51, "callNums": 6, "callnums": 6}, {"mediaType": 52, "callNums": 4, "callnums": 4}],
        "D": [{"mediaType": 51, "callNums": 6, "callnums": 61}, {"mediaType": 52, "callNums": 4, "callnums": 4}],
        "E": [{"mediaType": 51, "callnums": 6}, {"mediaType": 52, "callnums": 4}],
        "F": [{"mediaType": 51, "callnums": 61}, {"mediaType": 52, "callnums": 4}],
        "G": [{"mediaType": 51, "callNums": 6}],
        "H": [{"mediaType": 51, "callnums": 6}],
    }


def test_the_path_is_that_of_the_agent_and_the_guid_is_nowhere() -> None:
    script = script_of()

    assert (script.method, script.path) == ("POST", "/agentgateway/resource/mediacall/1001/setcallnumsbymediatype")
    assert "Guid" not in repr(script)


@pytest.mark.parametrize(
    "values", [concurrency(5, sms=4), concurrency(5, sms=0, web_chat=0)], ids=["one-channel", "all-closed"]
)
def test_where_leaving_a_channel_out_would_show_nothing_none_is_left_out(values: Concurrency) -> None:
    script = script_of(values)

    assert script.pause is None
    assert {message.letter for message in script.messages} == set("ABCDEF")


def test_the_channel_left_out_is_the_smallest_open_one_and_the_raised_one_the_largest() -> None:
    bodies = {m.letter: json.loads(m.body) for m in script_of(concurrency(30, email=0, web_chat=9, sms=2)).messages}

    assert [row["mediaType"] for row in bodies["G"]["agentMediaCallNums"]] == [50, 51]
    assert [row["callNums"] for row in bodies["B"]["agentMediaCallNums"]] == [0, 61, 2]
