"""Which calls a fault hits.

Rules of this file: pure values; a new way to name calls is a new class, a row in `_NOTATIONS` and a case in `hits`.
A WHEN is written `[OPERATION/][AGENT]CALLS`:

    OPERATION   (none)   calls that set numbers     CALLS   (none)   the next call, once      *     every call
                sign-in, force, sign-out, poll,             #7       the seventh call         %3    every third call
                heartbeat, update-guid                      @2       each agent's first two   ~30   all for 30 seconds,
                any      calls of every kind                                                        from the first on

Calls are counted from 1, for each operation by itself, and per agent where an agent is named; an agent alone (`1001`)
is its next call, and no WHEN at all anyone's next call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias, assert_never

from reconciler.simulator.reference import Operation
from reconciler.simulator.sessions import parse_agent
from reconciler.values import Struct

_ANY = "any"
_WHEN = re.compile(
    r"(?:(?P<operation>[a-z-]+)/)?(?P<agent>[0-9]*)(?:(?P<sign>[#@%~])(?P<number>[1-9][0-9]{0,8})|(?P<every>\*))?",
    re.ASCII,
)


class Arrival(Struct, frozen=True, kw_only=True):
    """What is known of a call when it arrives."""

    operation: Operation
    agent: int | None
    nth_of_all: int
    """Among the operation's calls, from 1."""
    nth_of_agent: int
    """Among the operation's calls for this agent."""
    at: float
    """Seconds, by the gateway's clock."""


class Next(Struct, frozen=True):
    """The next call, once."""


class Nth(Struct, frozen=True):
    """The call of this number, once."""

    number: int


class FirstOfEach(Struct, frozen=True):
    """The first so many calls of each agent, from when the fault was scripted."""

    number: int


class EveryNth(Struct, frozen=True):
    """The call of this number and every one so many calls later; 1: every call."""

    number: int


class Lasting(Struct, frozen=True):
    """Every call, for so many seconds from the first of them on."""

    seconds: int


Calls: TypeAlias = Next | Nth | FirstOfEach | EveryNth | Lasting

_NOTATIONS: Mapping[str, Callable[[int], Calls]] = {"#": Nth, "@": FirstOfEach, "%": EveryNth, "~": Lasting}


class When(Struct, frozen=True, kw_only=True):
    """Names calls."""

    calls: Calls = Next()
    agent: int | None = None
    """Only calls for this agent; `None`: for anyone."""
    operation: Operation | None = Operation.SET
    """Only calls of this kind; `None`: of every kind."""

    @property
    def is_used_up_by_a_hit(self) -> bool:
        """Whether nothing is left to hit after the first hit."""
        return isinstance(self.calls, Next | Nth)

    def hits(self, arrival: Arrival, *, since: float | None, before: int) -> bool:
        """Whether a call is one of these.

        Args:
            arrival: the call.
            since: the instant of the first hit; `None`: there was none yet.
            before: how many calls for this agent were hit already.
        """
        if self.agent not in (None, arrival.agent) or self.operation not in (None, arrival.operation):
            return False
        nth = arrival.nth_of_all if self.agent is None else arrival.nth_of_agent
        match self.calls:
            case Next():
                return True
            case Nth(number):
                return nth == number
            case FirstOfEach(number):
                return arrival.agent is not None and before < number
            case EveryNth(number):
                return nth % number == 0
            case Lasting(seconds):
                return since is None or arrival.at - since < seconds
            case _:
                assert_never(self.calls)


def parse_when(text: str) -> When:
    """Return what `text` names; see this file's header for the notation.

    Raises:
        ValueError: `text` is not in that notation.
    """
    match = _WHEN.fullmatch(text)
    agent = parse_agent(match["agent"]) if match and match["agent"] else None
    if not match or not text or (match["agent"] and agent is None):
        raise ValueError(
            f"{text!r} does not say which call is hit; write 1001, #7, 1001#3, @2, %3, ~30, 1001* or *, "
            "after sign-in/ and the like for calls that set no numbers"
        )
    if match["sign"]:
        calls = _NOTATIONS[match["sign"]](int(match["number"]))
    else:
        calls = EveryNth(1) if match["every"] else Next()
    return When(calls=calls, agent=agent, operation=_parse_operation(match["operation"]))


def _parse_operation(text: str | None) -> Operation | None:
    if text is None:
        return Operation.SET
    if text == _ANY:
        return None
    try:
        return Operation(text)
    except ValueError:
        raise ValueError(f"{text!r} is no operation; operations are {', '.join([*Operation, _ANY])}") from None
