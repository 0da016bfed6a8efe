"""The page of a run: how it ended, what to do next, and what became of each agent."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Base
from reconciler.model.printable import printable
from reconciler.report.documents.outcomes import outcome_summary
from reconciler.report.grouping import RESULT_ORDER, OutcomeGroup, group_outcomes
from reconciler.report.html.changes import agents_words, group_line
from reconciler.report.html.columns import Column, Words
from reconciler.report.html.diagnostics import problem_sections
from reconciler.report.html.markup import Html, element
from reconciler.report.html.page import Section, Verdict, page
from reconciler.report.html.pieces import badge, paragraph, sentences, spoken, tiles
from reconciler.report.html.plan import going_back_sections
from reconciler.report.html.table import Table, table_markup
from reconciler.report.layout import counted
from reconciler.report.reported import OutcomeReport
from reconciler.report.text.outcome import NEXT_STEPS

_TROUBLE_FIRST = tuple(reversed(RESULT_ORDER))
_RANK = {result: place for place, result in enumerate(_TROUBLE_FIRST)}
_TROUBLE = (Result.IN_DOUBT, Result.FAILED)
_WAITING = (Result.DEFERRED, Result.SKIPPED)
_SHOWN_GROUPS = 100


def outcome_page(report: OutcomeReport) -> str:
    """Return the page of an apply or a rollback."""
    envelope, counts = report.envelope, outcome_summary(report.outcomes)
    site = "" if envelope.site is None else f" for site {printable(envelope.site, limit=60)}"
    numbers = [(spoken(result), counts[result]) for result in _TROUBLE_FIRST]
    return page(
        title=f"Outcome of {printable(envelope.command, limit=20)}{site}",
        verdict=_verdict(counts, len(report.outcomes), envelope.exit_reason),
        lead=[tiles(numbers)],
        facts=[*_facts(report), ("Calls", f"{counts['calls']:,}")],
        sections=[
            *_next_steps(report, counts),
            *_groups(group_outcomes(report.outcomes)),
            *going_back_sections(report.going_back),
            *problem_sections(envelope.diagnostics),
            *_each(report.outcomes),
        ],
    )


def _verdict(counts: dict[str, int], outcomes: int, exit_reason: str) -> Verdict:
    if not outcomes:
        return Verdict(tone="plain", words="There was nothing to do")
    interrupted = "Interrupted: " if exit_reason == "interrupted" else ""
    for tone, results in (("bad", _TROUBLE), ("warning", _WAITING)):
        found = [f"{counts[each]:,} {spoken(each)}" for each in results if counts[each]]
        if found:
            return Verdict(tone=tone, words=f"{interrupted}{', '.join(found)}, of {counted(outcomes, 'agent')}")
    if exit_reason not in ("", "done"):
        words = printable(exit_reason, limit=60).replace("-", " ").capitalize()
        tone = "warning" if interrupted else "bad"
        return Verdict(tone=tone, words=f"{words}, though all is well with {counted(outcomes, 'agent')}")
    return Verdict(tone="good", words=f"Done: {counted(outcomes, 'agent')}")


def _facts(report: OutcomeReport) -> list[tuple[str, str]]:
    envelope = report.envelope
    found = [
        ("Environment", envelope.environment or ""),
        ("Ended", f"exit {envelope.exit_code} ({envelope.exit_reason})" if envelope.exit_reason else ""),
        ("Planned against", _serial(report.base)),
        ("Recorded now", _serial(report.saved)),
        ("Way back", report.rollback_file or ""),
        ("Fingerprint", report.fingerprint),
    ]
    return [(name, printable(value)) for name, value in found if value]


def _serial(base: Base) -> str:
    return "" if base.lineage is None else f"serial {base.serial}"


def _next_steps(report: OutcomeReport, counts: dict[str, int]) -> list[Section]:
    steps = [NEXT_STEPS[result] for result in _TROUBLE_FIRST if counts[result] and result in NEXT_STEPS]
    if report.still_desired:
        whom = agents_words(report.still_desired)
        steps.append(f"the YAML still asks for something else, and the next apply would send it again: {whom}")
    return [Section(name="next", title="What to do next", content=[sentences(steps)])] if steps else []


def _groups(groups: Sequence[OutcomeGroup]) -> list[Section]:
    if not groups:
        return []
    ordered = sorted(groups, key=lambda group: _RANK[group.result])
    items = [element("li", _group(group)) for group in ordered[:_SHOWN_GROUPS]]
    content = [element("ul", *items, class_="groups")]
    rest = ordered[_SHOWN_GROUPS:]
    if rest:
        agents = sum(len(group.agents) for group in rest)
        content.append(
            paragraph(f"And {counted(len(rest), 'more answer')} for {counted(agents, 'agent')}, in the table below.")
        )
    return [Section(name="groups", title="What became of them, in groups", content=content)]


def _group(group: OutcomeGroup) -> Html:
    answer = [printable(group.retcode or "", limit=40), printable(group.message)]
    words = element("span", ": ".join([str(group.action), *filter(None, answer)]), class_="edits")
    return group_line(badge(spoken(group.result)), group.agents, [words])


def _each(outcomes: Sequence[Outcome]) -> list[Section]:
    if not outcomes:
        return []
    ordered = sorted(outcomes, key=lambda each: (_RANK[each.result], each.agent))
    columns = (
        Column(name="agent", label="Agent", cells=tuple(each.agent for each in ordered)),
        Column(
            name="result",
            label="Outcome",
            cells=Words.of((spoken(each.result),) for each in ordered),
            choice="every outcome",
            badges=True,
        ),
        Column(
            name="action",
            label="Action",
            cells=Words.of((str(each.action),) for each in ordered),
            choice="every action",
        ),
        Column(
            name="retcode",
            label="Retcode",
            cells=Words.of(((each.retcode,) if each.retcode else () for each in ordered), limit=40),
            choice="every retcode",
        ),
        Column(
            name="message", label="Message", cells=Words.of((each.message,) if each.message else () for each in ordered)
        ),
        Column(name="attempts", label="Attempts", cells=tuple(each.attempts for each in ordered)),
    )
    hint = "agent, word or 1003-1050"
    table = Table(name="outcomes", caption="What became of every agent", noun="outcome", hint=hint, columns=columns)
    return [Section(name="outcomes", title="Every agent", content=table_markup(table))]
