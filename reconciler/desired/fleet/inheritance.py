"""Profiles, and what agents and profiles inherit from them.

Rules of this file: a profile is visible in all fleet files; what is wrong with one is reported at the profile, once,
and whoever builds on it then counts as faulty without being blamed. Chains of `extends` are followed without
recursion, however long they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.desired.fleet.declarations import Entry
from reconciler.desired.wording import NearestNames, escape, listing, quote
from reconciler.model.desired import Source
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.values import Struct

_MAX_DRAWN = 8
"""Profiles of a circle that a message draws."""
_SHOWN_PROFILES = 12
"""Names that a message lists where none is like the one that is unknown."""


class Written(Struct, frozen=True):
    """A number in force, and the entry that wrote it."""

    value: int
    entry: Entry
    mark: int
    depth: int
    """How many profiles build on each other up to the entry; the higher, the more particular."""

    def source(self) -> Source:
        """Return the line it is written on."""
        return self.entry.file.source(self.mark)


class Settings(Struct, frozen=True):
    """All numbers in force for a profile or an agent."""

    total: Written | None
    channels: Mapping[str, Written]
    depth: int = 0
    faulty: bool = False
    """Something it depends on is wrong and already reported."""


_NOTHING = Settings(None, {})
_FAULTY = Settings(None, {}, faulty=True)


class Profiles:
    """The profiles of an environment, resolved."""

    def __init__(self, entries: Sequence[Entry], *, complete: bool) -> None:
        """Resolve `entries`; unless they are `complete`, an unknown name may be one that could not be read."""
        self.problems: list[Diagnostic] = []
        self.used: set[str] = set()
        self._complete = complete
        self._entries = self._once_each(sorted(entries, key=Entry.order))
        self._nearest = NearestNames(sorted(self._entries))
        self._settings: dict[str, Settings] = {}
        for name in self._entries:
            self._resolve(name)

    def __getitem__(self, name: str) -> Entry:
        """Return the profile called `name`, as declared."""
        return self._entries[name]

    def inherit(self, entry: Entry) -> Settings:
        """Return what an agent's `entry` says on top of its profile."""
        if entry.base is None:
            return self._overlay(entry, _NOTHING)
        if entry.base not in self._entries:
            self._report_unknown(entry)
            return _FAULTY
        self.used.add(entry.base)
        return self._overlay(entry, self._settings[entry.base])

    def inherit_quietly(self, entry: Entry) -> Settings | None:
        """Return what `inherit` does if there is nothing to report on the way, and else `None`."""
        if entry.base is not None and entry.base not in self._entries:
            return None  # without looking for a name like it: only so many are looked for, those that are reported
        reported = len(self.problems)
        settings = self.inherit(entry)
        quiet = len(self.problems) == reported and not settings.faulty
        del self.problems[reported:]
        return settings if quiet else None

    def unused(self) -> list[Entry]:
        """Return the profiles that no agent uses, directly or through another profile, in reading order."""
        reached: set[str] = set()
        for name in self.used:
            current: str | None = name
            while current in self._entries and current not in reached:
                reached.add(current)
                current = self._entries[current].base
        return [entry for name, entry in self._entries.items() if name not in reached]

    def _once_each(self, entries: Sequence[Entry]) -> dict[str, Entry]:
        known: dict[str, Entry] = {}
        for entry in entries:
            first = known.setdefault(entry.key, entry)
            if first is not entry:
                summary = f"profile {quote(entry.key)} is also declared at {first.place()}; declare a profile once"
                self.problems.append(entry.problem("duplicate-profile", summary))
        return known

    def _resolve(self, name: str) -> None:
        chain: dict[str, None] = {}
        current: str | None = name
        while current in self._entries and current not in self._settings and current not in chain:
            chain[current] = None
            current = self._entries[current].base
        settings = _NOTHING
        if current in chain:
            self._report_circle(list(chain)[list(chain).index(current) :])
            settings = _FAULTY
        elif current is not None:
            settings = self._settings.get(current, _FAULTY)
        for member in reversed(chain):
            settings = self._settings[member] = self._resolve_one(self._entries[member], settings)

    def _resolve_one(self, entry: Entry, base: Settings) -> Settings:
        if entry.base is not None and entry.base not in self._entries:
            self._report_unknown(entry)
        return self._overlay(entry, base)

    def _overlay(self, entry: Entry, base: Settings) -> Settings:
        if base.faulty or entry.faulty:
            return _FAULTY
        if not entry.gives_numbers:
            return base
        depth = base.depth + 1
        total = base.total
        if entry.total is not None:
            total = Written(entry.total, entry, entry.total_mark, depth)
        return Settings(total, self._overlay_channels(entry, base, depth), depth)

    def _overlay_channels(self, entry: Entry, base: Settings, depth: int) -> dict[str, Written]:
        channels = dict(base.channels)
        for label, value in entry.channels.items():
            if value is not None:
                channels[label] = Written(value, entry, entry.channel_mark(label), depth)
            elif channels.pop(label, None) is None:
                self.problems.append(_needless_drop(entry, label))
        return channels

    def _report_unknown(self, entry: Entry) -> None:
        if self._complete and entry.base is not None:
            hint = self._nearest.hint(entry.base)
            summary, detail = f"unknown profile {quote(entry.base)}{hint}", "" if hint else self._declared()
            mark, tokens = entry.base_mark, (entry.base_token,)
            self.problems.append(entry.problem("unknown-profile", summary, mark=mark, tokens=tokens, detail=detail))

    def _declared(self) -> str:
        names = self._nearest.names
        if not names:
            return "no profile is declared: write it under 'profiles' in any fleet file"
        shown = [escape(name) for name in names[:_SHOWN_PROFILES]]
        rest = len(names) - len(shown)
        return f"profiles are {listing([*shown, f'{rest} more'] if rest else shown, last='and')}"

    def _report_circle(self, names: list[str]) -> None:
        first = min(range(len(names)), key=lambda index: self._entries[names[index]].order())
        circle = [*names[first:], *names[:first], names[first]]
        drawn = circle if len(circle) <= _MAX_DRAWN else [*circle[: _MAX_DRAWN - 2], "…", circle[-1]]
        entry = self._entries[names[first]]
        summary = f"profiles extend each other in a circle: {' -> '.join(drawn)}"
        self.problems.append(entry.problem("profile-cycle", summary, mark=entry.base_mark, tokens=("extends",)))


def _needless_drop(entry: Entry, label: str) -> Diagnostic:
    return entry.problem(
        "dropped-channel-not-inherited",
        f"null drops {label}, but {entry.title} {entry.have} not inherited it; remove it",
        mark=entry.channel_mark(label),
        tokens=("channels", label),
        severity=Severity.WARNING,
    )
