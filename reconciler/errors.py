"""The exception tree: every way in which a run can end other than well.

Rules of this file: an error owns its exit code (see `ExitCode`) and its advice (`hint`); messages are lower case and
name the thing, the place and the remedy; no error ever carries a secret. Nothing here imports the rest of the package.

    ReconcilerError
    ├── InputError            3   a file, flag or document of the user's is wrong
    │   ├── UsageError        3   the command line itself is wrong
    │   └── CredentialError   3   a secret is not where its reference says (4 or 10 when a source or a state wants it)
    ├── SessionSourceError    4   the source of sessions failed as a whole
    ├── GuardrailRefusedError 5   the plan is larger or bolder than the guardrails allow
    ├── StalePlanError        6   the plan in hand is not the plan that would be made now, or was altered
    ├── LockHeldError         7   another run holds the lock on the state
    │   └── LockLostError     7   the lock on the state went to another run, or may have, while this one held it
    ├── StateError           10   the state cannot be read or written
    │   ├── StateConflictError   10   the state is not the one that was read; nothing was overwritten
    │   ├── StateUnansweredError 10   the state was sent to where it is kept, and no answer came
    │   └── JournalError     10   the journal beside the state is damaged or cannot be made durable
    ├── ReviewHostError      11   the host of a pull request refused, or could not be reached
    ├── RunStoppedError       8   the run stopped itself (`applying.stop`; 4 when the gateway refuses credentials)
    └── InterruptedRunError 130   the run was told to stop

Rooms derive from these where they have more to hand on. Problems inside the user's files are not exceptions: they are
`model.diagnostic.Diagnostic` values, all reported at once (see `desired.load`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process says to the shell. The table stands in the README; scripts rely on it."""

    DONE = 0
    BUG = 1
    CHANGES_PRESENT = 2
    INVALID_INPUT = 3
    SESSION_SOURCE_FAILED = 4
    REFUSED_BY_GUARDRAIL = 5
    STALE_PLAN = 6
    LOCK_HELD = 7
    SOME_AGENTS_FAILED = 8
    SOME_AGENTS_DEFERRED = 9
    STATE_FAILED = 10
    REVIEW_HOST_FAILED = 11
    INTERRUPTED = 130

    @property
    def reason(self) -> str:
        """The code in words, for `exit_reason` of the JSON document."""
        return self.name.lower().replace("_", "-")


class ReconcilerError(Exception):
    """Anything this package raises on purpose."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the sentence that says what happened and where, and the one that says what to do."""
        super().__init__(message)
        self.hint = hint


class InputError(ReconcilerError):
    """A file, flag or document given by the user cannot be used as it is."""

    exit_code = ExitCode.INVALID_INPUT


class UsageError(InputError):
    """The command line contradicts itself or asks for something that does not exist."""


class CredentialError(InputError):
    """A secret cannot be read from where its reference says it is."""


class SessionSourceError(ReconcilerError):
    """The source of sessions failed as a whole, so no agent's Guid can be known."""

    exit_code = ExitCode.SESSION_SOURCE_FAILED


class GuardrailRefusedError(ReconcilerError):
    """A guardrail said no; nothing was sent."""

    exit_code = ExitCode.REFUSED_BY_GUARDRAIL


class StalePlanError(ReconcilerError):
    """The saved plan differs from the plan that would be made now, or its text was altered; nothing was sent."""

    exit_code = ExitCode.STALE_PLAN


class LockHeldError(ReconcilerError):
    """Another run holds the lock on this state; nothing was sent."""

    exit_code = ExitCode.LOCK_HELD


class LockLostError(LockHeldError):
    """This run's lock on the state has run out, was broken or was taken over: it sends nothing more."""


class StateError(ReconcilerError):
    """The state cannot be read, trusted or written."""

    exit_code = ExitCode.STATE_FAILED


class StateConflictError(StateError):
    """The state is not the one that was read, so it was left as it is: somebody else has written it meanwhile."""


class StateUnansweredError(StateError):
    """The state was sent to where it is kept and no answer came: it may have been written, or not."""


class JournalError(StateError):
    """The journal beside the state is damaged, or a record of it cannot be made durable."""


class ReviewHostError(ReconcilerError):
    """The host of a pull request refused what it was asked, or could not be reached; the plan or the run stands."""

    exit_code = ExitCode.REVIEW_HOST_FAILED


class InterruptedRunError(ReconcilerError):
    """The run was told to stop before it could begin its work."""

    exit_code = ExitCode.INTERRUPTED
