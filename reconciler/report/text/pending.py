"""Whose change waits for them, as text and as documents: since when, how often, and what the gateway last said.

Rules of this file: who has waited longest comes first, since that is who somebody should speak to. What a retcode means
is not known in this room; it comes along as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reconciler.model.agent import AgentId
from reconciler.model.printable import printable
from reconciler.model.state import Pending, State
from reconciler.report.layout import counted
from reconciler.report.style import Role, Style
from reconciler.values import Struct

Meaning = Callable[[str | None], str]
"""From the retcode of a deferral, or `None` where no session was known, to what it means."""

_WIDEST = 40
"""Columns that are lined up; what is longer sticks out rather than push all other lines apart."""


class WaitingAgent(Struct, frozen=True, kw_only=True):
    """Somebody who waits, with the team they are in; the state knows no team of those it has no record of."""

    agent: AgentId
    team: str | None
    pending: Pending


def waiting_agents(pending: Mapping[AgentId, Pending], teams: Mapping[AgentId, str | None]) -> list[WaitingAgent]:
    """Return who waits, the longest wait first, then by agent id."""
    ordered = sorted(pending.items(), key=lambda item: (item[1].first_deferred_at, item[0]))
    return [WaitingAgent(agent=agent, team=teams.get(agent), pending=each) for agent, each in ordered]


def pending_summary(state: State, listed: Sequence[WaitingAgent]) -> dict[str, object]:
    """Return the counts of those listed, and of all who wait."""
    return {
        "lineage": state.lineage,
        "serial": state.serial,
        "listed": len(listed),
        "waiting": len(state.pending),
        "since": listed[0].pending.first_deferred_at if listed else None,
    }


def pending_documents(listed: Sequence[WaitingAgent], meaning: Meaning) -> list[dict[str, object]]:
    """Return those who wait as JSON-ready documents, in the order given."""
    return [
        {
            "agent": str(each.agent),
            "team": each.team,
            "first_deferred_at": each.pending.first_deferred_at,
            "last_deferred_at": each.pending.last_deferred_at,
            "attempts": each.pending.attempts,
            "retcode": each.pending.retcode,
            "meaning": meaning(each.pending.retcode),
        }
        for each in listed
    ]


def pending_text(state: State, listed: Sequence[WaitingAgent], *, meaning: Meaning, style: Style) -> str:
    """Return one line for each who waits; the last line is a summary that `grep '^State:'` finds."""
    rows = [(each, _cells(each)) for each in listed]
    widths = [max(len(cells[column]) for _, cells in rows) for column in range(3)] if rows else []
    lines = [_line(each, cells, widths, meaning=meaning, style=style) for each, cells in rows]
    return "".join(f"{line}\n" for line in [*lines, _summary_line(state, listed)])


def pending_words(pending: Pending) -> str:
    """Return a wait in few words, without what its retcode means."""
    retcode = f", last with {pending.retcode}" if pending.retcode else ", no session known"
    return f"since {pending.first_deferred_at}, deferred by {counted(pending.attempts, 'run')}{retcode}"


def _cells(each: WaitingAgent) -> tuple[str, str, str]:
    """Return team, number of runs and retcode as they are lined up."""
    retcode = printable(each.pending.retcode or "-", limit=_WIDEST)
    return printable(each.team or "-", limit=_WIDEST), counted(each.pending.attempts, "run"), retcode


def _line(
    each: WaitingAgent, cells: tuple[str, str, str], widths: Sequence[int], *, meaning: Meaning, style: Style
) -> str:
    team, runs, retcode = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    since = style(Role.WARNING, f"waiting since {printable(each.pending.first_deferred_at)}")
    return "  ".join([f"{each.agent:<6}", team, since, runs, retcode, printable(meaning(each.pending.retcode))])


def _summary_line(state: State, listed: Sequence[WaitingAgent]) -> str:
    site = printable(state.site, limit=60)
    if not state.pending:
        return f"State: site {site}, nobody is waiting."
    rest = f"{len(listed)} of {counted(len(state.pending), 'waiting agent')} listed"
    longest = f", the longest since {printable(listed[0].pending.first_deferred_at)}" if listed else ""
    return f"State: site {site}, serial {state.serial}, {rest}{longest}."
