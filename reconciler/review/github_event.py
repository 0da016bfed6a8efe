"""What a GitHub workflow was started by: the file that the host leaves for the job.

Rules of this file: what cannot be read there is not known, and no error: flags say the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.values import Struct

_LARGEST = 64 * 1024 * 1024


class GithubEvent(Struct, frozen=True, kw_only=True):
    """What is known of it."""

    number: int | None = None
    """Of the pull request it is about."""
    from_fork: bool = False


def github_event(path: str | None) -> GithubEvent:
    """Return what the file at `path` says."""
    event = _read(path)
    pull_request = _inside(event, "pull_request")
    issue = _inside(event, "issue")
    about = pull_request or (issue if "pull_request" in issue else {})
    number = about.get("number")
    source = _inside(pull_request, "head", "repo").get("id")  # a fork that was deleted since has none
    return GithubEvent(
        number=number if type(number) is int and number > 0 else None,
        from_fork=bool(pull_request) and source != _inside(event, "repository").get("id"),
    )


def _read(path: str | None) -> dict[str, Any]:
    try:
        file = Path(path or "")
        event = json.loads(file.read_bytes()) if path and file.stat().st_size <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _inside(value: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        found = value.get(name)
        value = found if isinstance(found, dict) else {}
    return value
