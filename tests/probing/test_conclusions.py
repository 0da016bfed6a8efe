"""The rows of the tables: what each set of answers is taken for."""

from __future__ import annotations

import pytest
from probing.gateways import CAMEL, LOWER

from reconciler.gateway import (
    Acknowledged,
    Misconfigured,
    NotSignedIn,
    Observation,
    Refused,
    SessionExpired,
    Transient,
    Unanswered,
    Verdict,
)
from reconciler.model.probe import Grade, Restoration
from reconciler.probing import Seen
from reconciler.probing.bench import Result, judge_answer
from reconciler.probing.conclusions import find_cookies, find_latency, find_unlisted_channels
from reconciler.probing.restoring import keys_to_restore_with, standing
from reconciler.probing.spelling import find_spelling
from reconciler.probing.trials import Answer, Kind, Message, Step, Trial
from reconciler.values import replace

KINDS = {
    "plain": Kind.PLAIN,
    "high": Kind.HIGH,
    "both": Kind.BOTH,
    "both-high": Kind.BOTH_HIGH,
    "partial": Kind.PARTIAL,
}


def trials(*words: str) -> list[Trial]:
    """`high callNums 000-006`: what was sent, and the retcode it was refused with; `ok` for acknowledged."""
    made = []
    for each in words:
        kind, key, told = each.split()
        message = Message(kind=KINDS[kind], key=CAMEL if key == "callNums" else LOWER)
        answer = Answer.ACKNOWLEDGED if told == "ok" else Answer.NO_ANSWER if told == "-" else Answer.REFUSED
        made.append(Trial(step=Step(message=message), answer=answer, retcode="0" if told == "ok" else told))
    return made


PLAIN, HIGH = "plain callNums ok", "high callNums 000-006"
SURE = (PLAIN, PLAIN, HIGH, PLAIN, HIGH, PLAIN)


@pytest.mark.parametrize(
    ("seen", "value", "grade"),
    [
        (SURE, "callNums", Grade.CONFIRMED),
        (SURE[:5], "callNums", Grade.CONFIRMED),
        (SURE[:3], "callNums", Grade.LIKELY),
        ((PLAIN, HIGH, PLAIN, HIGH), "callNums", Grade.LIKELY),
        ((PLAIN, PLAIN, HIGH, PLAIN, "high callNums 106-012"), "callNums", Grade.LIKELY),
        ((PLAIN, PLAIN, HIGH, PLAIN, "high callNums ok"), None, Grade.UNKNOWN),
        ((PLAIN, PLAIN, HIGH, "plain callNums 000-006"), None, Grade.UNKNOWN),
        ((PLAIN, PLAIN), None, Grade.UNKNOWN),
        ((), None, Grade.UNKNOWN),
        ((PLAIN, PLAIN, "high callNums ok", "both callnums 000-006", PLAIN), "callNums", Grade.LIKELY),
        ((PLAIN, PLAIN, "high callNums ok", "both callnums 106-011", PLAIN), None, Grade.UNKNOWN),
        ((PLAIN, PLAIN, "high callNums ok", "both callnums ok", "both-high callnums ok"), None, Grade.UNKNOWN),
        (
            (
                *(PLAIN, PLAIN, "high callNums ok", "both callnums ok", "both-high callnums 000-006"),
                *("both callnums ok", "both-high callnums 000-006", "plain callnums ok"),
            ),
            "callnums",
            Grade.CONFIRMED,
        ),
        (
            (
                *("plain callNums 000-006", "plain callnums ok", "plain callnums ok", "high callnums ok"),
                "plain callNums 000-006",
            ),
            "callnums",
            Grade.LIKELY,
        ),
        (("plain callNums 000-006", "plain callnums ok", "plain callnums ok", "high callnums ok"), None, Grade.UNKNOWN),
        (
            (
                *(PLAIN, PLAIN, "high callNums ok", "both callnums ok", "both-high callnums 000-006"),
                *("both callnums ok", "both-high callnums 000-006", "plain callnums 106-011", PLAIN),
            ),
            None,
            Grade.UNKNOWN,
        ),
        (("plain callNums 106-011",), None, Grade.UNKNOWN),
        (("plain callNums 000-006", "plain callnums 000-006"), None, Grade.UNKNOWN),
    ],
    ids=[
        "twice",
        "twice-not-yet-restored",
        "once",
        "alternating-only",
        "two-retcodes",
        "refused-then-taken",
        "own-refused-then",
        "own-only",
        "nothing",
        "both-refused-as-bad-message",
        "both-refused-otherwise",
        "nothing-checked",
        "other-is-read",
        "other-taken-first-refused-twice",
        "other-taken-first-refused-once",
        "other-is-read-and-refused-alone",
        "own-refused-for-the-agent",
        "both-spellings-refused",
    ],
)
def test_a_row_of_the_table_of_spellings(seen: tuple[str, ...], value: str | None, grade: Grade) -> None:
    found = find_spelling(trials(*seen), CAMEL)

    assert (found.value, found.grade) == (value, grade)
    assert bool(found.evidence) == bool(seen)


