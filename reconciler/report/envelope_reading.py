"""What our saved documents have in common, read back: the version of their format, the fingerprint, moments.

Rule of this file: the version is read first, since a newer format may differ in everything else.
"""

from __future__ import annotations

import re
from datetime import datetime

from reconciler.report.documents import FORMAT_VERSION
from reconciler.report.json_reading import MisreadError, shown, text

_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", re.ASCII)
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


class NewerFormatError(ValueError):
    """Nothing is wrong with the document; this version is too old for it."""


def require_format(version: str) -> None:
    """Accept the format this version writes, and no other.

    Raises:
        NewerFormatError: it is of a later one.
        ValueError: it is of none.
    """
    if version == FORMAT_VERSION:
        return
    match = _VERSION.fullmatch(version)
    if match and (int(match[1]), int(match[2])) > (1, 0):
        raise NewerFormatError(
            f"format_version: {version} was written by a newer reconciler; this one reads {FORMAT_VERSION}"
        )
    raise ValueError(f"format_version: {shown(version)} is not {FORMAT_VERSION}, which this one reads")


def fingerprint_text(value: object) -> str:
    """Read a fingerprint."""
    if not _FINGERPRINT.fullmatch(text(value)):
        raise ValueError(f"{shown(value)} is not sha256: and 64 hexadecimal digits")
    return text(value)


def moment(value: object) -> str:
    """Read a time as the state has them: UTC, whole seconds."""
    try:
        known = _MOMENT.fullmatch(text(value)) is not None and datetime.fromisoformat(text(value)).tzinfo is not None
    except ValueError:  # the 30th of February
        known = False
    if not known:
        raise MisreadError(f"{shown(value)} is not a time such as 2026-01-31T09:30:00Z")
    return text(value)
