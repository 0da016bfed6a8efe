"""The end of a run: its records become the state, or are put where somebody can find them.

Rules of this file: nothing that another run has written since is written over, and no journal but the run's own is
removed. Who has lost the lock on a state of this machine writes nothing: the journal of the next run may go on from
the snapshot as it is, and a later one would make that journal count for nothing. A state that is kept elsewhere says
itself that the next run is open, and is written by compare and swap.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.errors import LockLostError, StateConflictError, StateError
from reconciler.model.state import State
from reconciler.state.advice import Advice
from reconciler.state.files import Files
from reconciler.state.keeping import Keeping, Kept
from reconciler.state.locks.lock import Hold
from reconciler.state.rescue import rescue_state
from reconciler.values import Struct


class Settling(Struct, frozen=True, kw_only=True):
    """What the end of a run needs to know of its beginning; see `recorder.Settle`."""

    keeping: Keeping
    opened: Kept
    """What the run's records have to replace."""
    run: str
    """The id of the lock's holder."""
    hold: Hold
    advice: Advice
    files: Files
    """For a state that finds no place elsewhere."""

    def __call__(self, records: State, rescue_directory: Path, whole: bool) -> State:  # noqa: FBT001 - a callback
        """Make `records` the state and return it as saved; `whole` is said of the run's journal.

        Raises:
            LockLostError: the lock on a local state was lost; the hint says where the records are.
            StateError: it cannot be written; likewise.
        """
        saved = self.opened.state
        if records.content != saved.content:
            saved = self.keeping.successor(records, self.opened)
            try:
                self._save(saved)
            except (StateError, LockLostError) as error:
                place = rescue_state(saved, rescue_directory, files=self.files)
                overtaken = isinstance(error, StateConflictError | LockLostError)
                serial = self.opened.state.serial
                hint = self.advice.unwritten(place, serial=serial, whole=whole, conflict=overtaken)
                raise type(error)(str(error), hint=hint) from error
        self.keeping.end_run(self.run)
        return saved

    def _save(self, state: State) -> None:
        if not self.keeping.journal.announced:
            self.hold.require()
        self.keeping.save(state, self.opened, note=f"a run has ended: serial {state.serial}")
