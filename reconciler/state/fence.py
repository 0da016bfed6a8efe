"""The journal of a run whose lock may be lost.

Rule of this file: an intent that has become durable is passed on only while nobody else can hold the lock, so that a
run that was overtaken sends nothing more. What is already under way may be told: an outcome always passes.
"""

from __future__ import annotations

from reconciler.state.entries import Entry, Intended
from reconciler.state.lock import Hold
from reconciler.state.recorder import OpenJournal


class FencedJournal:
    """A journal, and the lock it depends on."""

    def __init__(self, journal: OpenJournal, hold: Hold) -> None:
        """Take both; see `recorder.OpenJournal`."""
        self._journal = journal
        self._hold = hold

    @property
    def whole(self) -> bool:
        """Whether all that was committed is durable."""
        return self._journal.whole

    async def commit(self, *entries: Entry) -> None:
        """Return once `entries` are durable and what they intend may be done.

        Raises:
            JournalError: they may not be durable.
            LockLostError: they are, and nothing more may be sent.
        """
        await self._journal.commit(*entries)
        if any(isinstance(entry, Intended) for entry in entries):
            self._hold.require()

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()
