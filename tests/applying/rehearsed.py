"""An apply from the lock to the unlock against a rehearsal gateway: real HTTPS, real sessions file, real state file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.fleets import NO_GUARDRAILS, NOW, SITE, desired
from support.rehearsal import RehearsalServer

from reconciler.applying import ApplyReport, ApplyRequest, Stop, Surroundings, apply, read_session_keys
from reconciler.gateway import SessionSource, SignInAccess, open_access, open_source, with_overrides
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Desired, DesiredAgent
from reconciler.model.gateway_settings import GatewaySettings
from reconciler.model.outcome import Outcome
from reconciler.model.plan import Plan, PlanOptions
from reconciler.model.session_settings import FileSessions
from reconciler.model.sign_in_settings import SignInSessions
from reconciler.model.site import GuardrailSettings, Site
from reconciler.model.state import State
from reconciler.planning import make_plan
from reconciler.state import OS_FILES, Files, LockHolder, StateStore, open_local_store
from reconciler.values import replace

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
    force: bool = False
    """Whether `--force-sign-in` is given."""
    keep_alive_every: float = 30.0
    """Seconds between two signs of life of an agent whom the run has signed in."""
    stop: Stop | None = None
    """The switch of the run under way."""

    def sign_in(self, *agents: int) -> None:
        """Sign these agents in, and nobody else, and write the file of sessions."""
        (self.directory / "sessions.json").write_text(json.dumps(self.server.sign_in(agents)))

    def gateway(self, **settings: Any) -> GatewaySettings:
        usual: dict[str, Any] = {"requests_per_second": 1000, "timeout": 5}
        return GatewaySettings(url=self.server.url, ca_file=str(self.server.ca_file), **{**usual, **settings})

    def site(self, **settings: Any) -> Site:
        gateway = self.gateway()
        sessions = FileSessions(path="sessions.json")
        given = {"name": SITE, "gateway": gateway, "guardrails": self.guardrails, "sessions": sessions}
        return Site(**{**given, **settings})

    def desired(self, agents: Agents, **settings: Any) -> Desired:
        return desired(agents, at=self.site(**settings))

    def store(self) -> StateStore:
        return open_local_store(
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

    def source(self, site: Site) -> SessionSource:
        """The site's own source; agents may be signed in by it."""
        allowed = None
        if isinstance(site.sessions, SignInSessions):
            allowed = SignInAccess(
                gateway=site.gateway,
                access=open_access(site.gateway, root=self.directory, environ={}),
                table=with_overrides(site.retcodes),
                now=lambda: NOW,
                force=self.force,
                keep_alive_every=self.keep_alive_every,
            )
        return open_source(site.sessions, root=self.directory, environ={}, sign_in=allowed)

    def _surroundings(self, site: Site, on_outcome: Callable[[Outcome], None]) -> Surroundings:
        return Surroundings(
            store=self.store(),
            holder=HOLDER,
            source=self.source(site),
            access=open_access(site.gateway, root=self.directory, environ={}),
            now=lambda: NOW,
            monotonic=time.monotonic,
            chance=lambda: 0.5,
            session_keys=lambda agents: asyncio.run(read_session_keys(self.source(site), agents)),
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
