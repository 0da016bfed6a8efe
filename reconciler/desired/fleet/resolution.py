"""From declarations to agents.

Rules of this file: whatever is missing is reported where it should have been written, at a profile once however many
agents use it; ranges are expanded only when nothing at all is wrong. Of entries that are written alike, only those are
looked at one by one that there is something to say about: an error, a warning, or that another names the same agent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import not_

from reconciler.desired.fleet.alike import Alike
from reconciler.desired.fleet.declarations import Declaration
from reconciler.desired.fleet.fleet_reading import FleetReading
from reconciler.desired.fleet.inheritance import Profiles, Settings
from reconciler.desired.fleet.overlaps import any_overlap, find_overlaps
from reconciler.desired.fleet.remarks import about_settings, is_reserved
from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct


class Resolved(Struct, frozen=True):
    """A declaration with all numbers in force for it."""

    declaration: Declaration
    settings: Settings


class Quiet(Struct, frozen=True):
    """Entries of one file, written alike, that there is nothing to say about, with all numbers in force for them."""

    alike: Alike
    settings: Mapping[str, Settings]
    """By text. Where the text itself gives a number, it stands in the text's model."""


class Resolution(Struct, frozen=True, kw_only=True):
    """A whole environment resolved, as far as it could be."""

    agents: tuple[Resolved, ...]
    quiet: tuple[Quiet, ...]
    """The agents besides."""
    profiles: Profiles
    problems: tuple[Diagnostic, ...]

    def groups(self) -> Iterator[tuple[str | None, Settings]]:
        """Walk the teams with the numbers in force for somebody in them, each at least once."""
        for agent in self.agents:
            yield agent.declaration.team, agent.settings
        for quiet in self.quiet:
            for text in quiet.alike.texts():
                yield quiet.alike.team_of(text), quiet.settings[text]

    def spans(self) -> Iterator[tuple[int, int]]:
        """Walk the first and the last id of every declaration."""
        for agent in self.agents:
            yield agent.declaration.span.first, agent.declaration.span.last
        for quiet in self.quiet:
            yield from zip(quiet.alike.columns.firsts, quiet.alike.columns.lasts, strict=True)


def resolve(readings: Sequence[FleetReading], *, complete: bool) -> Resolution:
    """Resolve what all fleet files declare; unless they are `complete`, something may not have been read."""
    files = [reading.file for reading in readings if reading.file is not None]
    profiles = Profiles([profile for file in files for profile in file.profiles], complete=complete)
    declarations, quiet = _told_apart(readings, _Texts(profiles))
    agents = tuple(Resolved(declaration, profiles.inherit(declaration.entry)) for declaration in declarations)
    sound = tuple(agent for agent in agents if not agent.settings.faulty)
    problems = [*profiles.problems, *find_overlaps(declarations), *_find_missing(sound, profiles)]
    return Resolution(agents=sound, quiet=quiet, profiles=profiles, problems=tuple(problems))


class _Texts:
    """What the texts of entries come to, each worked out once."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self.settings: dict[str, Settings] = {}
        """Of the texts that nothing is wrong with."""
        self._loud: set[str] = set()
        """Texts that something is to be said about wherever they stand."""
        self._remarkable: set[str] = set()
        """Texts whose profile something is to be said about, once."""

    def look_at(self, alike: Alike) -> list[bool]:
        """Tell of each entry whether it is to be looked at by itself."""
        columns, texts = alike.columns, alike.texts()
        for text in texts:
            if text not in self.settings and text not in self._loud:
                self._learn(text, alike)
        looked_at = [text in self._loud for text in columns.texts] if self._loud else [False] * len(alike)
        if remarkable := self._remarkable & texts:
            somewhere = dict(zip(columns.texts, range(len(alike)), strict=True))
            for text in remarkable:
                looked_at[somewhere[text]] = True
        if looked_at and is_reserved(min(columns.firsts), max(columns.lasts)):
            reserved = map(is_reserved, columns.firsts, columns.lasts)
            looked_at = [one or other for one, other in zip(looked_at, reserved, strict=True)]
        return looked_at

    def _learn(self, text: str, alike: Alike) -> None:
        entry = alike.models[text].declaration.entry
        settings = self._profiles.inherit_quietly(entry)
        if settings is None or _missing(settings):
            self._loud.add(text)
            return
        if any(about_settings(settings)):
            (self._loud if entry.gives_numbers else self._remarkable).add(text)
        self.settings[text] = settings


def _told_apart(readings: Sequence[FleetReading], texts: _Texts) -> tuple[Sequence[Declaration], tuple[Quiet, ...]]:
    """Return the declarations that are looked at one by one, in reading order, and all the others."""
    if _any_overlap(readings):
        return _all_declarations(readings), ()
    declarations: list[Declaration] = []
    quiet: list[Quiet] = []
    for reading in readings:
        declarations += () if reading.file is None else reading.file.declarations
        if (alike := reading.alike) is not None:
            looked_at = texts.look_at(alike)
            if any(looked_at):
                declarations += alike.only(looked_at).declarations()
                alike = alike.only(map(not_, looked_at))
            quiet.append(Quiet(alike, texts.settings))
    return sorted(declarations, key=_order), tuple(quiet)


def _any_overlap(readings: Sequence[FleetReading]) -> bool:
    firsts: list[int] = []
    lasts: list[int] = []
    for reading in readings:
        spans = () if reading.file is None else [each.span for each in reading.file.declarations]
        firsts += [span.first for span in spans]
        lasts += [span.last for span in spans]
        if reading.alike is not None:
            firsts += reading.alike.columns.firsts
            lasts += reading.alike.columns.lasts
    return any_overlap(firsts, lasts)


def _all_declarations(readings: Sequence[FleetReading]) -> list[Declaration]:
    plain = chain.from_iterable(reading.file.declarations for reading in readings if reading.file is not None)
    alike = chain.from_iterable(reading.alike.declarations() for reading in readings if reading.alike is not None)
    return sorted((*plain, *alike), key=_order)


def _order(declaration: Declaration) -> tuple[str, int]:
    return declaration.entry.order()


def _find_missing(agents: Sequence[Resolved], profiles: Profiles) -> Iterator[Diagnostic]:
    """Report agents without a total or without a channel; of those with a common cause, the first."""
    blamed: set[tuple[str, str]] = set()
    for agent in agents:
        entry = agent.declaration.entry
        for what in _missing(agent.settings):
            dropped = what == "channel" and bool(entry.channels)
            profile = None if dropped or entry.base is None else profiles[entry.base]
            if profile is None:
                remedy = "keep one" if dropped else "give it one or a profile"
                yield entry.problem(f"no-{what}", f"{entry.title} {entry.have} no {what}: {remedy}")
            elif (what, profile.key) not in blamed:
                blamed.add((what, profile.key))
                user = f"{entry.title} ({entry.place()})"
                yield profile.problem(
                    f"no-{what}", f"{profile.title} has no {what}, and {user} {entry.have} none either"
                )


def _missing(settings: Settings) -> list[str]:
    return [what for what, found in (("total", settings.total), ("channel", settings.channels)) if not found]
