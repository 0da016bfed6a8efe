"""From declarations to agents.

Rules of this file: whatever is missing is reported where it should have been written, at a profile once however many
agents use it; ranges are expanded only when nothing at all is wrong; agents with the same numbers from the same
places share one object for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.desired.declarations import Declaration, FleetFile
from reconciler.desired.inheritance import Profiles, Settings, Written
from reconciler.desired.overlaps import find_overlaps
from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import DesiredAgent, Source
from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct


class Resolved(NamedTuple):
    """A declaration with all numbers in force for it."""

    declaration: Declaration
    settings: Settings


class Resolution(Struct, frozen=True, kw_only=True):
    """A whole environment resolved, as far as it could be."""

    agents: tuple[Resolved, ...]
    profiles: Profiles
    problems: tuple[Diagnostic, ...]


def resolve(files: Sequence[FleetFile], *, complete: bool) -> Resolution:
    """Resolve what all fleet files declare; unless they are `complete`, something may not have been read."""
    profiles = Profiles([profile for file in files for profile in file.profiles], complete=complete)
    declarations = [declaration for file in files for declaration in file.declarations]
    agents = tuple(Resolved(declaration, profiles.inherit(declaration.entry)) for declaration in declarations)
    sound = tuple(agent for agent in agents if not agent.settings.faulty)
    problems = [*profiles.problems, *find_overlaps(declarations), *_find_missing(sound, profiles)]
    return Resolution(agents=sound, profiles=profiles, problems=tuple(problems))


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


def expand(agents: Sequence[Resolved]) -> dict[AgentId, DesiredAgent]:
    """Return every agent, sorted. Only for agents without problems: no overlap, nothing missing."""
    sharing = _Sharing()
    expanded: dict[AgentId, DesiredAgent] = {}
    for agent in sorted(agents, key=lambda resolved: resolved.declaration.span.first):
        desired, span = _desired(agent, sharing), agent.declaration.span
        if span.first == span.last:  # as most are
            expanded[span.first] = desired
        else:
            expanded.update(dict.fromkeys(span, desired))
    return expanded


class _Sharing:
    """Equal values made once."""

    def __init__(self) -> None:
        self._by_settings: dict[int, tuple[Concurrency, Mapping[str, Source]]] = {}
        self._by_numbers: dict[tuple[int, tuple[tuple[str, int], ...]], Concurrency] = {}

    def values(self, settings: Settings) -> tuple[Concurrency, Mapping[str, Source]]:
        """Return the concurrency and the origins of `settings`, the same ones for the same settings."""
        # By identity: settings live as long as the resolution does, and agents of one profile have the profile's own.
        made = self._by_settings.get(id(settings))
        if made is None:
            made = self._by_settings[id(settings)] = self._make(settings)
        return made

    def _make(self, settings: Settings) -> tuple[Concurrency, Mapping[str, Source]]:
        if settings.total is None:
            raise ValueError("settings without a total are refused before they are expanded")
        total, channels = settings.total, settings.channels
        numbers = total.value, tuple((label, number.value) for label, number in channels.items())
        concurrency = self._by_numbers.get(numbers)
        if concurrency is None:
            by_channel = {Channel.from_label(label): value for label, value in numbers[1]}
            concurrency = self._by_numbers[numbers] = Concurrency.of(total.value, by_channel)
        return concurrency, _Origins(total, channels)


class _Origins(Mapping[str, Source]):
    """Where each number was written; worked out when somebody asks, since that is for one agent in a hundred."""

    __slots__ = ("_written",)

    def __init__(self, total: Written, channels: Mapping[str, Written]) -> None:
        self._written = {"total": total, **channels}

    def __getitem__(self, name: str) -> Source:
        return self._written[name].source()

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)

    def __repr__(self) -> str:
        return repr(dict(self))


def _desired(agent: Resolved, sharing: _Sharing) -> DesiredAgent:
    declaration = agent.declaration
    concurrency, origins = sharing.values(agent.settings)
    return DesiredAgent(
        concurrency=concurrency,
        team=declaration.team,
        protected=declaration.protected,
        source=declaration.entry.file.source(declaration.entry.mark),
        origins=origins,
    )
