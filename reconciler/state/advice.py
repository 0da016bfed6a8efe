"""What to do about a state that could not be written, or must not be: the words, in one place.

Rules of this file: it promises no more than holds; every way out is a command that can be typed, or done by hand.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from reconciler.errors import StateError
from reconciler.model.agent import AgentId
from reconciler.model.state import AgentRecord, RecordStatus, State
from reconciler.values import Struct

NOTHING_TO_MOVE = "check the old name; `reconciler state list` says what is recorded under the new one"
TAKEN = "look at both with `reconciler state pull`; one of them has to go before the other can take its name"


class Advice(Struct, frozen=True, kw_only=True):
    """What is to be named in an advice."""

    name: str
    """The state, as the user would write it."""
    journal: str
    """The journal, likewise."""
    away: bool
    """Whether the state is kept on another machine."""
    environment: str | None
    """The environment, as the user names it."""

    def push_command(self, place: Path, *options: str) -> str:
        """Return the command that makes the file at `place` the state."""
        environment = [self.environment] if self.environment else []
        return shlex.join(["reconciler", "state", "push", place.as_posix(), *environment, *options])

    def unwritten(self, place: Path | None, *, serial: int, whole: bool, conflict: bool) -> str:
        """Say where the records of a run are whose state could not be written.

        Args:
            place: where a full copy of them is; `None` when it could not be written either.
            serial: of the state as it is kept, from which the run began.
            whole: whether the journal holds the run to its end.
            conflict: whether somebody else has written the state meanwhile.
        """
        if conflict:
            return self._overtaken(place)
        return self._taken_over(place) if whole else self._cut(place, serial)

    def _overtaken(self, place: Path | None) -> str:
        seen = "" if place is None else f"; {place} is what this run knows, to compare with"
        doubt = "whoever this run was to call is in doubt there, and the next apply sends them again"
        return f"{doubt if self.away else 'look at what it holds now, then apply again'}{seen}"

    def _taken_over(self, place: Path | None) -> str:
        here = "the next apply on this machine" if self.away else "the next apply"
        held = f"nothing is lost: {self.journal} holds the run, and once the state can be written {here} takes it over"
        if place is None:
            return held
        return f"{held}; or put the full copy there with: {self.push_command(place)}"

    def _cut(self, place: Path | None, serial: int) -> str:
        """Say the same when the journal failed before: each call's intent is in it, the last answers may not be."""
        cut = f"{self.journal} could not be written to its end either: the last answers may be missing from it"
        if place is None:
            return f"{cut}, and the next plan then shows those agents as in doubt; make the disk writable, then plan"
        # By name of the serial: what the journal has lost, such as a refusal, nothing but this copy knows.
        command = self.push_command(place, "--force", str(serial))
        return f"{cut}; {place} is a full copy of the state: before the next apply, {command}"

    def require_made_from(self, state: State, recorded: State) -> None:
        """Refuse to write `state` unless it was made from what is recorded now.

        Raises:
            StateError: it was not.
        """
        if (state.site, state.lineage, state.serial) != (recorded.site, recorded.lineage, recorded.serial):
            raise StateError(
                f"{self.name} is serial {recorded.serial} of lineage {recorded.lineage}, site {recorded.site!r}; what "
                f"is to be written was made from serial {state.serial} of lineage {state.lineage}, site {state.site!r}",
                hint="read the state again and repeat the change on it",
            )

    def require_successor(self, pushed: State, now: State, *, recorded: State, force: int | None) -> None:
        """Refuse to put `pushed` over what is recorded now, unless it is a later state of the same lineage.

        Args:
            pushed: what is to be recorded.
            now: the state as it is kept.
            recorded: the same, and what an unfinished run's journal adds to it.
            force: the serial of `now`, if it may be lost whatever `pushed` is.

        Raises:
            StateError: it is refused; the text has both serials, the hint the flag.
        """
        if force is not None:
            if force != now.serial:
                hint = "it must name the serial that is to be lost: look at it again with `reconciler state pull`"
                raise StateError(f"{self.name} is at serial {now.serial}, and --force names {force}", hint=hint)
            return
        anyway = f"to lose what is recorded now and put this in its place: --force {now.serial}"
        if now.lineage is not None and pushed.lineage != now.lineage:
            raise StateError(
                f"{self.name} is of lineage {now.lineage}; what is to be pushed is of lineage {pushed.lineage}, "
                "and has nothing to do with it",
                hint=f"check which environment was meant; {anyway}",
            )
        if now.lineage is not None and pushed.serial <= now.serial:
            raise StateError(
                f"{self.name} is at serial {now.serial} already; what is to be pushed is serial {pushed.serial}",
                hint=f"compare the two with `reconciler state pull`; {anyway}",
            )
        lost = _untold(pushed, now, recorded)
        if lost:
            more = f" and {len(lost) - 1} more" if lost[1:] else ""
            raise StateError(
                f"{self.journal} holds what a run that was cut short has done, and what is to be pushed does not have "
                f"it: agent {lost[0]}{more}",
                hint=f"apply first, which takes it over, and repeat the change on what is recorded then; {anyway}",
            )


def _untold(pushed: State, snapshot: State, recorded: State) -> list[AgentId]:
    """Return of whom `recorded` says more than the snapshot it is made from, and `pushed` does not say it."""
    agents = snapshot.agents.keys() | snapshot.pending.keys() | recorded.agents.keys() | recorded.pending.keys()
    return sorted(
        agent
        for agent in agents
        if _of(recorded, agent) != _of(snapshot, agent)
        and _of(pushed, agent) != _of(recorded, agent)
        and not _settles(pushed.agents.get(agent), recorded.agents.get(agent))
    )


def _of(state: State, agent: AgentId) -> tuple[object, object]:
    return state.agents.get(agent), state.pending.get(agent)


def _settles(record: AgentRecord | None, told: AgentRecord | None) -> bool:
    """Tell whether `record` says that values were acknowledged of which nothing but the sending is known."""
    return (
        record is not None
        and told is not None
        and (told.status, record.status) == (RecordStatus.IN_DOUBT, RecordStatus.ACKNOWLEDGED)
        and record.concurrency == told.concurrency
    )
