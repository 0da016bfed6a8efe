"""Where agents were declared: worked out when somebody asks, since that is for one agent in a hundred."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from reconciler.desired.fleet.alike import Alike
from reconciler.desired.fleet.inheritance import Settings, Written
from reconciler.desired.fleet.resolution import Quiet, Resolution, Resolved
from reconciler.model.agent import AgentId
from reconciler.model.desired import Declared, Source


class Whereabouts(Mapping[AgentId, Declared]):
    """Of every agent of a resolution without problems, the place where it was declared."""

    def __init__(self, resolution: Resolution) -> None:
        """Take the resolution."""
        origins = _SharedOrigins()
        self._blocks: list[_Block | _QuietBlock] = [
            *(_QuietBlock(quiet, origins) for quiet in resolution.quiet),
            *(_Block(agent, origins) for agent in resolution.agents),
        ]
        self._block_of: dict[AgentId, int] = {}

    def __getitem__(self, agent: AgentId) -> Declared:
        """Return where `agent` was declared; the same object for all agents of one declaration."""
        return self._blocks[self._index()[agent]].declared(agent)

    def __iter__(self) -> Iterator[AgentId]:
        """Walk the agents."""
        return iter(self._index())

    def __len__(self) -> int:
        """Count the agents."""
        return len(self._index())

    def _index(self) -> dict[AgentId, int]:
        if not self._block_of:
            for number, block in enumerate(self._blocks):
                self._block_of.update(dict.fromkeys(block.agents(), number))
        return self._block_of


class _Block:
    """One declaration."""

    def __init__(self, resolved: Resolved, origins: _SharedOrigins) -> None:
        self._resolved = resolved
        self._origins = origins
        self._declared: Declared | None = None

    def agents(self) -> Iterator[AgentId]:
        return iter(self._resolved.declaration.span)

    def declared(self, _agent: AgentId) -> Declared:
        if self._declared is None:
            entry = self._resolved.declaration.entry
            origins = self._origins.of(self._resolved.settings)
            self._declared = Declared(source=entry.file.source(entry.mark), origins=origins)
        return self._declared


class _QuietBlock:
    """The quiet entries of one file."""

    def __init__(self, quiet: Quiet, origins: _SharedOrigins) -> None:
        self._quiet = quiet
        self._origins = origins
        self._rows: list[int] = []
        """The entries in order of their ids."""
        self._declared: dict[int, Declared] = {}

    def agents(self) -> Iterator[AgentId]:
        return self._quiet.alike.agents()

    def declared(self, agent: AgentId) -> Declared:
        firsts: Sequence[int] = self._quiet.alike.columns.firsts
        if not self._rows:
            self._rows = sorted(range(len(firsts)), key=firsts.__getitem__)
        row = self._rows[bisect_right(self._rows, int(agent), key=firsts.__getitem__) - 1]
        known = self._declared.get(row)
        if known is None:
            known = self._declared[row] = self._declare(row)
        return known

    def _declare(self, row: int) -> Declared:
        alike = self._quiet.alike
        text = alike.columns.texts[row]
        settings, entry = self._quiet.settings[text], alike.models[text].declaration.entry
        if entry.gives_numbers:
            origins = _Origins(settings, partial(_source, alike, row))
        else:
            origins = self._origins.of(settings)
        return Declared(source=alike.file.source(alike.columns.marks[row]), origins=origins)


def _source(alike: Alike, row: int, written: Written) -> Source:
    """Return where a number of the entry in `row` was written: there, if it is the model that gives it."""
    if written.entry is alike.models[alike.columns.texts[row]].declaration.entry:
        return alike.file.source(alike.moved(row, written.mark))
    return written.source()


class _SharedOrigins:
    """One object for all agents who have the same settings, which are a profile's."""

    def __init__(self) -> None:
        self._known: dict[int, _Origins] = {}

    def of(self, settings: Settings) -> _Origins:
        known = self._known.get(id(settings))  # settings live as long as the resolution does
        if known is None:
            known = self._known[id(settings)] = _Origins(settings, Written.source)
        return known


class _Origins(Mapping[str, Source]):
    """Where each number was written."""

    __slots__ = ("_place", "_written")

    def __init__(self, settings: Settings, place: Callable[[Written], Source]) -> None:
        total = {} if settings.total is None else {"total": settings.total}
        self._written: Mapping[str, Written] = {**total, **settings.channels}
        self._place = place

    def __getitem__(self, name: str) -> Source:
        return self._place(self._written[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._written)

    def __len__(self) -> int:
        return len(self._written)

    def __repr__(self) -> str:
        return repr(dict(self))
