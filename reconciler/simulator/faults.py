"""Scripted faults: which call is hit, and what happens to it.

Rules of this file: pure values and one table, `_EFFECTS`; a new fault is a new row there. A fault is written
`[WHEN=]EFFECT[+EFFECT…]`:

    WHEN     (none)   the next call of anyone, once       EFFECT   reset-before-commit     reset-after-commit
             1001     that agent's next call, once                 http-502                http-200-html
             #7       the seventh call of all                      http-429:SECONDS        slow:SECONDS
             1001#3   that agent's third call                      retcode:XXX-YYY
             *  1001* every call (of that agent)

Several faults that wait for the same "next call" are taken one per call, in the order written; effects joined by `+`,
and faults of different WHENs that hit one call, act together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from reconciler.errors import InputError
from reconciler.simulator.exchange import HTML, Reply, retcode_reply
from reconciler.simulator.sessions import parse_agent

_WHEN = re.compile(r"(?P<agent>[0-9]*)(?:#(?P<nth>[1-9][0-9]{0,8})|(?P<every>\*))?", re.ASCII)
_RETCODE = re.compile(r"[0-9]{3}-[0-9]{3}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,6})?", re.ASCII)
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_SORRY = b"<html><head><title>Notice</title></head><body>The service is being maintained.</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What happens to one call; the default is nothing out of the ordinary."""

    delay: float = 0.0
    """Seconds by which the answer is late. The work is done before: a caller that gives up is left in doubt."""
    reaches: bool = True
    """Whether the call reaches the gateway's work at all."""
    reset: bool = False
    """The connection is cut instead of an answer."""
    reply: Reply | None = None
    """Sent instead of the gateway's own answer."""

    def __add__(self, other: Effect) -> Effect:
        """Return both effects at once; of two replies the first is sent."""
        return Effect(
            delay=self.delay + other.delay,
            reaches=self.reaches and other.reaches,
            reset=self.reset or other.reset,
            reply=self.reply or other.reply,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An effect and the calls it hits."""

    effect: Effect
    agent: int | None = None
    """Hits only calls of this agent; `None`: of anyone."""
    nth: int | None = None
    """Hits the call of this number, counted from 1; `None`: see `every`."""
    every: bool = False
    """Hits every call; else, without `nth`, the next one only."""

    def hits(self, agent: int | None, *, nth_of_all: int, nth_of_agent: int) -> bool:
        """Whether the fault is for this call."""
        if self.agent not in (None, agent):
            return False
        return self.nth in (None, nth_of_all if self.agent is None else nth_of_agent)


class FaultScript:
    """The faults of one gateway, used up as calls arrive."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Begin with these faults."""
        self._faults = list(faults)

    def add(self, faults: Iterable[Fault]) -> None:
        """Append faults to the script."""
        self._faults.extend(faults)

    def clear(self) -> None:
        """Drop all faults that are left."""
        self._faults.clear()

    def __len__(self) -> int:
        return len(self._faults)

    def take(self, agent: int | None, *, nth_of_all: int, nth_of_agent: int) -> Effect:
        """Return what happens to this call, and drop the faults that are thereby used up."""
        hit = [f for f in self._faults if f.hits(agent, nth_of_all=nth_of_all, nth_of_agent=nth_of_agent)]
        waiting = [fault for fault in hit if fault.nth is None and not fault.every]
        taken = [fault for fault in hit if fault not in waiting] + waiting[:1]
        for fault in taken:
            if not fault.every:
                self._faults.remove(fault)
        return reduce(lambda effect, fault: effect + fault.effect, taken, Effect())


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
}


def _parse_effect(text: str) -> Effect:
    kind, _, argument = text.partition(":")
    if kind not in _EFFECTS:
        raise ValueError(f"is unknown; effects are {', '.join(_EFFECTS)}")
    return _EFFECTS[kind](argument)


def _parse_when(text: str) -> tuple[int | None, int | None, bool]:
    match = _WHEN.fullmatch(text)
    agent = parse_agent(match["agent"]) if match and match["agent"] else None
    if not match or not text or (match["agent"] and agent is None):
        raise ValueError(f"{text!r} does not say which call is hit; write 1001, #7, 1001#3, 1001* or *")
    return agent, int(match["nth"]) if match["nth"] else None, match["every"] is not None


def parse_fault(text: str) -> Fault:
    """Return the fault that `text` describes; see this file's header for the notation.

    Raises:
        InputError: `text` is not in that notation.
    """
    when, separator, effects = text.rpartition("=")
    try:
        agent, nth, every = _parse_when(when) if separator else (None, None, False)
        parsed = [_parse_effect(part) for part in effects.split("+")]
    except ValueError as exc:
        raise InputError(
            f"the fault {text!r} cannot be used: {exc}", hint="for example 1001=http-502, #3=reset-after-commit"
        ) from exc
    return Fault(effect=reduce(Effect.__add__, parsed), agent=agent, nth=nth, every=every)
