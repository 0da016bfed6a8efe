"""The state of an environment, opened as its `site.yaml` says, with this machine's clock.

Rule of this file: opening reads nothing and asks for no secret; that is done when the store is first used.
"""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

from reconciler.cli.clock import utc_now
from reconciler.cli.environment import Environment
from reconciler.cli.meanwhile import meanwhile
from reconciler.errors import StateError
from reconciler.model.printable import printable
from reconciler.model.state import State
from reconciler.state import Setting, StateStore, open_state

if TYPE_CHECKING:  # as below
    from reconciler.model.secret_reference import SecretReference


def open_store(opened: Environment, *, site: str | None = None) -> StateStore:
    """Return the store of `opened`, or of what its site was called before; nothing is read or created yet."""

    def secret(reference: SecretReference, what: str) -> str:
        from reconciler.credentials import read_secret  # noqa: PLC0415 - a local state has no secret

        return read_secret(reference, root=opened.root, environ=os.environ, what=what, raising=StateError)

    around = Setting(
        root=opened.root,
        site=opened.desired.site.name if site is None else site,
        environ=os.environ,
        resolve=secret,
        clock=utc_now,
        new_lineage=lambda: str(uuid.uuid4()),
        environment=opened.name,
    )
    return open_state(opened.desired.site.state, around)


def read_state(store: StateStore) -> State:
    """Return what is recorded, and say on a terminal that it is read where that takes long."""
    with meanwhile("reading the state", "agents") as work:
        return store.read(work.tell)


def open_run_notes(state: State) -> list[str]:
    """Return what to know of a state whose run has not ended, as sentences for stderr."""
    if state.open_run is None:
        return []
    who = printable(f"{state.open_run.who}, since {state.open_run.since}")
    return [f"a run has not ended, as far as this state knows ({who}): whoever it may call is in doubt until it has"]
