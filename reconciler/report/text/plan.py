"""A plan as text for a terminal or a log. Its last line is a summary that `grep '^Plan:'` finds.

From top to bottom: what is compared with what, and what is not known; what happens to each team's capacity; the
changes, the dangerous ones first; who changes the team; the guardrails; what an apply would touch and what it would
leave alone. Who has ten seconds reads the capacity, or the last screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.agent import AgentId, AgentRange, summarise_agents
from reconciler.model.changed_since import ChangedSince
from reconciler.model.desired import Source
from reconciler.model.estimate import Estimate
from reconciler.model.plan import Action, GuardrailFinding, Plan, PlanOptions, Reason, Scope
from reconciler.model.printable import printable
from reconciler.report.capacity_sums import team_words
from reconciler.report.change_words import deed_words, value_words
from reconciler.report.grouping import ChangeGroup, Danger, group_plan
from reconciler.report.layout import (
    append_place,
    counted,
    hang,
    named_agents,
    paint,
    range_words,
    span_words,
)
from reconciler.report.plan_facts import fact_lines
from reconciler.report.style import Role, Style
from reconciler.report.text.attendance import knowledge_lines
from reconciler.report.text.capacity import capacity_lines
from reconciler.report.text.going_back import going_back_heading, going_back_lines, unfinished_lines
from reconciler.report.text.standing import standing_lines

_SHOWN_PLACES = 3
_SHORT_HASH = 12
_SHOWN_TEAMS = 4
_TEAM = 30
_BOLDEST = (Danger.TO_ZERO, Danger.PROTECTED, Danger.REMOVED)

_MARKS = {
    Action.SET: ("~", Role.CHANGED),
    Action.REASSERT: ("=", Role.REPEATED),
    Action.FORGET: ("-", Role.REMOVED),
    Action.RESET: ("-", Role.REMOVED),
}
_REASON_MARKS = {
    Reason.NEW: ("+", Role.ADDED),
    Reason.KEY_SPELLING: ("=", Role.REPEATED),
}


def plan_text(plan: Plan, *, unchanged: int, style: Style, estimate: Estimate | None = None) -> str:
    """Return `plan` as text, ending in a newline.

    Args:
        plan: fresh or read from a file.
        unchanged: how many agents have nothing to do (a plan from a file knows only their number).
        style: paints, or does not.
        estimate: how long it would take, where the site's pace is known.
    """
    sections = (
        _heading(plan, style),
        capacity_lines(plan, style),
        _changes(plan, style),
        standing_lines(plan.standing, style),
        [] if plan.going_back is None else going_back_lines(plan.going_back, style),
        _findings(plan.findings, len(plan.changes), style),
        [
            *fact_lines(plan, unchanged=unchanged, estimate=estimate),
            *_fingerprint(plan, style),
            summary_line(plan, unchanged),
        ],
    )
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def summary_line(plan: Plan, unchanged: int) -> str:
    """Return the counts in one line, without commas: programs look for it."""
    counts = ", ".join(f"{plan.count(action)} {action}" for action in _MARKS)
    return f"Plan: {counts}, {unchanged} unchanged; {len(plan.calls)} call{_s(len(plan.calls))}."


def scope_words(scope: Scope) -> list[str]:
    """Return a partial scope in words."""
    teams = [printable(team, limit=60) for team in scope.teams]
    kinds = [
        (f"only team{_s(len(teams))} ", teams),
        (f"only agent{_s(_size(scope.agents))} ", range_words(scope.agents)),
        (f"only channel{_s(len(scope.channels))} ", [channel.label for channel in scope.channels]),
        (f"without agent{_s(_size(scope.excluded))} ", range_words(scope.excluded)),
    ]
    return [*changed_words(scope.changed), *(name + ", ".join(words) for name, words in kinds if words)]


def changed_words(changed: ChangedSince | None) -> list[str]:
    """Return whom a comparison with an earlier revision leaves, in words; nothing where there was none."""
    if changed is None:
        return []
    than = printable(changed.revision, limit=60)
    if changed.commit != changed.revision:
        than += f" (at {printable(changed.commit[:_SHORT_HASH])})"
    if changed.everybody:
        return [f"everybody counts as changed since {than}: {printable(changed.everybody, limit=200)}"]
    if not changed.agents:
        return [f"nobody's desired values differ from {than}"]
    who = "agent whose desired values differ" if changed.count == 1 else "agents whose desired values differ"
    return [f"only {changed.count} {who} from {than}"]


def _heading(plan: Plan, style: Style) -> list[str]:
    site = printable(plan.site, limit=60)
    if plan.going_back is None:
        lines = [style(Role.HEADING, f"plan for site {site}: desired values against what was last recorded")]
    else:
        lines = [style(Role.HEADING, going_back_heading(site, plan.going_back))]
        lines += unfinished_lines(plan.going_back, style)
    lines += knowledge_lines(plan)
    lines += [f"asked for: {words}" for words in _option_words(plan.options)]
    if plan.options.scope.changed is not None and not plan.options.scope.partial:
        lines += paint(hang("", changed_words(plan.options.scope.changed), indent=4), Role.WARNING, style)
    if plan.options.scope.partial:
        words = [*scope_words(plan.options.scope), "no other agent was looked at"]
        lines += paint(hang("partial: ", words, indent=9, separator="; "), Role.WARNING, style)
    return lines


def _option_words(options: PlanOptions) -> Iterable[str]:
    if options.reassert_all:
        yield "every agent is sent its values again, also where nothing differs"
    elif options.reassert_older_than is not None:
        age = span_words(options.reassert_older_than)
        yield f"what was acknowledged more than {age} before {printable(options.at or 'now', limit=40)} is sent again"


def _changes(plan: Plan, style: Style) -> list[str]:
    groups = group_plan(plan)
    width = max((len(_named(group)) for group in groups), default=0)
    return [line for group in groups for line in _group(group, width, style)]


def _group(group: ChangeGroup, width: int, style: Style) -> list[str]:
    mark, role = _REASON_MARKS.get(group.reason) or _MARKS[group.action]
    head = f"{mark} {_named(group):<{width}}  "
    first, *rest = value_words(group)
    words = deed_words(group) + first
    plain = hang(head, [f"protected: {words}" if group.protected else words, *rest], indent=len(head))
    lines = paint(plain, Role.REMOVED if group.danger in _BOLDEST else role, style)
    append_place(lines, _places(group.causes), indent=len(head), style=style, plain=plain[-1])
    return lines + _members(group, indent=len(head), style=style)


def _named(group: ChangeGroup) -> str:
    """Name one agent with the team, and count several."""
    name = named_agents(group.agents)
    return f"{name} ({printable(team_words(group.teams[0]), limit=_TEAM)})" if len(group.agents) == 1 else name


def _members(group: ChangeGroup, *, indent: int, style: Style) -> list[str]:
    """Return the lines that name the teams and the agents of several."""
    if len(group.agents) == 1:
        return []
    teams = [printable(team_words(team), limit=_TEAM) for team in group.teams[:_SHOWN_TEAMS]]
    rest = len(group.teams) - _SHOWN_TEAMS
    whose = ", ".join([*teams, *([f"and {counted(rest, 'more team')}"] if rest > 0 else [])])
    ranges = range_words(summarise_agents(group.agents))
    return paint(hang(" " * indent + f"{whose}: ", ranges, indent=indent), Role.PLACE, style)


def _places(causes: Sequence[Source]) -> str:
    places = ", ".join(printable(str(cause), limit=120) for cause in causes[:_SHOWN_PLACES])
    rest = len(causes) - _SHOWN_PLACES
    return f"{places}, and {counted(rest, 'more line')}" if rest > 0 else places


def _findings(findings: tuple[GuardrailFinding, ...], changes: int, style: Style) -> list[str]:
    seen: set[tuple[AgentId, ...]] = {()}
    lines: list[str] = []
    for finding in findings:
        lines += _finding(finding, changes, style)
        if finding.agents not in seen:  # the percentage and the count mean the same agents: once is enough
            lines += _meant(finding.agents, style)
            seen.add(finding.agents)
    refusing = {finding.guardrail for finding in findings if not finding.lifted}
    if refusing == {"allow_changes"}:
        remedy = f"refused. Leave --allow-changes out, or approve this plan: --allow-changes {changes}"
    else:
        remedy = f"refused. If all of it is meant, approve exactly this many changes: --allow-changes {changes}"
    return [*lines, style(Role.BAD, remedy)] if refusing else lines


def _finding(finding: GuardrailFinding, changes: int, style: Style) -> list[str]:
    name, number, limit = (printable(text) for text in (finding.guardrail, finding.planned, finding.limit))
    words = [f"guardrail {name}: {number}", limit if name == "allow_changes" else f"limit {limit}"]
    if finding.lifted:
        words.append(f"lifted by --allow-changes {changes}")
    return paint(hang("", words, indent=4), Role.WARNING if finding.lifted else Role.BAD, style)


def _meant(agents: Sequence[AgentId], style: Style) -> list[str]:
    first, *rest = range_words(summarise_agents(agents))
    return paint(hang(" " * 4, [f"agent{_s(len(agents))} {first}", *rest], indent=4), Role.PLACE, style)


def _fingerprint(plan: Plan, style: Style) -> list[str]:
    return [style(Role.PLACE, f"fingerprint {printable(plan.fingerprint, limit=80)}")] if plan.changes else []


def _size(ranges: Sequence[AgentRange]) -> int:
    return sum(len(span) for span in ranges)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
