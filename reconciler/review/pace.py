"""How long to wait before a request is sent again, and when not to any more.

Rules of this file: the host's word goes first: Retry-After, or the moment at which a spent allowance is filled up
again. What it does not say is waited for as its documentation advises.
A wait that would go beyond patience is not begun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

_TOO_MANY = 429
_FORBIDDEN = 403
_UNAVAILABLE = 503
_UNTOLD = 60.0
"""What GitHub advises to wait where it does not say."""
_SECONDARY = b"secondary rate limit"
_SHORTEST = 1.0
_RESETS = ("x-ratelimit-reset", "ratelimit-reset")
_REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining")


class Pace:
    """The time that may be spent waiting."""

    def __init__(self, patience: float, sleep: Callable[[float], object]) -> None:
        """Take the seconds in all."""
        self._left = patience
        self._sleep = sleep

    def wait(self, seconds: float) -> bool:
        """Wait, or tell at once that patience does not last that long."""
        if seconds > self._left:
            return False
        self._left -= seconds
        self._sleep(seconds)
        return True


def wanted_pause(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> float | None:
    """Return the seconds for which a host asks not to be asked; `None` if it does not.

    Args:
        status: of its reply.
        headers: by their names in lower case.
        body: where GitHub says that it means a limit and no permission.
        now: seconds since 1970.
    """
    spent = any(headers.get(name) == "0" for name in _REMAINING)
    secondary = _SECONDARY in body.lower()
    told = _retry_after(headers.get("retry-after"), now)
    if status == _UNAVAILABLE and told is not None:
        return told
    if status != _TOO_MANY and not (status == _FORBIDDEN and (spent or secondary or told is not None)):
        return None
    if told is not None:
        return told
    reset = next((float(headers[name]) for name in _RESETS if _is_moment(headers.get(name))), None)
    return max(reset - now, _SHORTEST) if spent and reset is not None else _UNTOLD


def _retry_after(value: str | None, now: float) -> float | None:
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return max(float(value[:9]), _SHORTEST)
    try:
        moment = parsedate_to_datetime(value)
        # A date that names no zone, HTTP means as UTC.
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # no date, or one that no calendar has in UTC
        return None
    return max(moment.timestamp() - now, _SHORTEST)


def _is_moment(value: str | None) -> bool:
    return value is not None and value.isascii() and value.isdigit() and len(value) < 12  # noqa: PLR2004 - year 5138