def test_a_contradiction_is_called_one() -> None:
    found = find_spelling(trials(PLAIN, PLAIN, HIGH, "plain callNums 000-006"), CAMEL)

    assert "different answers to one and the same message" in found.conclusion


def test_the_evidence_is_counted_and_has_its_retcodes() -> None:
    assert find_spelling(trials(*SURE), CAMEL).evidence == (
        "the agent's own numbers as callNums: acknowledged, 4 times",
        "one number too high as callNums: refused (000-006), 2 times",
    )


@pytest.mark.parametrize(
    ("seen", "left", "keys"),
    [
        ((), Restoration.NOT_TOUCHED, [CAMEL]),
        (("plain callNums 000-006",), Restoration.NOT_TOUCHED, [CAMEL]),
        ((PLAIN,), Restoration.RESTORED, [CAMEL]),
        ((PLAIN, HIGH), Restoration.IN_DOUBT, [CAMEL]),
        ((PLAIN, "high callNums ok"), Restoration.IN_DOUBT, [CAMEL]),
        ((PLAIN, "plain callNums -"), Restoration.IN_DOUBT, [CAMEL]),
        ((PLAIN, "partial callNums ok"), Restoration.IN_DOUBT, [CAMEL]),
        ((PLAIN, "plain callNums 000-006"), Restoration.RESTORED, [CAMEL]),
        (("plain callNums 000-006", "plain callnums ok"), Restoration.RESTORED, [LOWER, CAMEL]),
        (("plain callNums 000-006", "plain callnums ok", "high callnums ok"), Restoration.IN_DOUBT, [LOWER, CAMEL]),
        ((PLAIN, PLAIN, "high callNums ok", "both callnums ok"), Restoration.IN_DOUBT, [CAMEL]),
    ],
    ids=[
        "nothing-sent",
        "refused",
        "own",
        "high-refused",
        "high-taken",
        "own-unanswered",
        "partial",
        "own-then-refused",
        "other-own",
        "other-high",
        "both-together",
    ],
)
def test_a_row_of_what_the_agent_is_left_with(seen: tuple[str, ...], left: Restoration, keys: list[str]) -> None:
    made = trials(*seen)

    assert standing(made, CAMEL) is left
    assert list(keys_to_restore_with(made, CAMEL)) == keys


@pytest.mark.parametrize(
    ("verdict", "answer"),
    [
        (Acknowledged(), Answer.ACKNOWLEDGED),
        (Refused(retcode="000-006"), Answer.REFUSED),
        (Refused(), Answer.FAILED),
        (Refused(retcode="100-004"), Answer.SESSION_REFUSED),
        (NotSignedIn(retcode="100-006"), Answer.NOT_SIGNED_IN),
        (SessionExpired(retcode="000-003"), Answer.SESSION_REFUSED),
        (Transient(retcode="000-007"), Answer.FAILED),
        (Transient(sent_maybe=True), Answer.NO_ANSWER),
        (Unanswered(), Answer.NO_ANSWER),
        (Misconfigured(), Answer.FAILED),
    ],
    ids=[
        "acknowledged",
        "refused",
        "refused-before-the-gateway",
        "wrong-password",
        "not-signed-in",
        "expired",
        "overlapping",
        "perhaps-taken",
        "unanswered",
        "misconfigured",
    ],
)
def test_a_verdict_is_one_answer_to_the_experiment(verdict: Verdict, answer: Answer) -> None:
    assert judge_answer(verdict) is answer


def result(trial: Trial, *, extras: tuple[str, ...] = (), names: tuple[str, ...] = ()) -> Result:
    seen = Observation(verdict=Acknowledged(), seconds=0.01, extras=extras, cookie_names=names)
    return Result(trial=trial, observation=seen, sent=True)


def test_a_call_that_leaves_a_channel_out_and_is_refused_says_that_none_may_be() -> None:
    made = [result(trial) for trial in trials(PLAIN, "partial callNums 106-003")]
    found = find_unlisted_channels(made, None)

    assert (found.value, found.grade) == ("refused", Grade.LIKELY)


def test_what_replies_carry_is_told_and_decides_nothing() -> None:
    made = [result(trial, extras=("result=null",), names=("SERVERID",)) for trial in trials(PLAIN)]

    assert find_unlisted_channels(made, Seen.UNCLEAR).evidence[0] == "replies carry result=null"
    assert find_unlisted_channels(made, None).grade is Grade.UNKNOWN
    assert find_cookies(made).evidence[0] == "replies set SERVERID"


def test_a_call_without_cookies_that_is_refused_for_itself_says_nothing_about_them() -> None:
    with_them, without = trials(PLAIN, "plain callNums 106-011")
    made = [
        Result(trial=with_them, has_cookies=True, sent=True),
        Result(trial=replace(without, step=replace(without.step, cookies=False)), has_cookies=True, sent=True),
        Result(trial=with_them, has_cookies=True, sent=True),
    ]

    assert find_cookies(made).grade is Grade.UNKNOWN


def test_where_nothing_was_sent_nothing_is_said_of_cookies_or_latency() -> None:
    assert (find_cookies([]).grade, find_cookies([]).evidence) == (Grade.UNKNOWN, ())
    assert find_latency([], 10.0).grade is Grade.UNKNOWN
