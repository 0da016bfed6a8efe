"""What a plan that undoes a run says besides its changes: whom it cannot take back, and whom it need not call.

Words: what was "recorded before" is gone back to; nobody can say what an agent "had".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.agent import AgentId
from reconciler.model.going_back import GoingBack
from reconciler.model.printable import printable
from reconciler.report.layout import agent_lines, counted, named_agents, paint
from reconciler.report.style import Role, Style


def going_back_heading(site: str, going_back: GoingBack) -> str:
    """Return what is compared with what."""
    run = f"the {printable(going_back.left_by, limit=20)} of {printable(going_back.begun_at, limit=40)}"
    return f"rollback for site {site}: what was recorded before {run}, against what is recorded now"


def going_back_lines(going_back: GoingBack, style: Style) -> list[str]:
    """Return whom the plan says something of, each kind in a sentence with its agents under it."""
    kinds = going_back_kinds(going_back)
    return [line for role, agents, words in kinds for line in _kind(agents, words, role, style)]


def going_back_kinds(back: GoingBack) -> list[tuple[Role, Sequence[AgentId], str]]:
    """Return how grave each kind is, who is of it, and what is to be said of them; no kind without an agent."""
    return [(role, agents, words) for role, agents, words in _kinds(back) if agents]


def unfinished_lines(going_back: GoingBack, style: Style) -> list[str]:
    """Return the warning that the run to be undone was cut short, if it was."""
    words = "that run was cut short: everybody is looked at whom it may have changed"
    return [] if going_back.finished else [style(Role.WARNING, words)]


def restored_text(agents: Sequence[AgentId], *, style: Style) -> str:
    """Return what became of records that needed no call, for a run whose outcomes say nothing of them; or nothing."""
    if not agents:
        return ""
    head = style(Role.GOOD, f"{counted(len(agents), 'record')} put back without a call")
    names = agent_lines(agents, indent=4, style=style) or [f"    agent {agents[0]}"]
    return "".join(f"{line}\n" for line in [head, *names, ""])


def nothing_to_send(going_back: GoingBack) -> str:
    """Return what a plan without changes comes to."""
    restored = len(going_back.restored)
    if restored:
        return f"Nothing to send: rollback would put back {counted(restored, 'record')}, and no more."
    return "No changes: nothing of that run is left to be taken back, and rollback would send nothing."


def _kinds(back: GoingBack) -> Iterable[tuple[Role, Sequence[AgentId], str]]:
    yield Role.ADDED, tuple(back.restored), "recorded again as before, without a call: the run only dropped the record"
    yield (
        Role.WARNING,
        back.uncertain,
        "called with values that had been sent before that run and never answered: they may not have been in force",
    )
    yield Role.WARNING, back.unknown, "left alone: not recorded before that run, so what to go back to is unknown"
    yield Role.WARNING, back.changed_since, "left alone: changed since that run"
    yield Role.PLACE, back.already, "left alone: recorded as before that run"


def _kind(agents: Sequence[AgentId], words: str, role: Role, style: Style) -> list[str]:
    head = [f"{named_agents(agents)}  {words}"]
    return paint(head, role, style) + agent_lines(agents, indent=4, style=style)
