"""The lock of a state behind HTTP, held: and a look now and then whether it still is.

Rules of this file: the protocol has no way to ask whose a lock is. But whoever comes after it was broken says in the
state that a run is open before the first call, or writes what was changed. So a state that is neither the one first
read nor one that was sent from here means that the lock is lost. One that was sent from here and written over since
means nothing: a replica may lag behind. A look that overlaps a write of ours proves nothing, and a
server that does not answer proves nothing either: its lock does not run out. Looks are taken in a thread of their own,
so that a busy run does not stop them and a silent server does not stop the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from reconciler.errors import LockLostError
from reconciler.state.locks.lock import LockRecord, breaking


class WatchedHold:
    """The lock, held until it is let go of or the state shows that somebody else holds it; see `lock.Hold`."""

    taken_over: LockRecord | None = None

    def __init__(
        self,
        lock_id: str,
        *,
        look: Callable[[], str | None],
        release: Callable[[], bool],
        name: str,
        pause: float,
        environment: str | None,
    ) -> None:
        """Begin to look.

        Args:
            lock_id: under which the server holds it.
            look: returns the version of the state as it is on the server now.
            release: unlocks, and returns whether that has succeeded.
            name: the state's, for messages.
            pause: seconds between two looks.
            environment: the environment as the user names it.
        """
        self.id = lock_id
        self.to_break: str | None = breaking(lock_id, environment)
        self._look = look
        self._release = release
        self._name = name
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._ours: set[str | None] = set()
        self._turns = 0
        self._lost: LockLostError | None = None
        self._listeners: list[Callable[[LockLostError], None]] = []
        threading.Thread(target=self._watch, args=(pause,), name="http-watch", daemon=True).start()

    def expect(self, *versions: str | None) -> None:
        """Take each of `versions` for the work of this run, from now on; `None` is a state that is not there."""
        with self._guard:
            self._ours.update(versions)
            self._turns += 1

    def saw(self, version: str | None) -> None:
        """Take the first version that is seen under the lock for the one it was taken over."""
        with self._guard:
            if not self._ours:
                self._ours.add(version)

    def require(self) -> None:
        """Return unless the lock is known to be lost. Until the next look nobody here can know."""
        if self._lost is not None:
            raise self._lost

    def watch(self, on_lost: Callable[[LockLostError], None]) -> None:
        """Call `on_lost` when it is lost, from another thread."""
        with self._guard:
            self._listeners.append(on_lost)
            lost = self._lost
        if lost is not None:
            on_lost(lost)

    def release(self) -> None:
        """Unlock, and look no more."""
        self._ended.set()
        if self._release():
            self.to_break = None

    def _watch(self, pause: float) -> None:
        while self._lost is None and not self._ended.wait(pause):
            turns = self._turns
            try:
                version = self._look()
            except Exception:  # noqa: BLE001, S112 - no room for a thread, or whatever: it proves as little as silence
                continue
            self._judge(version, turns)

    def _judge(self, version: str | None, turns: int) -> None:
        with self._guard:
            if not self._ours:
                self._ours.add(version)
            if self._ended.is_set() or turns != self._turns or version in self._ours:
                return
            self._lost = LockLostError(
                f"the lock on {self._name} was lost: somebody else has written the state; nothing more is sent",
                hint="what was acknowledged is in the journal and in errored-state.json; see who holds the lock now, "
                "then apply again",
            )
            listeners = tuple(self._listeners)
        for tell in listeners:
            tell(self._lost)
