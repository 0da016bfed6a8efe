"""From a resolution to every agent.

Rules of this file: only for a resolution without problems: no overlap, nothing missing. Agents of whom the same is
desired share one value.
"""

from __future__ import annotations

from reconciler.desired.fleet.inheritance import Settings
from reconciler.desired.fleet.resolution import Quiet, Resolution
from reconciler.model.agent import AgentId
from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import DesiredAgent


def expand(resolution: Resolution) -> dict[AgentId, DesiredAgent]:
    """Return every agent."""
    sharing = _Sharing()
    expanded: dict[AgentId, DesiredAgent] = {}
    for quiet in resolution.quiet:
        alike = quiet.alike
        made = {text: sharing.quiet_agent(quiet, text) for text in alike.texts()}
        wanted = map(made.__getitem__, alike.columns.texts)
        expanded.update(zip(alike.agents(), alike.for_each_agent(wanted), strict=True))
    for agent in resolution.agents:
        declaration = agent.declaration
        desired = sharing.agent(agent.settings, declaration.team, protected=declaration.protected)
        expanded.update(dict.fromkeys(declaration.span, desired))
    return expanded


class _Sharing:
    """Equal values made once."""

    def __init__(self) -> None:
        self._by_settings: dict[int, Concurrency] = {}
        self._by_numbers: dict[tuple[int, tuple[tuple[str, int], ...]], Concurrency] = {}
        self._agents: dict[tuple[int, str | None, bool], DesiredAgent] = {}

    def quiet_agent(self, quiet: Quiet, text: str) -> DesiredAgent:
        """Return what is desired of whoever is declared by `text`."""
        protected = quiet.alike.models[text].declaration.protected
        return self.agent(quiet.settings[text], quiet.alike.team_of(text), protected=protected)

    def agent(self, settings: Settings, team: str | None, *, protected: bool) -> DesiredAgent:
        """Return what is desired, the same one each time it is the same."""
        concurrency = self._concurrency(settings)
        known = self._agents.get((id(concurrency), team, protected))
        if known is None:
            known = DesiredAgent(concurrency=concurrency, team=team, protected=protected)
            self._agents[id(concurrency), team, protected] = known
        return known

    def _concurrency(self, settings: Settings) -> Concurrency:
        # First by identity: settings live as long as the resolution does, and agents of one profile have the profile's.
        made = self._by_settings.get(id(settings))
        if made is None:
            made = self._by_settings[id(settings)] = self._make(settings)
        return made

    def _make(self, settings: Settings) -> Concurrency:
        if settings.total is None:
            raise ValueError("settings without a total are refused before they are expanded")
        numbers = settings.total.value, tuple((label, number.value) for label, number in settings.channels.items())
        concurrency = self._by_numbers.get(numbers)
        if concurrency is None:
            by_channel = {Channel.from_label(label): value for label, value in numbers[1]}
            concurrency = self._by_numbers[numbers] = Concurrency.of(settings.total.value, by_channel)
        return concurrency
