"""What a state that is kept elsewhere says of a run while it is open.

Rules of this file: it is said before the first call, of all whom the run may call, so that it is the truth should this
machine vanish with the journal; and it is taken back when the run could not begin, since nobody was called then.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.state import OpenRun
from reconciler.state.journal.entries import Intended
from reconciler.state.journal.ledger import as_if_sent
from reconciler.state.keeping import Keeping, Kept
from reconciler.state.locks.lock import LockHolder
from reconciler.values import replace


def announce(keeping: Keeping, kept: Kept, planned: Sequence[Intended], holder: LockHolder, *, started: str) -> Kept:
    """Say where the state is kept that the run is open, and that whoever it may call is in doubt until it ends.

    Raises:
        StateError: it cannot be said.
    """
    if not planned or not keeping.journal.announced:
        return kept
    sent = as_if_sent(planned, kept.state)
    opened = replace(sent, open_run=OpenRun(run=holder.id, since=started, who=holder.who))
    note = f"{holder.operation} begins, {len(planned)} calls, by {holder}"
    return keeping.save(keeping.successor(opened, kept), kept, note=note)


def withdraw(keeping: Keeping, kept: Kept, holder: LockHolder) -> None:
    """Put back what was recorded before `holder` said that its run is open, if that is said there now.

    Raises:
        StateError: it cannot be read, or not be put back.
    """
    found = keeping.load()
    if found.state.open_run is not None and found.state.open_run.run == holder.id:
        before = keeping.successor(replace(kept.state, open_run=None), found)
        keeping.save(before, found, note=f"{holder.operation} did not begin, nobody was called: serial {before.serial}")
