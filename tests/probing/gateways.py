"""Gateways as a few decisions, for laws over all of them; written from the reference, not from the code under test.

`Manner` is everything a deterministic gateway may make of a message that the probe can send. `converse` walks the
experiment's script against one, and `Desk` is what the agent really has, which nobody but a test can see.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from support.fleets import concurrency

from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.probe import Restoration
from reconciler.probing.restoring import keys_to_restore_with, standing
from reconciler.probing.script import steps
from reconciler.probing.trials import Answer, Kind, Message, Step, Trial, body_of

VALUES = concurrency(12, web_chat=6, sms=4)
CAMEL, LOWER = CallnumsKey

SKIPPED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """One way for a gateway to be."""

    reads: tuple[CallnumsKey, ...]
    """Spellings it understands; of two in one row the first or the last counts."""
    last_wins: bool = False
    refuses_unknown: bool = False
    missing: str = "zero"
    """`zero`, `refuse` or `keep`."""
    checks_numbers: bool = True
    bad_number: str = "000-006"
    lacks_queue: int | None = None
    """A media type whose number above 0 is refused with 106-011."""
    merges: bool = True


ALL_MANNERS = tuple(
    Manner(
        reads=reads,
        last_wins=last_wins,
        refuses_unknown=refuses_unknown,
        missing=missing,
        checks_numbers=checks,
        bad_number=bad_number,
        lacks_queue=lacks_queue,
        merges=merges,
    )
    for reads, last_wins, refuses_unknown, missing, checks, bad_number, lacks_queue, merges in itertools.product(
        ((CAMEL,), (LOWER,), (CAMEL, LOWER)),
        (False, True),
        (False, True),
        ("zero", "refuse", "keep"),
        (False, True),
        ("000-006", "106-012"),
        (None, 51, 52),
        (False, True),
    )
)


class _RefusedError(Exception):
    """Its text is the retcode."""


@dataclass
class Desk:
    """What the agent has."""

    manner: Manner
    channels: dict[int, int] = field(default_factory=dict)

    def receive(self, body: bytes) -> str:
        """Take a message and return the retcode."""
        rows: list[dict[str, Any]] = json.loads(body)["agentMediaCallNums"]
        try:
            numbers = {row["mediaType"]: self._number(row) for row in rows}
        except _RefusedError as refused:
            return str(refused)
        kept = {code: n for code, n in self.channels.items() if self.manner.merges or numbers.get(code) == SKIPPED}
        self.channels = {**kept, **{code: n for code, n in numbers.items() if n != SKIPPED}}
        return "0"

    def _number(self, row: dict[str, Any]) -> int:
        manner = self.manner
        names = [name for name in row if name != "mediaType"]
        known = [name for name in names if name in manner.reads]
        if manner.refuses_unknown and len(known) < len(names):
            raise _RefusedError("000-006")
        if not known:
            if manner.missing == "refuse":
                raise _RefusedError("000-006")
            return SKIPPED if manner.missing == "keep" else 0
        number = int(row[known[-1 if manner.last_wins else 0]])
        if manner.checks_numbers and not 0 <= number <= 60:
            raise _RefusedError(manner.bad_number)
        if number > 0 and row["mediaType"] == manner.lacks_queue:
            raise _RefusedError("106-011")
        return number


Receive = Callable[[bytes], str]


def converse(
    receive: Receive, configured: CallnumsKey, *, values: Concurrency = VALUES, partial: bool = False, calls: int = 99
) -> list[Trial]:
    """Walk the script against `receive`, for so many calls at most; return what was sent and answered."""
    trials: list[Trial] = []
    script = steps(configured, has_cookies=lambda: False, partial=partial)
    step = next(script)
    while len(trials) < calls:
        trials.append(send(step, receive, values))
        try:
            step = script.send(trials[-1])
        except StopIteration:
            break
    return trials


def restore(trials: list[Trial], receive: Receive, configured: CallnumsKey, *, values: Concurrency = VALUES) -> None:
    """Send the agent's own numbers until they are acknowledged, as `experiment` does."""
    if standing(trials, configured) is not Restoration.IN_DOUBT:
        return
    for key in keys_to_restore_with(trials, configured):
        trials.append(send(Step(message=Message(kind=Kind.PLAIN, key=key)), receive, values))
        if trials[-1].answer is Answer.ACKNOWLEDGED:
            return


def send(step: Step, receive: Receive, values: Concurrency) -> Trial:
    """Send one step and return its trial."""
    retcode = receive(body_of(step.message, values))
    answer = Answer.ACKNOWLEDGED if retcode == "0" else Answer.REFUSED
    return Trial(step=step, answer=answer, retcode=retcode)
