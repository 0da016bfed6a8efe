"""What the answers say about the spelling of a channel's number. Pure.

| seen                                                                     | concluded                   | grade     |
|--------------------------------------------------------------------------|-----------------------------|-----------|
| own numbers acknowledged, one too high refused; twice, by one retcode    | that spelling is read       | confirmed |
| the same, once                                                           | that spelling is read       | likely    |
| both spellings together refused as a bad message, the one alone not      | the one alone is read       | likely    |
| one refused as a bad message, twice; the other acknowledged twice        | the other is read           | likely    |
| one message got two answers, or anything else                            | nothing                     | unknown   |

Why the first row is certain: the two messages differ in nothing but one number under that spelling, so a gateway that
answers them differently has read it. Chance, and a limit on calls, are excluded by the second time and by two calls in
a row that were both acknowledged. Why the rows of "likely" are not: a number that is read can also be refused for what
it is, for reasons a gateway keeps to itself.

Rule of this file: where the answers contradict each other, nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.probe import Finding, Grade, Topic
from reconciler.probing.script import BAD_MESSAGE
from reconciler.probing.trials import Answer, Kind, Message, Trial, other_key

Trials = Sequence[Trial]

_PAIRS = ((Kind.PLAIN, Kind.HIGH), (Kind.BOTH, Kind.BOTH_HIGH))
"""Messages that differ in one number under the spelling they are about."""
_TWICE = 2


def find_spelling(trials: Trials, configured: CallnumsKey) -> Finding:
    """Return which spelling the gateway reads, as far as `trials` tell.

    Args:
        trials: the calls so far, in order.
        configured: the spelling that the experiment began with.
    """
    key, grade, why = _conclude(trials, configured)
    return Finding(
        topic=Topic.CALLNUMS_KEY,
        grade=grade,
        value=None if key is None else key.value,
        conclusion=f"the gateway reads {key.value}: {why}" if key is not None else why,
        evidence=tuple(_evidence(trials)),
    )


def is_read(key: CallnumsKey, trials: Trials) -> bool:
    """Tell whether it is certain that the gateway reads numbers spelt like `key`."""
    return _matters(key, trials) >= _TWICE


def _conclude(trials: Trials, configured: CallnumsKey) -> tuple[CallnumsKey | None, Grade, str]:
    other = other_key(configured)
    if _contradicts_itself(trials):
        return None, Grade.UNKNOWN, "it gave different answers to one and the same message, so they tell nothing"
    for grade, times in ((Grade.CONFIRMED, _TWICE), (Grade.LIKELY, 1)):
        read = [key for key in (configured, other) if _matters(key, trials) >= times and not _all_refused(key, trials)]
        if len(read) == 1:
            return read[0], grade, "a number that is too high under it, and nothing else, made it refuse"
    by_message = _by_refused_message(trials, configured)
    if by_message is not None:
        return by_message, Grade.LIKELY, "the other spelling is refused as a bad message"
    return None, Grade.UNKNOWN, _why_unknown(trials, configured)


def _matters(key: CallnumsKey, trials: Trials) -> int:
    """Return how often changing the number under `key` alone changed the answer; 0 when it also did not."""
    return max(_times(base, high, key, trials) for base, high in _PAIRS)


def _times(base: Kind, high: Kind, key: CallnumsKey, trials: Trials) -> int:
    own, too_high = _answers(base, key, trials), _answers(high, key, trials)
    retcodes = {trial.retcode for trial in trials if trial.step.message == Message(kind=high, key=key)}
    if set(own) != {Answer.ACKNOWLEDGED} or set(too_high) != {Answer.REFUSED}:
        return 0
    certain = len(own) >= _TWICE and len(retcodes) == 1 and _two_in_a_row(trials)
    return min(len(too_high), _TWICE) if certain else 1


def _two_in_a_row(trials: Trials) -> bool:
    return any({one.answer, next_one.answer} == {Answer.ACKNOWLEDGED} for one, next_one in pairwise(trials))


def _by_refused_message(trials: Trials, configured: CallnumsKey) -> CallnumsKey | None:
    other = other_key(configured)
    plain, plain_other = (_answers(Kind.PLAIN, key, trials) for key in (configured, other))
    if set(plain) == {Answer.ACKNOWLEDGED} and _bad_messages(Kind.BOTH, other, trials):
        return configured
    if len(plain_other) >= _TWICE and set(plain_other) == {Answer.ACKNOWLEDGED}:
        return other if _bad_messages(Kind.PLAIN, configured, trials) >= _TWICE else None
    return None


def _bad_messages(kind: Kind, key: CallnumsKey, trials: Trials) -> int:
    """Return how often the message was refused as a bad one; 0 when it was answered otherwise, too."""
    told = [(t.answer, t.retcode) for t in trials if t.step.message == Message(kind=kind, key=key)]
    return len(told) if set(told) == {(Answer.REFUSED, BAD_MESSAGE)} else 0


def _contradicts_itself(trials: Trials) -> bool:
    return any(
        {Answer.ACKNOWLEDGED, Answer.REFUSED} <= set(_answers(message.kind, message.key, trials))
        for message in {trial.step.message for trial in trials}
    )


def _all_refused(key: CallnumsKey, trials: Trials) -> bool:
    return Answer.REFUSED in _answers(Kind.PLAIN, key, trials)


def _answers(kind: Kind, key: CallnumsKey, trials: Trials) -> list[Answer]:
    """Return the answers to a message that are about it; without cookies the answer is about them."""
    useful = (Answer.ACKNOWLEDGED, Answer.REFUSED)
    message = Message(kind=kind, key=key)
    return [t.answer for t in trials if t.step.message == message and t.step.cookies and t.answer in useful]


def _why_unknown(trials: Trials, configured: CallnumsKey) -> str:
    first = _answers(Kind.PLAIN, configured, trials)
    if not first:
        return "no call was answered"
    if first[0] is Answer.REFUSED:
        return "the gateway refuses the agent's own numbers, whichever way they are spelt or for another reason"
    if Answer.ACKNOWLEDGED in _answers(Kind.HIGH, configured, trials):
        return "the gateway acknowledges numbers that cannot be, so its answers do not tell what it reads"
    return "the experiment ended before the answers could tell"


_WORDS = {
    Kind.PLAIN: "the agent's own numbers as {key}",
    Kind.HIGH: "one number too high as {key}",
    Kind.BOTH: "the agent's own numbers under both spellings",
    Kind.BOTH_HIGH: "the same, one number too high as {key}",
    Kind.PARTIAL: "one channel left out",
}


def _evidence(trials: Trials) -> list[str]:
    lines: dict[str, int] = {}
    for trial in trials:
        if trial.step.cookies and trial.step.message.kind is not Kind.PARTIAL:
            words = _WORDS[trial.step.message.kind].format(key=trial.step.message.key.value)
            code = f" ({trial.retcode})" if trial.retcode and trial.answer is not Answer.ACKNOWLEDGED else ""
            line = f"{words}: {trial.answer}{code}"
            lines[line] = lines.get(line, 0) + 1
    return [line if times == 1 else f"{line}, {times} times" for line, times in lines.items()]
