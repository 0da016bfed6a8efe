"""Which call comes next: the experiment as a walk down a tree. Pure.

The idea: a number is read if and only if changing it alone changes the answer. So a message with the agent's own
numbers is held against the same message with one number too high, twice, in turns; whatever else a gateway does (ignore
unknown keys, refuse them, read a missing number as 0, check nothing) can make it fail to tell, and cannot make it tell
what is not so. Two equal messages in a row come first: a gateway that refuses every second call would be believed else.

What a step may do to the floor decides the order:

1. the numbers as recorded, in the spelling they were recorded with, twice: sets nothing new;
2. one of them too high. Refused, and so again after 1: that spelling is read, and nothing ever changed;
3. 2 was acknowledged, so the number was not read, or nobody checks numbers: both spellings together, right under both,
   then too high under the other. That one refused, twice: the other spelling is read. The agent has its own numbers
   all the while, more surely than before;
4. 1 was refused as a bad message (000-006), so nothing was set: the same in the other spelling, and then as 2. Any
   other refusal of 1 is about the agent, not about the message, and ends it.

Rules of this file: a step is only ever sent after the ones before it were answered; whoever drives it ends it where an
answer is none of those it asks about. What the answers mean is `spelling`'s to say.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from reconciler.model.gateway_settings import CallnumsKey
from reconciler.probing.trials import Answer, Kind, Message, Step, Trial, other_key

BAD_MESSAGE = "000-006"
"""The retcode for "a parameter in the message is incorrect" (cec_07_0580)."""

LONGEST = 12
"""Calls on the longest way: nine for the spelling, two for cookies, one with a channel left out."""

Steps = Generator[Step, Trial, None]
_Found = Generator[Step, Trial, CallnumsKey | None]


def steps(configured: CallnumsKey, *, has_cookies: Callable[[], bool], partial: bool) -> Steps:
    """Yield each step and take its trial, until there is nothing more to learn.

    Args:
        configured: the spelling to begin with.
        has_cookies: whether the session has cookies, so that leaving them out would tell something; asked late.
        partial: leave a channel out at the end, for somebody to look.
    """
    key = yield from _spelling(configured)
    if key is None:
        return
    if has_cookies():
        without = yield Step(message=Message(kind=Kind.PLAIN, key=key), cookies=False)
        if without.answer is not Answer.ACKNOWLEDGED:
            yield _step(Kind.PLAIN, key)
    if partial:
        yield Step(message=Message(kind=Kind.PARTIAL, key=key))


def _spelling(configured: CallnumsKey) -> _Found:
    """Return the spelling that is accepted alone, as far as can be told; `None` for none."""
    first = yield _step(Kind.PLAIN, configured)
    if first.answer is Answer.ACKNOWLEDGED:
        return (yield from _accepted(configured))
    if first.answer is Answer.REFUSED and first.retcode == BAD_MESSAGE:
        return (yield from _refused(configured))
    return None


def _accepted(configured: CallnumsKey) -> _Found:
    if not (yield from _acknowledges(Kind.PLAIN, configured)):
        return None
    if (yield from _refuses(Kind.HIGH, configured)):
        yield from _once_more(configured)
        return configured
    other = other_key(configured)
    for _ in range(2):
        if not (yield from _acknowledges(Kind.BOTH, other)) or not (yield from _refuses(Kind.BOTH_HIGH, other)):
            break
    else:
        if (yield from _acknowledges(Kind.PLAIN, other)):
            return other
    yield _step(Kind.PLAIN, configured)
    return configured


def _refused(configured: CallnumsKey) -> _Found:
    other = other_key(configured)
    for _ in range(2):
        if not (yield from _acknowledges(Kind.PLAIN, other)):
            return None
    if (yield from _refuses(Kind.HIGH, other)):
        yield from _once_more(other)
        return other
    # Nobody checks numbers, or the other is not read and the first refusal was chance: ask for that again.
    if (yield from _acknowledges(Kind.PLAIN, configured)):
        return configured
    yield _step(Kind.PLAIN, other)
    return other


def _once_more(key: CallnumsKey) -> Generator[Step, Trial, None]:
    """Hold the two against each other again, and end with the agent's own numbers."""
    for kind in (Kind.PLAIN, Kind.HIGH, Kind.PLAIN):
        yield _step(kind, key)


def _acknowledges(kind: Kind, key: CallnumsKey) -> Generator[Step, Trial, bool]:
    return (yield _step(kind, key)).answer is Answer.ACKNOWLEDGED


def _refuses(kind: Kind, key: CallnumsKey) -> Generator[Step, Trial, bool]:
    return (yield _step(kind, key)).answer is Answer.REFUSED


def _step(kind: Kind, key: CallnumsKey) -> Step:
    return Step(message=Message(kind=kind, key=key))
