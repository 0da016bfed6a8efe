"""The refusals of constructors: a number is of its own type and within its range, or the value does not come to be.

Rule of this file: types are compared exactly. `True == 1` and `1.0 == 1` in Python, and neither is what a person who
writes a number of sessions means.
"""

from __future__ import annotations

import math


def require_whole(name: str, value: int, low: int, high: int | None = None) -> None:
    """Refuse what is not an `int` from `low` to `high`, both included; without `high` there is no upper end.

    Raises:
        ValueError: it is something else; the text names the number by `name`.
    """
    if type(value) is not int or value < low or (high is not None and value > high):
        allowed = f"from {low} to {high}" if high is not None else f"of at least {low}"
        raise ValueError(f"{name} is {value!r}, not a whole number {allowed}")


def require_number(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuse what is not a finite number from `low` to `high`, both included.

    Raises:
        ValueError: it is something else, a bool or a NaN included.
    """
    if type(value) not in (int, float) or not low <= value <= high or value == math.inf:
        allowed = f"from {low:g} to {high:g}" if high != math.inf else f"of at least {low:g}"
        raise ValueError(f"{name} is {value!r}, not a number {allowed}")


def require_positive(name: str, value: float) -> None:
    """Refuse what is not a finite number above 0.

    Raises:
        ValueError: it is something else, a bool or a NaN included.
    """
    if type(value) not in (int, float) or not 0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}, not a number above 0")
