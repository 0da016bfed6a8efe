"""The fingerprint of a plan: what a reviewer approved, in 64 hexadecimal digits.

It covers exactly what goes to the gateway and what is dropped: agent, action, before, after, url and key spelling.
It must not cover files, lines, reasons, teams, the state's serial or the time: a merge commit, a moved file or a
comment does not spoil an approval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from operator import attrgetter

from reconciler.errors import StalePlanError
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.plan import Action, Change, Plan

_compact = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False).encode
"""One encoder for all lines: making one costs as much as a line."""


def fingerprint(changes: Iterable[Change], *, url: str, callnums_key: CallnumsKey) -> str:
    """Return `sha256:<hex>` over the changes, which are taken in order of agent whatever order they come in."""
    digest = hashlib.sha256(canonical_line([url, str(callnums_key)]))
    deeds: dict[tuple[Action, Concurrency | None, Concurrency | None], bytes] = {}  # a thousand agents share one
    for change in sorted(changes, key=attrgetter("agent")):
        deed = change.action, change.before, change.after
        if deed not in deeds:
            deeds[deed] = canonical_line([str(change.action), *map(plain_values, deed[1:])])[1:]
        digest.update(b"[%d,%b" % (change.agent, deeds[deed]))
    return f"sha256:{digest.hexdigest()}"


def require_unaltered(plan: Plan, *, name: str) -> None:
    """Refuse a saved plan whose changes do not fit its fingerprint.

    Args:
        plan: as read from a file.
        name: the file's name as the user wrote it.

    Raises:
        StalePlanError: somebody edited the file.
    """
    if fingerprint(plan.changes, url=plan.url, callnums_key=plan.callnums_key) != plan.fingerprint:
        raise StalePlanError(
            f"{name}: its changes do not fit its fingerprint: the file was altered after it was made",
            hint="make the plan anew and have it reviewed",
        )


def canonical_line(value: list[object]) -> bytes:
    """Return `value` as the one line that stands for it in a hash."""
    return _compact(value).encode() + b"\n"


def plain_values(value: Concurrency | None) -> list[object] | None:
    """Return the numbers of `value` as a hash takes them."""
    return None if value is None else [value.total, [[int(channel), n] for channel, n in value.channels]]
