"""This machine's clock, in the one form that states, plans and flags use: RFC 3339, UTC, whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(instant: datetime) -> str:
    """Return an aware time as text, such as `2026-01-31T09:30:00Z`."""
    # Not `strftime`, which writes the year 1 as `1`.
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def utc_now() -> str:
    """Return the time as text."""
    return utc_text(datetime.now(UTC))
