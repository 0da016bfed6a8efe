"""The way from a directory to `Desired`, or to every problem at once.

    discover ─ read ─ decode ─ parse ─ validate ─┬─ site.yaml ───────────────▶ Site
                                                 └─ fleet files ─ collect ─ resolve ─ advise ─ expand ─▶ agents

Rules of this file: each step adds its problems to one list and the next goes on with what is left; nothing is raised
for what a user wrote. A file that could not be read makes the rest incomplete: then nothing is said about names that
may be in it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.collector import paused_collector
from reconciler.desired.bounds import bounded
from reconciler.desired.discovery import MISNAMED_SITE_FILE, SITE_FILE, discover, read_bytes
from reconciler.desired.fleet.advice import advise
from reconciler.desired.fleet.declarations import FleetFile
from reconciler.desired.fleet.expansion import expand
from reconciler.desired.fleet.fleet_reading import FleetReading, read_fleet, validate
from reconciler.desired.fleet.late_cutter import LateCutter
from reconciler.desired.fleet.resolution import Resolution, resolve
from reconciler.desired.fleet.whereabouts import Whereabouts
from reconciler.desired.reading.decoding import decode
from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.reading.yaml_reader import read_yaml
from reconciler.desired.site.gateway_settings import advise_gateway
from reconciler.desired.site.guardrail_advice import advise_guardrails
from reconciler.desired.site.session_settings import advise_sessions
from reconciler.desired.site.site_file import build_site, check_site
from reconciler.desired.validation import Validator, validator_for
from reconciler.model.desired import Desired
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.site import Site
from reconciler.values import Struct, field, replace


class Loaded(Struct, frozen=True):
    """An environment as read, with everything there is to say about it."""

    desired: Desired | None
    """`None` exactly when one of the diagnostics is an error."""
    diagnostics: tuple[Diagnostic, ...]
    """Errors and warnings of all files, sorted by place."""


def load(
    root: Path,
    *,
    strict: bool = False,
    allow_empty: bool = False,
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> Loaded:
    """Read the environment in the directory `root`.

    Args:
        root: the directory that holds site.yaml and the fleet files.
        strict: count warnings as errors.
        allow_empty: accept an environment without any agent.
        tell: called after each file with the number of those that are read, and of all.
    """
    with paused_collector():
        loading = _Loading()
        loading.read(root, tell)
        resolution = loading.resolve(allow_empty=allow_empty)
        problems = sorted(map(_as_error, loading.problems) if strict else loading.problems)
        diagnostics = tuple(sorted(bounded(problems)))
        site, refused = loading.site, any(problem.severity is Severity.ERROR for problem in diagnostics)
        if site is None or refused:
            return Loaded(None, diagnostics)
        declared = Whereabouts(resolution)
        return Loaded(Desired(site=site, agents=expand(resolution), declared=declared), diagnostics)


def _as_error(problem: Diagnostic) -> Diagnostic:
    return replace(problem, severity=Severity.ERROR)


class _Loading(Struct):
    """What is known so far."""

    problems: list[Diagnostic] = field(default_factory=list)
    readings: list[FleetReading] = field(default_factory=list)
    site: Site | None = None
    site_document: YamlDocument | None = None
    """site.yaml, if nothing is wrong with it."""
    complete: bool = True
    """No agent and no profile can have been missed."""

    def read(self, root: Path, tell: Callable[[int, int], None]) -> None:
        """Read all files, each on its own."""
        found = discover(root)
        self._refuse(*found.problems)
        fleet = validator_for("fleet")
        cutter = LateCutter(fleet.accepts)
        for done, (name, real) in enumerate(found.files.items(), start=1):
            if name == MISNAMED_SITE_FILE:
                summary = f"the site's settings are read from {SITE_FILE} only; rename this file"
                self.problems.append(Diagnostic(name, code="odd-file-name", summary=summary))
            elif name != SITE_FILE:
                self._read_fleet(name, real, fleet, cutter)
            tell(done, len(found.files))
        if SITE_FILE in found.files:
            self._read_site(found.files[SITE_FILE])
        elif not found.problems:
            summary = f"the environment has no {SITE_FILE}, which names the site and its gateway"
            self.problems.append(Diagnostic(SITE_FILE, code="no-site", summary=summary, detail=_SMALLEST_SITE))

    def resolve(self, *, allow_empty: bool) -> Resolution:
        """Check all files against each other."""
        self.complete = self.complete and all(file.complete for file in self._files())
        resolution = resolve(self.readings, complete=self.complete)
        self.problems.extend(resolution.problems)
        refused = any(problem.severity is Severity.ERROR for problem in self.problems)
        self.problems.extend(advise(resolution, about_unused=self.complete and not refused))
        if self.complete and not refused and self.site_document is not None:
            self.problems.extend(advise_guardrails(self.site_document, resolution))
        if self.complete and not allow_empty and not any(file.mentions_agents for file in self._files()):
            self.problems.append(_no_agents())
        return resolution

    def _files(self) -> list[FleetFile]:
        return [reading.file for reading in self.readings if reading.file is not None]

    def _refuse(self, *problems: Diagnostic) -> None:
        """Keep problems that leave agents and profiles unread."""
        self.problems.extend(problems)
        self.complete = self.complete and not problems

    def _read_fleet(self, name: str, real: Path, schema: Validator, cutter: LateCutter) -> None:
        text = self._text(name, real)
        if text is None:
            self.complete = False
            return
        reading = read_fleet(name, text, schema=schema, cutter=cutter)
        self.problems.extend(reading.problems)
        self.complete = self.complete and reading.file is not None
        self.readings.append(reading)

    def _read_site(self, real: Path) -> None:
        text = self._text(SITE_FILE, real)
        if text is None:
            return
        document = read_yaml(SITE_FILE, text)
        if document.value is None:
            self.problems.extend(document.problems)
            return
        problems = validate(document, validator_for("site"))
        problems.extend(check_site(document, {problem.pointer for problem in problems}))
        self.problems.extend(problems)
        if not problems:
            self.site, self.site_document = build_site(document.value), document
            self.problems.extend(advise_gateway(document))
            self.problems.extend(advise_sessions(document))

    def _text(self, name: str, real: Path) -> str | None:
        data = read_bytes(name, real)
        text = [data] if isinstance(data, Diagnostic) else decode(name, data)
        if isinstance(text, str):
            return text
        self.problems.extend(text)
        return None


_SMALLEST_SITE = "write one; name and gateway.url are all it needs, and `reconciler schema site` describes the rest"


def _no_agents() -> Diagnostic:
    summary = "the environment declares no agents"
    return Diagnostic(code="no-agents", summary=summary, detail="if that is meant, say so with --allow-empty")
