"""What a plan knows of its agents' sessions, and what it cannot know, in sentences.

Words: a session was seen "as of this plan", never "now"; a plan that did not look says so before anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.agent import AgentId, summarise_agents
from reconciler.model.plan import Plan
from reconciler.model.printable import printable
from reconciler.report.layout import counted, hang, range_words

_LIVE = "live values cannot be read back from the gateway"
_UNSEEN = "not known without --sessions: who is signed in, and who has signed in anew and so may have lost the values"

_UNSEEN_FOR_GOOD = (
    "not known: who is signed in and would be deferred, and who has signed in anew and so may have lost the values"
)


def knowledge_lines(plan: Plan) -> list[str]:
    """Return the sentences of `knowledge`, broken where they are long."""
    recorded, sessions = knowledge(plan)
    if plan.sessions is None:
        return [recorded, sessions]
    return [recorded, *hang("", sessions.split(" "), indent=4, separator=" ")]


def knowledge(plan: Plan) -> tuple[str, str]:
    """Return what the plan was made from, and what nobody could know while making it, a sentence each."""
    recorded = "nothing is recorded yet, so every agent is new"
    if plan.base.lineage is not None:
        recorded = f"recorded: serial {plan.base.serial}"
    return f"{recorded}; {_LIVE}", _sessions(plan)


def attendance_facts(plan: Plan) -> Iterable[str]:
    """Yield who would be deferred and who has waited before, if anybody."""
    if plan.sessions is not None and plan.sessions.absent:
        absent = plan.sessions.absent
        yield (
            f"{counted(len(absent), 'agent')} to be called {_has(len(absent))} no session as of this plan, and would "
            f"be deferred: {_named(absent)}"
        )
    if plan.waits is not None:
        since, agents = printable(plan.waits.since, limit=40), plan.waits.agents
        if len(agents) == 1:
            yield f"1 of these changes has been waiting for its agent, since {since}: {_named(agents)}"
        else:
            count = len(agents)
            yield (
                f"{count:,} of these changes have been waiting for their agents, the longest since {since}: "
                f"{_named(agents)}"
            )


def _sessions(plan: Plan) -> str:
    seen = plan.sessions
    if seen is None:
        return _UNSEEN_FOR_GOOD if plan.signs_in or plan.going_back is not None else _UNSEEN
    words = f"sessions as of this plan: {seen.known} of {counted(seen.asked, 'agent')} {_has(seen.known)} one"
    if seen.keyless:
        words += f" ({seen.keyless} without a key: new or not, nobody can tell)"
    return words


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _named(agents: Sequence[AgentId]) -> str:
    return ", ".join(range_words(summarise_agents(agents)))
