"""What is kept by agent, in order of the agents."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from operator import lt
from typing import TypeVar

from reconciler.model.agent import AgentId

_Value = TypeVar("_Value")


def by_agent(values: Mapping[AgentId, _Value]) -> dict[AgentId, _Value]:
    """Return a copy of `values`, sorted by agent id, whatever order they come in."""
    # A hundred thousand are nearly always in order, and seeing so takes a tenth of the time of sorting.
    if all(map(lt, values, islice(values, 1, None))):
        return dict(values)
    agents = sorted(values)
    return dict(zip(agents, map(values.__getitem__, agents), strict=True))
