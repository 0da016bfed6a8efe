"""The outcome of an apply as text. Its last line is a summary that `grep '^Apply:'` finds.

Trouble stands last, next to that line; its agents are listed far longer than those of whom nothing more is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.agent import AgentId
from reconciler.model.outcome import Outcome, Result
from reconciler.model.printable import printable
from reconciler.report.documents.outcomes import outcome_summary
from reconciler.report.grouping import RESULT_ORDER, OutcomeGroup, group_outcomes
from reconciler.report.layout import FEW_RANGES, agent_lines, hang, named_agents, paint
from reconciler.report.style import Role, Style

_SHOWN_GROUPS = 10
"""Of one result. A gateway that puts the agent's id into its message makes a group of each agent."""
_MANY_RANGES = 40

_ROLES = {
    Result.APPLIED: Role.GOOD,
    Result.FORGOTTEN: Role.GOOD,
    Result.SKIPPED: Role.WARNING,
    Result.DEFERRED: Role.WARNING,
    Result.FAILED: Role.BAD,
    Result.IN_DOUBT: Role.BAD,
}
_SHOWN_RANGES = {Result.DEFERRED: _MANY_RANGES, Result.FAILED: _MANY_RANGES, Result.IN_DOUBT: _MANY_RANGES}
NEXT_STEPS = {
    Result.SKIPPED: "skipped: the run stopped first and nothing was sent; what is still due stands in the next plan",
    Result.DEFERRED: "deferred: no live session was found or accepted; apply again once they have signed in",
    Result.FAILED: "failed: not taken, so the record stays as it was; what is still due stands in the next plan",
    Result.IN_DOUBT: "in doubt: sent, and no answer came; the next plan sends it again",
}


def outcome_text(site: str, outcomes: Sequence[Outcome], *, style: Style) -> str:
    """Return the outcome table, ending in a newline; equal outcomes share a row."""
    groups = group_outcomes(outcomes)
    sections = (
        [style(Role.HEADING, f"outcome for site {printable(site, limit=60)}")],
        _table(groups, style) or ["there was nothing to do"],
        [words for result, words in NEXT_STEPS.items() if any(group.result is result for group in groups)],
        [summary_line(outcomes)],
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def summary_line(outcomes: Sequence[Outcome]) -> str:
    """Return the counts in one line, without commas: programs look for it."""
    counts = outcome_summary(outcomes)
    calls = counts.pop("calls")
    words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    return f"Apply: {words}; {calls} call{'' if calls == 1 else 's'}."


def _table(groups: Sequence[OutcomeGroup], style: Style) -> list[str]:
    entries = [entry for result in RESULT_ORDER for entry in _entries(result, groups)]
    width = max((len(named_agents(agents)) for _, agents, _ in entries), default=0)
    return [
        line for result, agents, words in entries for line in _entry(result, agents, words, width=width, style=style)
    ]


def _entries(result: Result, groups: Sequence[OutcomeGroup]) -> Iterable[tuple[Result, Sequence[AgentId], str]]:
    """Yield result, agents and words of each row; what would be too many rows is one."""
    mine = [group for group in groups if group.result is result]
    shown = mine if len(mine) <= _SHOWN_GROUPS + 1 else mine[:_SHOWN_GROUPS]
    for group in shown:
        said = (printable(group.retcode or "", limit=40), printable(group.message))
        yield result, group.agents, "  ".join([str(group.action), *(part for part in said if part)])
    rest = mine[len(shown) :]
    if rest:
        agents = sorted(agent for group in rest for agent in group.agents)
        yield result, agents, f"with {len(rest)} other answers, which the JSON document tells one by one"


def _entry(result: Result, agents: Sequence[AgentId], words: str, *, width: int, style: Style) -> list[str]:
    name = str(result).replace("_", " ")
    head = f"{name:<9}  {named_agents(agents):<{width}}  "
    lines = paint(hang(head, words.split(" "), indent=len(head), separator=" "), _ROLES[result], style)
    shown = _SHOWN_RANGES.get(result, FEW_RANGES)
    return lines + agent_lines(agents, indent=len(head), style=style, shown=shown)
