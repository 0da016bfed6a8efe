"""What the state commands that write by hand have in common: the lock, and the words about what they have left."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator

from reconciler.cli.environment import Environment
from reconciler.cli.locking import lock_holder, patience_of, tell_waiting
from reconciler.cli.store import open_store
from reconciler.model.state import State
from reconciler.report import backup_sentence
from reconciler.state import StateStore


@contextlib.contextmanager
def locked_store(opened: Environment, operation: str, *, lock_timeout: float | None) -> Iterator[StateStore]:
    """Yield the store of `opened`, its lock held for `operation`.

    Raises:
        LockHeldError: another run holds it.
        StateError: the lock cannot be read or made.
    """
    store = open_store(opened)
    with store.lock(lock_holder(operation), patience=patience_of(lock_timeout, os.environ), tell=tell_waiting):
        yield store


def saved_text(store: StateStore, saved: State, opened: Environment) -> str:
    """Return which state is recorded now, and how to have the one before back."""
    now = f"{store.name} is at serial {saved.serial} now, {len(saved.agents)} agents recorded.\n"
    return now + backup_sentence(store.backed_up, _undo(store, saved, opened))


def _undo(store: StateStore, saved: State, opened: Environment) -> str:
    # --force names the serial that is to be lost: should something be written meanwhile, the command is refused.
    words = ["reconciler", "state", "push", store.backed_up or "", opened.name, "--force", str(saved.serial)]
    return shlex.join(words)
