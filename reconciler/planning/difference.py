"""What differs between a plan that was reviewed and the plan that would be made now.

Plans are compared by what the fingerprint covers (agent, action, before, after, url, key spelling), never by their
text: the difference is empty exactly if the fingerprints are equal.
"""

from __future__ import annotations

from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.plan import Action, Change, Plan
from reconciler.values import Struct

_Deed = tuple[AgentId, Action, Concurrency | None, Concurrency | None]


class PlanDifference(Struct, frozen=True, kw_only=True):
    """How `fresh` departs from `reviewed`. Sorted by agent."""

    settings: tuple[tuple[str, str, str], ...]
    """Name, reviewed value and fresh value of what concerns the whole plan: url, callnums_key."""
    gone: tuple[Change, ...]
    """Reviewed, and no longer to be done."""
    come: tuple[Change, ...]
    """To be done now, and not reviewed."""
    altered: tuple[tuple[Change, Change], ...]
    """Reviewed and fresh change of agents that are in both, differently."""

    @property
    def empty(self) -> bool:
        """Tell whether the plans do the same."""
        return not (self.settings or self.gone or self.come or self.altered)

    @property
    def shrunk(self) -> bool:
        """Tell whether the fresh plan only leaves out some of what was reviewed."""
        return bool(self.gone) and not (self.settings or self.come or self.altered)


def compare_plans(reviewed: Plan, fresh: Plan) -> PlanDifference:
    """Return the difference of two plans."""
    old = {change.agent: change for change in reviewed.changes}
    new = {change.agent: change for change in fresh.changes}
    both = [(old[agent], new[agent]) for agent in old if agent in new]
    return PlanDifference(
        settings=_settings(reviewed, fresh),
        gone=tuple(change for agent, change in old.items() if agent not in new),
        come=tuple(change for agent, change in new.items() if agent not in old),
        altered=tuple((was, now) for was, now in both if _deed(was) != _deed(now)),
    )


def _settings(reviewed: Plan, fresh: Plan) -> tuple[tuple[str, str, str], ...]:
    pairs = [
        ("url", reviewed.url, fresh.url),
        ("callnums_key", str(reviewed.callnums_key), str(fresh.callnums_key)),
    ]
    return tuple((name, was, now) for name, was, now in pairs if was != now)


def _deed(change: Change) -> _Deed:
    return change.agent, change.action, change.before, change.after
