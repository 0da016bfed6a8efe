"""What one fleet file declares, in typed values.

Rules of this file: it takes what the schema has seen, valid or not. Of an entry that something is wrong with only the
name is kept (and the profile it names), so that the checks across files still see it and do not blame others for what
is missing from it. What the schema cannot say of a range (upward, from 101) is said here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.desired.bounds import FURTHER
from reconciler.desired.reading.marks import SHIFT, YamlDocument
from reconciler.desired.reading.source_file import SourceFile
from reconciler.desired.wording import pointer, quote
from reconciler.model.agent import MIN_AGENT_ID, AgentRange
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.values import Struct

_VALUE = (1 << SHIFT) - 1
_Numbers = tuple[int | None, int, Mapping[str, int | None], Mapping[str, int]]
_NO_NUMBERS: _Numbers = (None, 0, {}, {})
_DIGITS = re.compile(r"[1-9][0-9]{2,5}(?:-[1-9][0-9]{2,5})?")


class Entry(Struct, frozen=True):
    """A profile or an agent declaration: what it says itself, nothing inherited."""

    file: SourceFile
    section: str
    """`agents` or `profiles`."""
    key: str
    mark: int
    """Of the key."""
    base: str | None
    """The profile it builds on: `profile` of an agent, `extends` of a profile."""
    base_mark: int
    total: int | None
    total_mark: int
    channels: Mapping[str, int | None]
    """By channel label, as written; `None` drops an inherited channel."""
    channel_marks: Mapping[str, int]
    """Of each channel, key and value in one number as in `Marks`."""
    faulty: bool
    """Something is wrong with it and already reported."""

    def channel_mark(self, label: str) -> int:
        """Return where the number of a channel stands."""
        return self.channel_marks[label] & _VALUE

    @property
    def gives_numbers(self) -> bool:
        """Whether it says a number itself, or drops a channel; else what is in force is its profile's own."""
        return self.total is not None or bool(self.channels)

    @property
    def base_token(self) -> str:
        """The key under which it names the profile it builds on."""
        return "profile" if self.section == "agents" else "extends"

    @property
    def title(self) -> str:
        """The entry as messages call it."""
        if self.section == "profiles":
            return f"profile {quote(self.key)}"
        return f"agents {self.key}" if "-" in self.key else f"agent {self.key}"

    @property
    def have(self) -> str:
        """The verb that goes with the title."""
        return "have" if self.section == "agents" and "-" in self.key else "has"

    def order(self) -> tuple[str, int]:
        """Return what sorts entries in reading order."""
        return self.file.path, self.mark

    def place(self) -> str:
        """Return where it stands, as `path:line`."""
        return str(self.file.source(self.mark))

    def problem(
        self,
        code: str,
        summary: str,
        *,
        tokens: tuple[str, ...] = (),
        mark: int | None = None,
        detail: str = "",
        severity: Severity = Severity.ERROR,
    ) -> Diagnostic:
        """Return a diagnostic about the entry, or about what stands at `tokens` within it."""
        return self.file.problem(
            code,
            summary,
            mark=self.mark if mark is None else mark,
            tokens=(self.section, self.key, *tokens),
            detail=detail,
            severity=severity,
        )


class Declaration(Struct, frozen=True):
    """One or more agents as declared."""

    entry: Entry
    span: AgentRange
    team: str | None
    protected: bool


class FleetFile(Struct, frozen=True, kw_only=True):
    """Everything one fleet file declares."""

    profiles: tuple[Entry, ...]
    declarations: tuple[Declaration, ...]
    problems: tuple[Diagnostic, ...]
    complete: bool
    """Nothing that was written may be missing from here."""
    mentions_agents: bool
    """It tries to declare agents, well or badly."""


def collect(document: YamlDocument, problems: Sequence[Diagnostic]) -> FleetFile:
    """Return what `document` declares, in which these problems were found already."""
    pointers = [problem.pointer.split("/")[1:3] for problem in problems]
    faulty = {"/".join(("", *tokens)) for tokens in pointers if len(tokens) > 1}
    # Of what is beyond the bound nobody knows where it stands, so that no entry can be relied on.
    reading = _Reading(document, faulty=faulty, any_faulty=any(problem.code == FURTHER for problem in problems))
    return FleetFile(
        profiles=tuple(reading.profiles()),
        declarations=tuple(reading.declarations()),
        problems=tuple(reading.problems),
        mentions_agents=reading.mentions_agents or any(tokens[:1] == ["agents"] for tokens in pointers),
        complete=all(len(tokens) > 1 or tokens == ["team"] for tokens in pointers),
    )


class _Reading:
    """One document on its way to declarations."""

    def __init__(self, document: YamlDocument, *, faulty: set[str], any_faulty: bool) -> None:
        self._document = document
        self._root = document.value if isinstance(document.value, dict) else {}
        self._faulty, self._any_faulty = faulty, any_faulty
        self.mentions_agents = bool(self._root.get("agents"))
        self.problems: list[Diagnostic] = []

    def profiles(self) -> Iterator[Entry]:
        """Walk the profiles."""
        for key, value, mark in self._entries("profiles"):
            yield self._entry("profiles", key, value, mark)

    def declarations(self) -> Iterator[Declaration]:
        """Walk the agents, refusing ranges that are none."""
        default_team = _text(self._root.get("team"))
        for key, value, mark in self._entries("agents"):
            entry = self._entry("agents", key, value, mark)
            span = self._span(entry)
            if span is not None:
                settings = {} if entry.faulty else value
                team = settings.get("team", default_team)
                yield Declaration(entry, span, team, settings.get("protected", False))

    def _entries(self, section: str) -> Iterator[tuple[str, Any, int]]:
        entries = self._root.get(section)
        if isinstance(entries, dict):
            places = self._document.marks.of[id(entries)]
            for key, value in entries.items():
                yield key, value, places[key] >> SHIFT

    def _entry(self, section: str, key: str, value: Any, mark: int) -> Entry:
        faulty = self._any_faulty or (bool(self._faulty) and pointer((section, key)) in self._faulty)
        said = value if isinstance(value, dict) else {}
        places = self._document.marks.of[id(said)] if said else {}
        token = "profile" if section == "agents" else "extends"
        base = _text(said.get(token))
        base_mark = places[token] & _VALUE if base is not None else 0
        numbers = _NO_NUMBERS if faulty else self._numbers(said, places)
        return Entry(self._document.file, section, key, mark, base, base_mark, *numbers, faulty)

    def _numbers(self, said: dict[str, Any], places: dict[str, int]) -> _Numbers:
        value, channels = said.get("total"), said.get("channels")
        total, mark = (value, places["total"] & _VALUE) if type(value) is int else (None, 0)
        if not isinstance(channels, dict):
            return total, mark, {}, {}
        return total, mark, channels, self._document.marks.of[id(channels)]

    def _span(self, entry: Entry) -> AgentRange | None:
        try:
            return AgentRange.parse(entry.key)
        except ValueError:
            # Otherwise the schema has already said that the key is no agent id at all.
            if _DIGITS.fullmatch(entry.key):
                self.problems.append(_no_range(entry))
            return None


def _no_range(entry: Entry) -> Diagnostic:
    first, _, last = entry.key.partition("-")
    if last and int(last) < int(first):
        summary = f"the range {quote(entry.key)} runs downward; write '{last}-{first}'"
    else:
        verb = "begins" if last else "is"
        summary = f"{quote(entry.key)} {verb} below {MIN_AGENT_ID}, the lowest agent id"
    return entry.problem("invalid-agent-id", summary)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
