"""The stories that every crash test goes through, each told once a process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from crash import away
from crash.fleets import Story, eventful
from crash.runs import Life, Remains, live_and_die

from reconciler.model.plan import Plan
from reconciler.model.site import OnAgentRemoval
from reconciler.model.state import State

NAMES = ("forget-1", "forget-3", "reset-1", "reset-8", "away-1", "away-3")
"""What becomes of removed agents, or that the state is kept elsewhere; and how many calls are in flight at most."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A story, its one life without a death, and what every death would have left."""

    story: Story
    before: State
    plan: Plan
    life: Life
    remains: tuple[Remains, ...]


@cache
def tell(name: str) -> Told:
    kind, _, workers = name.partition("-")
    if kind == "away":
        story = eventful(workers=int(workers), open_store=away.open_away, journal=away.JOURNAL)
    else:
        story = eventful(workers=int(workers), removal=OnAgentRemoval(kind))
    before = story.place.read()
    life, remains = live_and_die(story.place.copy(), story.desired)
    assert life.plan is not None
    return Told(story=story, before=before, plan=life.plan, life=life, remains=tuple(remains))
