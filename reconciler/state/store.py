"""The store of one site's state: a backend, the lock on it, and the write-ahead journal of the run under way.

Rules of this file: `read` takes no lock and writes nothing. Only the holder of the lock writes, and in this order, so
that a crash between any two steps leaves the truth:

 1. a run's journal is durable before its first call is sent, and every outcome before the next step relies on it;
    a state that is kept elsewhere says before the first call that the run is open, and whom it may call as in doubt;
 2. the new snapshot replaces the old one, with a higher serial than the journal was begun from;
 3. the journal is moved into the history. One that is still in its place is known to be in the snapshot already (see
    `run_journal`).

Before a change by hand takes the place of what is recorded, a copy of that is kept (see `backups`); after it, the
history is told.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator

from reconciler.errors import LockLostError, StateError
from reconciler.model.diagnostic import Diagnostic
from reconciler.model.past import PastRun
from reconciler.model.state import State
from reconciler.state.advice import NOTHING_TO_MOVE, TAKEN, Advice
from reconciler.state.announcing import announce, withdraw
from reconciler.state.document.codec import encode
from reconciler.state.document.quick_records import Tell
from reconciler.state.files import OS_FILES, Files
from reconciler.state.haste import Haste
from reconciler.state.journal.entries import Intended
from reconciler.state.journal.recorder import Recorder
from reconciler.state.journal.retelling import differences, past_runs
from reconciler.state.journal.run_journal import run_of
from reconciler.state.keeping import Keeping, Kept
from reconciler.state.locks.holding import UNLOCKING, held
from reconciler.state.locks.lock import Hold, LockHolder, Waiting
from reconciler.state.settling import Settling
from reconciler.values import replace

_NOTHING = Kept(state=State(lineage=None, serial=0, site=""), version=None)


class StateStore:
    """The state of one site. Made by `open_state` for any backend, or by `open_local_store`."""

    def __init__(
        self,
        keeping: Keeping,
        *,
        site: str,
        clock: Callable[[], str],
        files: Files = OS_FILES,
        environment: str | None = None,
        haste: Haste | None = None,
    ) -> None:
        """Remember where the state is; nothing is opened yet.

        Args:
            keeping: the snapshot and the journal.
            site: the site whose state it is.
            clock: gives the time as RFC 3339, UTC, `YYYY-MM-DDTHH:MM:SSZ`.
            files: the file system, for a state that finds no place elsewhere.
            environment: the environment as the user names it, for the commands in an advice.
            haste: the time that `keeping` takes for a state on another machine.
        """
        self._keeping = keeping
        self._site = site
        self._clock = clock
        self._files = files
        journal = keeping.journal
        self._advice = Advice(name=keeping.name, journal=journal.name, away=journal.announced, environment=environment)
        self._held: tuple[LockHolder, Hold] | None = None
        self._recorder: Recorder | None = None
        self._haste = haste or Haste()
        self.backed_up: str | None = None
        """Where the last change by hand through this store has left what was recorded before, if there was anything."""

    @property
    def name(self) -> str:
        """Where the state is, as the user would write it."""
        return self._keeping.name

    @property
    def away(self) -> bool:
        """Whether the state is kept away from this machine, so that its place may be slow, or not answer."""
        return self._keeping.journal.announced

    def hurry(self, seconds: float) -> None:
        """From now on wait no longer than so many seconds for another machine, all in all.

        May be called at any time, by a signal's handler too. What is on this machine is always waited for.
        """
        self._haste.hurry(seconds)

    def read(self, tell: Tell | None = None) -> State:
        """Return what is recorded, an unfinished run included, without a lock and without a write.

        Args:
            tell: called now and then with the number of records that are read, and of all, if there are many.

        Raises:
            StateError: the state or its journal cannot be read or trusted.
        """
        return self._keeping.read(tell)[1]

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What people must be told of the history, which never is a reason to fail."""
        return tuple(self._keeping.journal.history.warnings)

    def history(self) -> tuple[tuple[PastRun, ...], tuple[StateError, ...]]:
        """Return what past runs on this machine did, the oldest first, and why some of it cannot be read.

        Like `read` it takes no lock and writes nothing. Last comes the run under way, or one that was cut short.
        """
        return past_runs(self._keeping.journal)

    @contextlib.contextmanager
    def lock(
        self, holder: LockHolder, *, patience: float = 0.0, tell: Callable[[str], None] = lambda _: None
    ) -> Iterator[None]:
        """Hold the lock during the block; only inside it may `begin_run`, `write` and `push` be called.

        Args:
            holder: who to name to others.
            patience: seconds to wait while another holds it.
            tell: told whom there is to wait for, whose lock was taken over, and that ours could not be let go of.

        Raises:
            LockHeldError: another holds it; the text names them.
            StateError: the lock cannot be read or made.
        """
        waiting = Waiting(patience=patience, tell=tell, steady=time.monotonic, sleep=time.sleep)
        with held(self._keeping.backend.lock(), holder, waiting, haste=self._haste, name=self.name) as hold:
            self._held = holder, hold
            try:
                yield
            finally:
                self._held = None
                self._let_go()

    def unlock(self, lock_id: str) -> LockHolder | None:
        """Break the lock `lock_id` and return who held it; `None` when nobody does.

        Raises:
            LockHeldError: another lock is held, or one that must not be broken; the text names its holder.
            StateError: the lock cannot be read or written.
        """
        return self._keeping.backend.lock().unlock(lock_id)

    @property
    def to_break(self) -> str | None:
        """The command that breaks the lock held now, should this process be left at once; `None` if it needs none."""
        return None if self._held is None else self._held[1].to_break

    def watch_lock(self, on_lost: Callable[[LockLostError], None]) -> None:
        """Call `on_lost`, from another thread perhaps, if the lock is lost while it is held."""
        self._require_lock()[1].watch(on_lost)

    def begin_run(self, planned: Iterable[Intended] = ()) -> Recorder:
        """Return the recorder of a new run, after taking over whatever an unfinished run has left.

        Args:
            planned: all that the run may send. A state that is kept elsewhere names them, in doubt, until the run ends.

        Raises:
            StateError: the state cannot be read or written, or the journal cannot be begun; nothing may be sent.
            LockLostError: the lock was lost meanwhile.
        """
        holder, hold = self._require_lock()
        self._let_go()
        kept = self._keeping.take_over()
        kept = replace(kept, drawn=self._keeping.lineage_after(kept))
        started = self._clock()
        run = run_of(holder, kept.state, site=self._site, started=started, drawn=kept.drawn)
        journal = self._keeping.journal.open(run, kept.state)
        try:
            opened = announce(self._keeping, kept, tuple(planned), holder, started=started)
            hold.require()
        except BaseException as error:
            journal.close()
            self._withdraw(kept, holder, error)
            raise
        settle = Settling(
            keeping=self._keeping, opened=opened, run=holder.id, hold=hold, advice=self._advice, files=self._files
        )
        self._recorder = Recorder(kept.state, journal=journal, settle=settle, require_lock=hold.require)
        return self._recorder

    def write(self, state: State) -> State:
        """Make the records of `state` the recorded ones and return the state as saved.

        Args:
            state: what `read` returned under this lock, with other agents. Equal content is not written again.

        Raises:
            StateError: `state` was not made from what is recorded now, or it cannot be written.
        """
        holder, _ = self._require_lock()
        kept, recorded = self._keeping.read()
        self._advice.require_made_from(state, recorded)
        if state.content == recorded.content:
            return recorded
        saved = self._keeping.successor(replace(state, open_run=None), kept)
        return self._replace(saved, kept, recorded, holder, note=f"changed by hand: serial {saved.serial}")

    def push(self, state: State, *, force: int | None = None) -> State:
        """Make `state`, a whole document from elsewhere, the recorded one and return it as saved.

        Args:
            state: of the same lineage as what is recorded, with a higher serial.
            force: the serial of what is recorded now, named by somebody who wants to lose it; the lineage and the
                serial of `state` do not matter then.

        Raises:
            StateError: it is older than what is recorded or has nothing to do with it; it knows less than the journal
                of a run that was cut short; or it cannot be written.
        """
        holder, _ = self._require_lock()
        kept, recorded = self._keeping.read()
        now = kept.state
        if force is None and encode(state) == encode(now):
            return now
        self._advice.require_successor(state, now, recorded=recorded, force=force)
        lineage = state.lineage or self._keeping.lineage_after(kept)
        saved = replace(state, open_run=None, lineage=lineage, serial=max(state.serial, now.serial + 1))
        return self._replace(saved, kept, recorded, holder, note=f"pushed: serial {saved.serial}")

    def move_to(self, renamed: StateStore) -> State:
        """Make this state the one of `renamed`, which is opened for the site's new name, and return it as saved.

        Where both are kept in one place, the lock is held here only; where they are not, it is held on both, and the
        old state stays as it is.

        Raises:
            StateError: nothing is recorded here, something is there already, or it cannot be written.
        """
        holder, _ = self._require_lock()
        source, target, same = self._keeping, renamed._keeping, renamed.name == self.name
        if not same:
            renamed._require_lock()
            if target.read()[0].version is not None:
                raise StateError(f"{renamed.name} holds a state of site {renamed._site!r} already", hint=TAKEN)
        kept = source.take_over()
        if kept.version is None:
            raise StateError(f"{self.name} holds no state of site {self._site!r}", hint=NOTHING_TO_MOVE)
        moved = replace(source.successor(kept.state, kept), site=renamed._site)
        source.journal.prepare()
        target.journal.prepare()
        self.backed_up = source.backups.keep(kept.state)
        note = f"site {self._site} is {renamed._site} now: serial {moved.serial}"
        # In one place the lock, by whose id a server may know who writes, is known only where it is held.
        (source if same else target).save(moved, kept if same else _NOTHING, note=note)
        target.journal.history.follow(source.journal.history)
        target.journal.history.add(run_of(holder, kept.state, site=renamed._site, started=self._clock()), ())
        return moved

    def _replace(self, saved: State, kept: Kept, recorded: State, holder: LockHolder, *, note: str) -> State:
        self.backed_up = self._keeping.replace(saved, kept, recorded=recorded, note=note)
        run = run_of(holder, recorded, site=self._site, started=self._clock())
        self._keeping.journal.history.add(run, differences(recorded, saved))
        return saved

    def _withdraw(self, kept: Kept, holder: LockHolder, error: BaseException) -> None:
        """Take back that a run is open which `error` has kept from beginning, once and as far as there is time."""
        if not self.away or isinstance(error, LockLostError):  # then the state may be another's by now
            return
        if not isinstance(error, Exception):
            self.hurry(UNLOCKING)
        self._haste.rest()  # what was given up may say so only now
        with contextlib.suppress(StateError):
            withdraw(self._keeping, kept, holder)

    def _let_go(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()

    def _require_lock(self) -> tuple[LockHolder, Hold]:
        if self._held is None:
            raise RuntimeError("the state is written only under its lock")
        return self._held
