"""Agents that are declared more than once.

Rules of this file: ranges are compared as ranges, never agent by agent, so a thousand declarations of the whole id
space cost a thousand steps. One problem per declaration that overlaps, at the later of the two places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from operator import lt

from reconciler.desired.fleet.declarations import Declaration
from reconciler.model.agent import AgentRange
from reconciler.model.diagnostic import Diagnostic


def any_overlap(firsts: Sequence[int], lasts: Sequence[int]) -> bool:
    """Tell whether an agent is named by two of the declarations which have these first and last ids."""
    if all(map(lt, lasts, islice(firsts, 1, None))):
        return False  # they stand in order, as in most fleets
    spans = sorted(zip(firsts, lasts, strict=True))
    return any(first <= last for (_, last), (first, _) in pairwise(spans))


def find_overlaps(declarations: Sequence[Declaration]) -> Iterator[Diagnostic]:
    """Report every declaration that names an agent another one names too."""
    reaching: Declaration | None = None
    reported: set[int] = set()
    for current in sorted(declarations, key=_low_to_high):
        if reaching is not None and current.span.first <= reaching.span.last:
            yield _overlap(*_later_first(reaching, current, reported))
        if reaching is None or current.span.last > reaching.span.last:
            reaching = current


def _low_to_high(declaration: Declaration) -> tuple[int, int, tuple[str, int]]:
    return declaration.span.first, declaration.span.last, declaration.entry.order()


def _later_first(one: Declaration, other: Declaration, reported: set[int]) -> tuple[Declaration, Declaration]:
    earlier, later = sorted((one, other), key=lambda declaration: declaration.entry.order())
    if id(later) in reported:
        earlier, later = later, earlier
    reported.add(id(later))
    return later, earlier


def _overlap(here: Declaration, there: Declaration) -> Diagnostic:
    shared = AgentRange(max(here.span.first, there.span.first), min(here.span.last, there.span.last))
    agents = f"agents {shared} are" if len(shared) > 1 else f"agent {shared} is"
    summary = f"{agents} also declared at {there.entry.place()}; declare an agent once"
    detail = "" if there.span == shared else f"there as '{there.entry.key}'"
    return here.entry.problem("duplicate-agent", summary, detail=detail)
