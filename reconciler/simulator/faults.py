"""Scripted faults: what happens to a call, beside `whens`, which says to which.

Rules of this file: pure values and one table, `_EFFECTS`; a new fault is a new row there. A fault is written
`[WHEN=]EFFECT[+EFFECT…]`, with a WHEN as in `whens` (none: anyone's next call that sets numbers, once) and these

    EFFECT   reset-before-commit   reset-after-commit    http-502   http-200-html    sign-out       slow:SECONDS
             retcode:XXX-YYY       http-429:SECONDS                                  lose-session

Several faults that wait for the same "next call" are taken one per call, in the order written; effects joined by `+`,
and faults of different WHENs that hit one call, act together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce

from reconciler.errors import InputError
from reconciler.simulator.exchange import HTML, Reply, retcode_reply
from reconciler.simulator.whens import Arrival, Next, When, parse_when
from reconciler.values import Struct, field

_RETCODE = re.compile(r"[0-9]{3}-[0-9]{3}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,6})?", re.ASCII)
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_SORRY = b"<html><head><title>Notice</title></head><body>The service is being maintained.</body></html>"


class Effect(Struct, frozen=True, kw_only=True):
    """What happens to one call; the default is nothing out of the ordinary."""

    delay: float = 0.0
    """Seconds by which the answer is late. The work is done before: a caller that gives up is left in doubt."""
    reaches: bool = True
    """Whether the call reaches the gateway's work at all."""
    reset: bool = False
    """The connection is cut instead of an answer."""
    reply: Reply | None = None
    """Sent instead of the gateway's own answer."""
    signs_out: bool = False
    """The agent of the call signs out just before it is judged."""
    loses_session: bool = False
    """The gateway forgets the session of the call's agent just before it is judged."""

    def __add__(self, other: Effect) -> Effect:
        """Return both effects at once; of two replies the first is sent."""
        return Effect(
            delay=self.delay + other.delay,
            reaches=self.reaches and other.reaches,
            reset=self.reset or other.reset,
            reply=self.reply or other.reply,
            signs_out=self.signs_out or other.signs_out,
            loses_session=self.loses_session or other.loses_session,
        )


class Fault(Struct, frozen=True, kw_only=True):
    """An effect and the calls it hits."""

    effect: Effect
    when: When = field(default_factory=When)


class _Waiting(Struct):
    """A fault in a script, and what it has hit."""

    fault: Fault
    since: float | None = None
    """The instant of the first hit."""
    agents: Counter[int | None] = field(default_factory=Counter)
    """How often it hit each agent."""

    def is_for(self, arrival: Arrival) -> bool:
        return self.fault.when.hits(arrival, since=self.since, before=self.agents[arrival.agent])

    def note(self, arrival: Arrival) -> None:
        self.since = arrival.at if self.since is None else self.since
        self.agents[arrival.agent] += 1


class FaultScript:
    """The faults of one gateway, used up as calls arrive."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Begin with these faults."""
        self._waiting = [_Waiting(fault) for fault in faults]

    def add(self, faults: Iterable[Fault]) -> None:
        """Append faults to the script."""
        self._waiting.extend(_Waiting(fault) for fault in faults)

    def drop(self, faults: Sequence[Fault]) -> None:
        """Drop those of these very faults that are left; others that are equal stay."""
        self._waiting = [each for each in self._waiting if not any(each.fault is fault for fault in faults)]

    def clear(self) -> None:
        """Drop all faults that are left."""
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, arrival: Arrival) -> Effect:
        """Return what happens to this call, and drop the faults that are thereby used up."""
        hit = [each for each in self._waiting if each.is_for(arrival)]
        in_turn = [each for each in hit if isinstance(each.fault.when.calls, Next)]
        taken = [each for each in hit if each not in in_turn] + in_turn[:1]
        for each in taken:
            each.note(arrival)
        spent = {id(each) for each in taken if each.fault.when.is_used_up_by_a_hit}
        self._waiting = [each for each in self._waiting if id(each) not in spent]
        return reduce(lambda effect, each: effect + each.fault.effect, taken, Effect())


def _fixed(effect: Effect) -> Callable[[str], Effect]:
    def make(argument: str) -> Effect:
        if argument:
            raise ValueError("takes no argument")
        return effect

    return make


def _seconds(argument: str) -> str:
    if not _SECONDS.fullmatch(argument):
        raise ValueError("needs a number of seconds after a colon, such as 2 or 0.5")
    return argument


def _slow(argument: str) -> Effect:
    return Effect(delay=float(_seconds(argument)))


def _throttled(argument: str) -> Effect:
    headers = {"Retry-After": _seconds(argument)}
    reply = retcode_reply("100-003", "too many requests", status=429, headers=headers)
    return Effect(reaches=False, reply=reply)


def _refused(argument: str) -> Effect:
    if not _RETCODE.fullmatch(argument):
        raise ValueError("needs a return code after a colon, such as 100-007")
    return Effect(reaches=False, reply=retcode_reply(argument, "scripted"))


_EFFECTS: Mapping[str, Callable[[str], Effect]] = {
    "reset-before-commit": _fixed(Effect(reaches=False, reset=True)),
    "reset-after-commit": _fixed(Effect(reset=True)),
    "http-502": _fixed(Effect(reaches=False, reply=Reply(status=502, body=_BAD_GATEWAY, content_type=HTML))),
    "http-200-html": _fixed(Effect(reaches=False, reply=Reply(body=_SORRY, content_type=HTML))),
    "http-429": _throttled,
    "retcode": _refused,
    "slow": _slow,
    "sign-out": _fixed(Effect(signs_out=True)),
    "lose-session": _fixed(Effect(loses_session=True)),
}


def _parse_effect(text: str) -> Effect:
    kind, _, argument = text.partition(":")
    if kind not in _EFFECTS:
        raise ValueError(f"is unknown; effects are {', '.join(_EFFECTS)}")
    return _EFFECTS[kind](argument)


def parse_fault(text: str) -> Fault:
    """Return the fault that `text` describes; see this file's header for the notation.

    Raises:
        InputError: `text` is not in that notation.
    """
    when, separator, effects = text.rpartition("=")
    try:
        named = parse_when(when) if separator else When()
        parsed = [_parse_effect(part) for part in effects.split("+")]
    except ValueError as exc:
        raise InputError(
            f"the fault {text!r} cannot be used: {exc}", hint="for example 1001=http-502, #3=reset-after-commit"
        ) from exc
    return Fault(effect=reduce(Effect.__add__, parsed), when=named)
