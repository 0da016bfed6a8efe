"""What is asked of a run, the world it happens in, and what it came to: the values at the door of this room.

Rule of this file: values only; what is done with them is told in `procedure`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from reconciler.applying.stop import Stop
from reconciler.applying.way_back import NoWayBack, WayBack
from reconciler.gateway import GatewayAccess, SessionSource
from reconciler.model.agent import AgentId
from reconciler.model.desired import Desired
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.inverse import InversePlan
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.state import State
from reconciler.planning import SessionKeys
from reconciler.state import LockHolder, StateStore
from reconciler.values import Struct, field


class ApplyRequest(Struct, frozen=True, kw_only=True):
    """What is asked of an apply."""

    desired: Desired
    options: PlanOptions
    """Ignored when there is a reviewed plan, which has its own."""
    reviewed: Plan | None = None
    undo: InversePlan | None = None
    """What a run has left: go back to what was recorded before it, and not to `desired`, whose site still counts. Of
    the options only the scope matters then."""
    allow_changes: int | None = None
    allow_shrink: bool = False
    """Accept that less is done than was reviewed, or than the run to be undone has done."""
    fail_fast: bool = False
    breaker: int = 10
    """Equal refusals in a row that end the run; 0 for never."""
    max_attempts: int = 4
    """Calls for one agent that fail for now, at most; an expired session read again allows one more."""
    first_backoff: float = 0.5
    """Seconds before the second call of an agent."""
    lock_timeout: float = 0.0
    """Seconds to wait while another run holds the lock."""

    @property
    def command(self) -> str:
        """The command that a run of this kind is known by."""
        return "apply" if self.undo is None else "rollback"


class Surroundings(Struct, frozen=True, kw_only=True):
    """The world an apply happens in; every clock, chance and question comes in here."""

    store: StateStore
    holder: LockHolder
    source: SessionSource
    access: GatewayAccess
    """The way to the gateway, its files read and its secrets resolved."""
    now: Callable[[], str]
    """The time as RFC 3339 text in UTC, whole seconds."""
    monotonic: Callable[[], float]
    chance: Callable[[], float]
    """A number from 0 to 1."""
    session_keys: Callable[[Sequence[AgentId]], SessionKeys]
    """Reads who of these has a session and its key; asked once, while planning, if the plan is to compare sessions."""
    approve: Callable[[Plan], bool]
    """Shown the plan and asked, once, just before anything is sent; not asked when there is nothing to do."""
    on_outcome: Callable[[Outcome], None]
    watch_signals: Callable[[Stop], AbstractContextManager[None]]
    """Throws the switch when the process is told to end; entered inside the event loop."""
    rescue_directory: Path
    """Where `errored-state.json` goes when the state cannot be written."""
    tell: Callable[[str], None] = lambda _: None
    """Told, in a sentence, whom the lock is waited for, and from whom it was taken over."""
    way_back: WayBack = field(default_factory=NoWayBack)
    """Keeps the inverse of the run."""


class ApplyReport(Struct, frozen=True, kw_only=True):
    """What an apply came to."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    state: State
    """As saved, or as it would have been."""
    inverse: InversePlan
    """The way back from what the run changed; without changes if it changed nothing."""
    error: BaseException | None = None
    """Why the run ended early or its state could not be saved; `None` when neither happened."""
    warnings: tuple[Diagnostic, ...] = ()
    """What people must be told of the session source, and of the way back."""
