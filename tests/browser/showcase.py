"""Reports worth looking at: a floor of five teams whose plan a guardrail refuses, its run, and files with mistakes.

They are what docs/images shows, and what the tests in a browser open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from report.examples import DIAGNOSTICS, fates
from support.fleets import agent_range, concurrency, declared, desired, desired_agent, origins, record, site, state

from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Declared, DesiredAgent, Source
from reconciler.model.diagnostic import Severity
from reconciler.model.estimate import Estimate
from reconciler.model.plan import Plan
from reconciler.model.site import GuardrailSettings
from reconciler.model.state import AgentRecord
from reconciler.planning import make_plan
from reconciler.report.reported import Envelope, OutcomeReport, PlanReport, ProblemReport, Reported
from reconciler.values import replace

ENVELOPE = Envelope(
    command="plan",
    environment="desired/demo",
    site="demo",
    exit_code=5,
    exit_reason="refused-by-guardrail",
    diagnostics=tuple(each for each in DIAGNOSTICS if each.severity is Severity.WARNING),
)

_SENIOR = concurrency(12, web_chat=6, sms=4, email=6)
_SOCIAL = concurrency(10, whatsapp=5, facebook=4, instagram=3)
_NIGHT = concurrency(10, web_chat=8, sms=2)
_VIP = concurrency(6, web_chat=3, whatsapp=3)
_MAIL = concurrency(8, email=8)

_LINES = {"total": 3, "email": 4, "web_chat": 5, "sms": 6, "facebook": 7, "whatsapp": 8, "instagram": 9}


def _teams() -> Iterator[tuple[str, range, Concurrency, Concurrency]]:
    """Yield each team with its agents, what is recorded of them and what is desired."""
    yield "east", range(1001, 1121), _SENIOR, concurrency(12, web_chat=6, sms=4, email=7)
    yield "night", range(2001, 2091), _NIGHT, concurrency(8, web_chat=5, sms=2)
    yield "social", range(3001, 3061), _SOCIAL, concurrency(10, whatsapp=6, facebook=4)
    yield "vip", range(4001, 4013), _VIP, _VIP
    yield "mail", range(5001, 5041), _MAIL, _MAIL


def _place(wanted: DesiredAgent) -> Declared:
    fields = origins(wanted.concurrency)
    lines = {name: Source("profiles.yaml", 10 + line) for name, line in _LINES.items() if name in fields}
    return declared(wanted.concurrency, Source(f"agents/{wanted.team}.yaml", 4), **lines)


@cache
def floor() -> Plan:
    """Three hundred agents: a weak night shift, a channel closed, four leave, six come, four move, and an exception."""
    recorded: dict[int, Concurrency | AgentRecord] = {}
    wanted: dict[int, DesiredAgent] = {}
    for team, agents, before, after in _teams():
        recorded |= {agent: record(before, team=team) for agent in agents}
        wanted |= {agent: desired_agent(after, team=team) for agent in agents}
    for agent in (1007, 1019, 1020, 5003):
        del wanted[agent]
    wanted |= {agent: desired_agent(_SENIOR, team="east") for agent in range(1121, 1127)}
    wanted[4002] = desired_agent(concurrency(6, web_chat=0, whatsapp=3), team="vip")
    wanted |= {agent: desired_agent(_MAIL, team="night") for agent in range(5010, 5014)}
    limits = GuardrailSettings(
        max_changed_percent=30, min_population=10, max_to_zero=10, protected_agents=(agent_range("4001-4012"),)
    )
    places = {agent: _place(each) for agent, each in wanted.items()}
    at = site(guardrails=limits, url="https://gateway.example:8043")
    return make_plan(desired(wanted, at=at, places=places), state(recorded))


def plan_report() -> PlanReport:
    plan = floor()
    estimate = Estimate(calls=len(plan.calls), concurrency=4, requests_per_second=20)
    return PlanReport(envelope=ENVELOPE, plan=plan, unchanged=len(plan.unchanged), estimate=estimate)


def outcome_report() -> OutcomeReport:
    plan = floor()
    return OutcomeReport(
        envelope=replace(ENVELOPE, command="apply", exit_code=8, exit_reason="some-agents-failed", diagnostics=()),
        outcomes=fates(plan),
        fingerprint=plan.fingerprint,
        base=plan.base,
        saved=replace(plan.base, serial=plan.base.serial + 1),
        rollback_file="rollback-demo-7.json",
    )


def problem_report() -> ProblemReport:
    envelope = replace(ENVELOPE, command="validate", exit_code=3, exit_reason="invalid-input", diagnostics=DIAGNOSTICS)
    return ProblemReport(envelope=envelope)


def refused_report() -> ProblemReport:
    """An apply that a guardrail stopped, of a plan that has changed since it was reviewed."""
    plan = floor()
    return ProblemReport(
        envelope=replace(ENVELOPE, command="apply", diagnostics=()),
        notes=("- agent 1007: forget", "+ agent 1008: set email 6 → 7"),
        fingerprint=plan.fingerprint,
        findings=plan.findings,
    )


PAGES: Mapping[str, Callable[[], Reported]] = {
    "plan": plan_report,
    "outcome": outcome_report,
    "problems": problem_report,
    "refused": refused_report,
}
"""Every kind of page, by name."""
