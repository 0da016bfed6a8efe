"""Durations as people write them: `500ms`, `10s`, `2m`, `1h`.

Rules of this file: a whole number and one unit, above 0 and up to 24 hours.
"""

from __future__ import annotations

import re

MAX_SECONDS = 24 * 60 * 60

_DURATION = re.compile(r"([1-9][0-9]{0,8})(ms|s|m|h)", re.ASCII)
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def parse_duration(text: str) -> float:
    """Return the seconds that `text` stands for.

    Raises:
        ValueError: it is not a duration, or longer than 24 hours.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("it must be a duration such as 10s, 500ms, 2m or 1h")
    milliseconds = int(match.group(1)) * _MILLISECONDS[match.group(2)]
    if milliseconds > MAX_SECONDS * 1000:
        raise ValueError("it must be at most 24h")
    return milliseconds / 1000
