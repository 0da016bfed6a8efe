"""What a plain (unquoted) scalar means: the strict JSON subset of YAML 1.2.

Rules of this file: `null`, `true`, `false` and JSON's numbers have a type, an empty value is null, and everything else
is the text that was written: `no`, `010`, `1_000`, `12:30`, `0x1F`, `~`, `2026-01-01`. A number that JSON could not
carry faithfully is refused rather than rounded.
"""

from __future__ import annotations

import math
import re

from reconciler.desired.wording import quote
from reconciler.values import Struct

MAX_DIGITS = 18
"""Digits of a whole number: as many as a 64-bit integer always holds."""

Scalar = str | int | float | bool | None

COMMON: dict[str, Scalar] = {"": None, "null": None, "true": True, "false": False}
"""The plain scalars that come up again and again, small numbers included."""
COMMON.update({str(number): number for number in range(1000)})
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NON_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_SIGNIFICANT = frozenset("-+.0123456789")


class Refused(Struct, frozen=True):
    """A number that is not accepted, and the value that stands in for it so that reading can go on."""

    code: str
    summary: str
    stand_in: Scalar


def resolve(text: str) -> Scalar | Refused:
    """Return what the plain scalar `text` means."""
    if text in COMMON:
        return COMMON[text]
    if text[0] not in _SIGNIFICANT:
        return text
    match = _NUMBER.fullmatch(text)
    if match is not None:
        return _number(text, match.group(1), whole=match.lastindex == 1)
    if _NON_FINITE.fullmatch(text):
        return Refused("non-finite-number", f"{quote(text)} is not a finite number", text)
    return text


def _number(text: str, digits: str, *, whole: bool) -> Scalar | Refused:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        return Refused("number-too-long", f"{quote(text)} has more than {MAX_DIGITS} digits", text)
    return int(text) if whole else _fraction(text)


def _fraction(text: str) -> Scalar | Refused:
    value = float(text)
    if not math.isfinite(value):
        return Refused("non-finite-number", f"{quote(text)} is not a finite number", text)
    if value.is_integer():
        return _whole_as_float(text, int(value))
    return value


def _whole_as_float(text: str, value: int) -> Refused:
    if len(str(abs(value))) > MAX_DIGITS:
        return Refused("number-too-long", f"{quote(text)} has more than {MAX_DIGITS} digits", text)
    return Refused(
        "whole-number-as-float", f"{quote(text)} is a whole number written as a fraction; write {value}", value
    )
