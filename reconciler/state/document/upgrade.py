"""Formats of the past, brought up to the present one in steps: version by version, each step a small pure function.

Rules of this file: the version is looked at before anything else of a document, since another one may differ in all
the rest. A newer format is refused with the remedy; an older one climbs the ladder one rung at a time and is then read
as strictly as one written today. Nothing is written: a state is in the new format from its next write on.

To change a format: raise `FORMAT_VERSION`, write the step from the version before, add a `Rung` to the ladder, and put
a golden file of the new version into tests/state/formats. Rungs and golden files stay for ever.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable

from reconciler.state.document.fields import FORMAT_VERSION, NewerFormatError
from reconciler.values import Struct

Fields = dict[str, object]
"""The object of a document, or of one record of a journal."""
Step = Callable[[Fields], Fields]
"""Returns the object as the next version writes it, its `format_version` aside.

Raises `ValueError` for what it cannot make sense of.
"""

_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", re.ASCII)


class Rung(Struct, frozen=True, kw_only=True):
    """One step of a ladder."""

    older: str
    newer: str
    step: Step


class Ladder(Struct, frozen=True, kw_only=True):
    """The versions of one format that can be read."""

    current: str = FORMAT_VERSION
    rungs: tuple[Rung, ...] = ()
    """From the oldest version to `current`, without a gap."""

    def __post_init__(self) -> None:
        """Refuse a ladder that does not lead to the current version."""
        ends = [rung.newer for rung in self.rungs]
        if ends != [*(rung.older for rung in self.rungs[1:]), *([self.current] if ends else [])]:
            raise ValueError(f"the rungs {ends} do not lead to {self.current}")

    def steps_from(self, version: object) -> tuple[Rung, ...]:
        """Return the rungs that lead from `version` to the current one; none when it is the current one.

        Raises:
            NewerFormatError: a newer version wrote it.
            ValueError: it is no version, or one that was never written.
        """
        match = _VERSION.fullmatch(version) if type(version) is str else None
        if match is None:
            raise ValueError(f"format_version is {reprlib.repr(version)}, not a version such as {self.current!r}")
        if version == self.current:
            return ()
        for index, rung in enumerate(self.rungs):
            if rung.older == version:
                return self.rungs[index:]
        if _order(version) > _order(self.current):
            raise NewerFormatError(
                f"format {version} was written by a newer reconciler; this one reads up to {self.current}"
            )
        raise ValueError(f"format {version} is none this reconciler reads; it reads {self._known()}")

    def _known(self) -> str:
        return ", ".join([*(rung.older for rung in self.rungs), self.current])


def _order(version: object) -> tuple[int, ...]:
    return tuple(int(part) for part in str(version).split("."))


def climb(fields: Fields, rungs: tuple[Rung, ...]) -> Fields:
    """Return `fields` after every one of `rungs`, saying the version it has come to where it says one at all."""
    for rung in rungs:
        fields = rung.step(fields)
        if "format_version" in fields:
            fields = {**fields, "format_version": rung.newer}
    return fields


STATE_FORMATS = Ladder()
"""Versions of the state's document."""
JOURNAL_FORMATS = Ladder()
"""Versions of the journal. Its opening record says the version, and every record climbs."""
