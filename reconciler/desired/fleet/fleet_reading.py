"""One fleet file: from its text to what it declares, and everything that is wrong with it.

Rule of this file: with a cutter or without one, the answer is the same; with one it comes sooner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.desired.fleet.alike import Alike
from reconciler.desired.fleet.declarations import FleetFile, collect
from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.reading.source_file import SourceFile
from reconciler.desired.reading.yaml_reader import read_yaml
from reconciler.desired.validation import Validator
from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct

if TYPE_CHECKING:
    from reconciler.desired.fleet.late_cutter import LateCutter
    from reconciler.desired.fleet.quick_fleet import Cut, Cutter


class FleetReading(Struct, frozen=True, kw_only=True):
    """What came of reading a fleet file."""

    file: FleetFile | None
    """`None` when nothing can be said about what it declares."""
    problems: tuple[Diagnostic, ...]
    alike: Alike | None = None
    """What it declares besides, in entries of which many are alike and that nothing is wrong with."""


def read_fleet(path: str, text: str, *, schema: Validator, cutter: Cutter | LateCutter | None = None) -> FleetReading:
    """Return what the decoded fleet file called `path` declares."""
    source = SourceFile.of(path, text)
    cut = None if cutter is None else cutter.cut(text)
    reading = None if cut is None else _read_in_two(cut, source, schema)
    return _read_whole(text, source, schema) if reading is None else reading


def _read_whole(text: str, source: SourceFile, schema: Validator) -> FleetReading:
    document = read_yaml(source.path, text, file=source)
    if document.value is None:
        return FleetReading(file=None, problems=document.problems)
    return _collected(document, schema)


def _read_in_two(cut: Cut, source: SourceFile, schema: Validator) -> FleetReading | None:
    """Return what is declared by the entries that are fine and by the rest, or `None` if the cut was none to make."""
    rest = read_yaml(source.path, cut.rest, file=source)
    if not cut.is_borne_out(rest):
        return None
    team = rest.value.get("team")
    team = team if isinstance(team, str) else None
    reading = _collected(rest, schema, Alike(file=source, team=team, columns=cut.fine, models=cut.models))
    return None if any(map(cut.may_be_blamed_by, reading.problems)) else reading


def _collected(document: YamlDocument, schema: Validator, alike: Alike | None = None) -> FleetReading:
    problems = validate(document, schema)
    file = collect(document, problems)
    return FleetReading(file=file, problems=(*problems, *file.problems), alike=alike)


def validate(document: YamlDocument, schema: Validator) -> list[Diagnostic]:
    """Return the reader's problems and the schema's, except where the reader has already complained."""
    places = {(problem.line, problem.column) for problem in document.problems}
    against = schema.check(document)
    return [*document.problems, *(found for found in against if (found.line, found.column) not in places)]
