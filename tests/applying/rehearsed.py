"""An apply from the lock to the unlock against a rehearsal gateway: real HTTPS, real sessions file, real state file."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from support.fleets import NO_GUARDRAILS, NOW, SITE, desired
from support.rehearsal import RehearsalServer

from reconciler.applying import ApplyReport, ApplyRequest, Stop, Surroundings, apply
from reconciler.gateway import open_source
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.session_settings import FileSessions
from reconciler.model.site import GatewaySettings, GuardrailSettings, Site
from reconciler.model.state import State
from reconciler.planning import make_plan
from reconciler.state import OS_FILES, Files, LockHolder, StateStore

HOLDER = LockHolder(id="run-1", who="tester@here", operation="apply", since=NOW)

Agents = Mapping[int, Concurrency | DesiredAgent]


@dataclass
class Office:
    """One environment's directory, and the rehearsal gateway it talks to."""

    server: RehearsalServer
    directory: Path
    guardrails: GuardrailSettings = NO_GUARDRAILS
    files: Files = OS_FILES
    answer: bool = True
    """What is answered when approval is asked for."""
    asked: list[Plan] = field(default_factory=list)
    """The plans that approval was asked for."""
    stop: Stop | None = None
    """The switch of the run under way."""

    def sign_in(self, *agents: int) -> None:
        """Sign these agents in, and nobody else, and write the file of sessions."""
        (self.directory / "sessions.json").write_text(json.dumps(self.server.sign_in(agents)))

    def site(self, **settings: Any) -> Site:
        gateway = GatewaySettings(url=self.server.url, requests_per_second=1000, timeout=5)
        given = {"name": SITE, "gateway": gateway, "guardrails": self.guardrails}
        return Site(sessions=FileSessions(path="sessions.json"), **{**given, **settings})

    def desired(self, agents: Agents, **settings: Any) -> Desired:
        return desired(agents, at=self.site(**settings))

    def store(self) -> StateStore:
        return StateStore(
            self.directory / "state.json",
            site=SITE,
            clock=lambda: NOW,
            new_lineage=lambda: str(uuid.uuid4()),
            files=self.files,
            display="state.json",
        )

    def state(self) -> State:
        return self.store().read()

    def plan(self, wanted: Desired, options: PlanOptions | None = None) -> Plan:
        return make_plan(wanted, self.state(), options)

    def apply(
        self,
        wanted: Desired,
        *,
        on_outcome: Callable[[Outcome], None] = lambda _: None,
        around: Mapping[str, Any] | None = None,
        **request: Any,
    ) -> ApplyReport:
        """Apply; `request` and `around` are further fields of `ApplyRequest` and `Surroundings`."""
        asking = {"options": PlanOptions(), "first_backoff": 1e-3, **request}
        surroundings = replace(self._surroundings(wanted.site, on_outcome), **(around or {}))
        return apply(ApplyRequest(desired=wanted, **asking), surroundings)

    def calls(self) -> int:
        """How many calls the gateway has seen in all."""
        return int(str(self.server.call(lambda gateway: gateway.requests_document())["total"]))

    def calls_of(self) -> dict[int, int]:
        agents = self.server.call(lambda gateway: gateway.requests_document())["agents"]
        assert isinstance(agents, dict)
        return {int(agent): count for agent, count in agents.items()}

    def live(self) -> dict[int, dict[str, int]]:
        """Each agent's live channels, by code."""
        document: dict[str, Any] = self.server.call(lambda gateway: gateway.agents_document())
        return {int(agent): dict(numbers["channels"]) for agent, numbers in document.items()}

    def names(self) -> set[str]:
        return {path.name for path in self.directory.iterdir()}

    def _surroundings(self, site: Site, on_outcome: Callable[[Outcome], None]) -> Surroundings:
        return Surroundings(
            store=self.store(),
            holder=HOLDER,
            source=open_source(site.sessions, root=self.directory, environ={}),
            ca_file=self.server.ca_file,
            now=lambda: NOW,
            monotonic=time.monotonic,
            chance=lambda: 0.5,
            approve=self._approve,
            on_outcome=on_outcome,
            watch_signals=self._watch,
            rescue_directory=self.directory,
        )

    def _approve(self, plan: Plan) -> bool:
        self.asked.append(plan)
        return self.answer

    @contextlib.contextmanager
    def _watch(self, stop: Stop) -> Iterator[None]:
        self.stop = stop
        yield
