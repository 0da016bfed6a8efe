"""Reports to be written as Markdown: those a reviewer meets, and those that somebody made to do harm."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from report.examples import DIAGNOSTICS, PLANS, fates, written_by_others
from support.fleets import POOL, agent_id, records

from reconciler.model.attendance import Waits
from reconciler.model.capacity import Capacity
from reconciler.model.channel import Channel
from reconciler.model.desired import Source
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.model.estimate import Estimate
from reconciler.model.going_back import GoingBack
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, Base, GuardrailFinding, Plan
from reconciler.report.reported import Envelope, OutcomeReport, PlanReport, ProblemReport, Reported
from reconciler.values import replace

DIRECTORY = "desired/demo"
MARK = "Qj9Qj"
"""Stands in every hostile text, and in none of ours."""

HARM = (
    *("@octocat", "@example/floor", "#1", "GH-1", "example/site#1", "!1", "%milestone", "%1", "~label", "&1", "$1"),
    *("da39a3ee5e6b4b0d3255bfef95601890afd80709", "[[page]]", "[^1]", "[x]: https://evil.example", "[x]"),
    *("https://evil.example", "www.evil.example", "mailto:a@evil.example", "a@evil.example", "<https://evil.example>"),
    *("[x](https://evil.example)", "![x](https://evil.example/x.png)", ":tada:", "$x$", "$$x$$", "$`x`$", "{+ x +}"),
    *("|", "\\|", "\\", "| a |\n|---|\n| b |", "`", "``", "`" * 90, "```\n", "~~~", "~~x~~", "**x**", "_x_", "***"),
    *(
        "<script>",
        "<img src=x>",
        "<!-- reconciler -->",
        "-->",
        "</details>",
        "</td></tr></table>",
        "&lt;b&gt;",
        "&#64;x",
    ),
    *("/close", "\n/close\n", "\n\n# x", "\n- [ ] x", "    x", "\t", " ", "\r\n", "\x1b[31m", "\x00", "\ud800"),
    *("\u202e", "\u200b", "\u2028", "\u00a0", "::error::x", "##[error]x", "x" * 400, "é" * 300, "漢" * 300, "😀" * 300),
)

_harm = st.lists(st.sampled_from(HARM) | st.text(max_size=5), max_size=4).map("".join)
hostile = st.builds("{}{}{}".format, _harm, st.just(MARK), _harm) | st.sampled_from(HARM) | _harm
"""Text that a host or a parser would make something of."""


def plan_report(name: str, **more: Any) -> PlanReport:
    """The report of one of `PLANS`; `more` are other fields of the plan."""
    plan = replace(PLANS[name](), **more)
    envelope = Envelope(
        command="plan",
        environment=DIRECTORY,
        site=plan.site,
        exit_code=5 if plan.refusals else 0,
        exit_reason="refused-by-guardrail" if plan.refusals else "done",
    )
    estimate = Estimate(calls=len(plan.calls), concurrency=4, requests_per_second=20.0)
    return PlanReport(envelope=envelope, plan=plan, unchanged=len(plan.unchanged), estimate=estimate)


def with_texts(report: PlanReport, text: str) -> PlanReport:
    """The same plan, in which everything that others name is called `text`."""
    plan = report.plan
    source = Source(text, 7)
    changes = [
        replace(change, team=text, source=source, edits=tuple(replace(edit, cause=source) for edit in change.edits))
        for change in plan.changes
    ]
    diagnostic = Diagnostic(path=text, line=1, code=text, summary=text, detail=text, pointer=text)
    return replace(
        report,
        envelope=replace(report.envelope, environment=text, site=text, exit_reason=text, diagnostics=(diagnostic,)),
        plan=replace(
            plan,
            site=text,
            url=text,
            fingerprint=text,
            changes=tuple(changes),
            findings=tuple(replace(each, guardrail=text, planned=text, limit=text) for each in plan.findings),
            options=replace(plan.options, scope=replace(plan.options.scope, teams=(text,) * 20)),
            capacity=(capacity_row(text, Channel.SMS, 9, 8), capacity_row(text, None, 9, 8)),
        ),
    )


def outcome_report(name: str) -> OutcomeReport:
    plan = PLANS[name]()
    return OutcomeReport(
        envelope=Envelope(
            command="apply", environment=DIRECTORY, site="demo", exit_code=8, exit_reason="some-agents-failed"
        ),
        outcomes=fates(plan),
        fingerprint=plan.fingerprint,
        base=plan.base,
        saved=Base(lineage=plan.base.lineage, serial=plan.base.serial + 1),
        rollback_file="rollback-demo-7.json",
    )


def problem_report() -> ProblemReport:
    return ProblemReport(
        envelope=Envelope(
            command="validate",
            environment=DIRECTORY,
            exit_code=3,
            exit_reason="invalid-input",
            diagnostics=DIAGNOSTICS,
        )
    )


def capacity_row(team: str | None, channel: Channel | None, before: int, after: int) -> Capacity:
    return Capacity(
        team=team,
        channel=channel,
        before=before,
        after=after,
        agents_before=min(before, 1),
        agents_after=min(after, 1),
        at_zero=0 if after else 1,
        bound=0,
        effective_before=before,
        effective_after=after,
    )


_numbers = st.integers(0, 6_000_000)
capacities = st.lists(
    st.builds(capacity_row, st.none() | hostile, st.none() | st.sampled_from(Channel), _numbers, _numbers), max_size=5
).map(tuple)
diagnostics = st.lists(
    st.builds(
        Diagnostic,
        path=hostile,
        line=st.integers(0, 9),
        column=st.integers(0, 9),
        severity=st.sampled_from(Severity),
        code=hostile,
        summary=hostile,
        detail=hostile,
        pointer=hostile,
    ),
    max_size=3,
).map(tuple)
envelopes = st.builds(
    Envelope,
    command=hostile,
    environment=st.none() | hostile,
    site=st.none() | hostile,
    exit_code=st.integers(0, 10),
    exit_reason=hostile,
    diagnostics=diagnostics,
)
_agents = st.lists(st.sampled_from(POOL), unique=True).map(tuple)
findings = st.lists(
    st.builds(
        GuardrailFinding, guardrail=hostile, planned=hostile, limit=hostile, agents=_agents.map(sorted).map(tuple)
    ),
    max_size=5,
).map(tuple)
ways_back = st.none() | st.builds(
    GoingBack,
    left_by=hostile,
    begun_at=hostile,
    finished=st.booleans(),
    restored=st.dictionaries(st.sampled_from(POOL), records, max_size=2),
    unknown=_agents,
    changed_since=_agents,
)
estimates = st.none() | st.just(Estimate(calls=3, concurrency=4, requests_per_second=20.0, run_deadline=0.01))


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    plan = draw(written_by_others(hostile))
    return replace(
        plan,
        fingerprint=draw(hostile),
        base=Base(lineage=draw(st.none() | hostile), serial=draw(st.integers(0, 999_999))),
        capacity=draw(capacities),
        findings=draw(st.just(plan.findings) | findings),
        going_back=draw(ways_back),
        waits=draw(st.none() | st.builds(Waits, agents=st.just(POOL[:2]), since=hostile)),
    )


_outcomes = st.lists(
    st.tuples(st.sampled_from(Action), st.sampled_from(Result), st.none() | hostile, hostile, st.integers(0, 3)),
    max_size=8,
).map(
    lambda told: tuple(
        Outcome(agent=agent_id(1001 + number), action=action, result=result, retcode=code, message=said, attempts=calls)
        for number, (action, result, code, said, calls) in enumerate(told)
    )
)
_notes = st.lists(hostile, max_size=4).map(tuple)
_bases = st.builds(Base, lineage=st.none() | hostile, serial=st.integers(0, 999_999))


def _built(kind: type[Reported], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Reported]:
    # Not by `builds`, which asks a struct for the types of its fields: some are imported for type checkers only.
    return st.fixed_dictionaries(fields).map(lambda given: kind(**given))


hostile_reports: st.SearchStrategy[Reported] = st.one_of(
    _built(PlanReport, envelope=envelopes, plan=_plans(), unchanged=st.integers(0, 900_000), estimate=estimates),
    _built(
        OutcomeReport,
        envelope=envelopes,
        outcomes=_outcomes,
        fingerprint=hostile,
        base=_bases,
        saved=_bases,
        rollback_file=st.none() | hostile,
        going_back=ways_back,
        still_desired=st.none() | _agents,
    ),
    _built(
        ProblemReport,
        envelope=envelopes,
        notes=_notes,
        agents=st.none() | st.integers(0, 900_000),
        teams=st.none() | st.integers(0, 900),
        findings=findings,
        going_back=ways_back,
    ),
)
"""Reports in which every text that comes from elsewhere means harm."""
