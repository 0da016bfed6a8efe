"""The disk in memory does what the machine's does."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crash.disk import ModelDisk
from hypothesis import given
from hypothesis import strategies as st

from reconciler.state import Files, OsFiles

NAMES = ("state.json", ".state.json.tmp", "state.json.journal")
OPENERS = ("open_fresh", "open_append", "open_lock")
steps = st.one_of(
    st.tuples(st.sampled_from(("read", "mode_of", "unlink", *OPENERS)), st.sampled_from(NAMES)),
    st.tuples(st.just("replace"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("write"), st.integers(0, 3), st.binary(min_size=1, max_size=5)),
    st.tuples(st.sampled_from(("truncate", "fsync", "close", "lock")), st.integers(0, 3)),
    st.tuples(st.just("is_at"), st.integers(0, 3), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(("sizes_in", "sync_directory"))),
)


class Witness:
    """Does steps on a disk and writes down what comes of each; handles are known by their place in a row."""

    def __init__(self, files: Files, directory: Path) -> None:
        self._files = files
        self._directory = directory
        self._open: list[int] = []

    def does(self, step: tuple[Any, ...]) -> object:
        try:
            return self._do(*step)
        except OSError as error:
            return error.errno

    def _do(self, name: str, *arguments: Any) -> object:
        act = getattr(self._files, name)
        if name in ("sizes_in", "sync_directory"):
            return act(self._directory)
        if isinstance(arguments[0], int):
            return self._with_handle(name, *arguments)
        result = act(*(self._directory / argument for argument in arguments))
        if name in OPENERS:
            self._open.append(result)
            return "opened"
        return result

    def _with_handle(self, name: str, number: int, *data: bytes | str) -> object:
        if number >= len(self._open):
            return "nothing is open"
        handle = self._open.pop(number) if name == "close" else self._open[number]
        given = (self._directory / each if isinstance(each, str) else each for each in data)
        result: object = getattr(self._files, name)(handle, *given)
        return result

    def close_all(self) -> None:
        for handle in self._open:
            self._files.close(handle)


@given(st.lists(steps, max_size=25))
def test_the_same_steps_come_to_the_same_on_the_machines_disk(taken: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        real, model = Witness(OsFiles(), directory), Witness(ModelDisk(directory), directory)
        try:
            assert [model.does(step) for step in taken] == [real.does(step) for step in taken]
        finally:
            real.close_all()
