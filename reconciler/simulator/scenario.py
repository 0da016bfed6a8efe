"""What a scenario is: rules that it sets, faults that it scripts, and a parameter that both may use.

Rules of this file: pure values. A parameter is written after a colon, `slow-replies:2s`; in a fault and in a
description `{value}` stands for it, in a rule `Given`.

Grades: D documented in the API reference, S in the page "setcallnumsbymediatype" itself, C seen in public client code,
I inferred.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.model.channel import Channel
from reconciler.values import Struct, field

_SPAN = re.compile(r"(?P<number>[0-9]{1,5}(?:\.[0-9]{1,3})?)(?P<unit>ms|s|m)?", re.ASCII)
_UNITS: Mapping[str | None, float] = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}
_LONGEST = 3600.0
_COUNT = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)


class Parameter(Struct, frozen=True, kw_only=True):
    """What may stand after the colon of a scenario's name."""

    name: str
    """What it is, for people."""
    default: str
    parse: Callable[[str], Any]
    """From its text to the value; raises ValueError with a clause that says what is wrong."""


class Given(Struct, frozen=True):
    """Stands for the parameter's value, or a multiple of it, in a rule."""

    times: int = 1


class Scenario(Struct, frozen=True, kw_only=True):
    """One way in which a gateway can behave."""

    name: str
    description: str
    """A sentence without its full stop."""
    source: str
    """What says that gateways do this."""
    grade: str
    """How good the source is: see this file's header."""
    parameter: Parameter | None = None
    rules: Mapping[str, object] = field(default_factory=dict)
    """Fields of `Rules` and what they become."""
    faults: tuple[str, ...] = ()
    """In the notation of `faults`."""

    def document(self) -> dict[str, object]:
        """Return the scenario as JSON values, as it is by default."""
        default = self.parameter.default if self.parameter else None
        return {
            "name": self.name,
            "parameter": {"name": self.parameter.name, "default": default} if self.parameter else None,
            "description": self.description.format(value=default),
            "source": self.source,
            "grade": self.grade,
        }


def span(name: str, default: str) -> Parameter:
    """Return a parameter that is a span of time; its value is a number of seconds."""
    return Parameter(name=name, default=default, parse=_parse_span)


def whole_span(name: str, default: str) -> Parameter:
    """Return a parameter that is a span of whole seconds."""
    return Parameter(name=name, default=default, parse=_parse_whole_span)


def count(name: str, default: str) -> Parameter:
    """Return a parameter that is a number of calls, 1 or more."""
    return Parameter(name=name, default=default, parse=_parse_count)


def parse_channel(text: str) -> frozenset[int]:
    """Return the media type of the channel called `text`.

    Raises:
        ValueError: no channel has that name.
    """
    return frozenset({int(Channel.from_label(text))})


def _parse_span(text: str) -> float:
    match = _SPAN.fullmatch(text)
    seconds = float(match["number"]) * _UNITS[match["unit"]] if match else 0.0
    if not 0.001 <= seconds <= _LONGEST:  # noqa: PLR2004 - a millisecond
        raise ValueError("needs a span of 1ms to 60m after the colon, such as 500ms, 2s or 1m")
    return round(seconds, 3)


def _parse_whole_span(text: str) -> int:
    seconds = _parse_span(text)
    if seconds != int(seconds):
        raise ValueError("needs whole seconds after the colon, such as 30s or 1m")
    return int(seconds)


def _parse_count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise ValueError("needs a number of calls after the colon, such as 1")
    return int(text)
