"""No secret and no path of the machine finds its way into this room."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from state.records import (
    apply_one,
    store,
)
from state.runs import leave, nothing, run

import reconciler.state
from reconciler.state.journal import entries as entries_module
from reconciler.state.journal.recorder import Recorder
from reconciler.values import Struct

SECRETS = ("guid", "cookie", "password", "token", "secret")


def parameters_of(call: Callable[..., object]) -> Iterable[str]:
    """Return what `call` takes; of a struct its fields, since its signature asks for types that may not be loaded."""
    if isinstance(call, type) and issubclass(call, Struct):
        return call.__struct_fields__
    return inspect.signature(call).parameters


def test_nothing_of_this_room_takes_a_secret() -> None:
    recorder_methods = [value for _, value in inspect.getmembers(Recorder, inspect.isfunction)]
    exports = [getattr(reconciler.state, name) for name in reconciler.state.__all__]
    calls = [value for value in (*recorder_methods, *exports) if callable(value)]
    parameters = {name for call in calls for name in parameters_of(call)}
    fields = {
        field
        for value in vars(entries_module).values()
        if isinstance(value, type) and issubclass(value, Struct)
        for field in value.__struct_fields__
    }
    assert "concurrency" in parameters & fields
    assert not [name for name in parameters | fields if any(secret in name.lower() for secret in SECRETS)]


def test_only_the_sessions_key_is_written(path: Path) -> None:
    leave(store(path), lambda recorder: apply_one(recorder, session="login-1"))
    journal = path.with_name("state.json.journal").read_text()
    assert journal.count("login-1") == 1
    assert str(path.parent) not in journal
    run(store(path), nothing)
    assert json.loads(path.read_bytes())["agents"]["1001"]["session"] == "login-1"
