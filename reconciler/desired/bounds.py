"""How many problems of one file are told one by one: enough for people, and a bound on what a hostile file costs.

Rule of this file: what is beyond the bound is counted and its number told, so nothing is ever passed over in silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.model.diagnostic import Diagnostic
from reconciler.values import replace

MAX_PROBLEMS = 10_000
"""Of one file. A file of 64 MiB can have millions, each with its place and its sentence."""
FURTHER = "further-problems"


def further(path: str, count: int, what: str) -> Diagnostic:
    """Return the diagnostic that stands for `count` others of the file `path`."""
    summary = f"{count:,} further {what} of this file are not listed; mend those that are"
    return Diagnostic(path, code=FURTHER, summary=summary)


def bounded(diagnostics: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield the first of each file, as many as are told one by one, and then how many more there are.

    Args:
        diagnostics: sorted by place.
    """
    if len(diagnostics) <= MAX_PROBLEMS:
        yield from diagnostics
        return
    seen: Counter[str] = Counter()
    hidden: dict[str, list[Diagnostic]] = {}
    for each in diagnostics:
        seen[each.path] += each.code != FURTHER
        if seen[each.path] <= MAX_PROBLEMS or each.code == FURTHER:
            yield each
        else:
            hidden.setdefault(each.path, []).append(each)
    for path, rest in hidden.items():
        yield replace(further(path, len(rest), "problems"), severity=min(each.severity for each in rest))
