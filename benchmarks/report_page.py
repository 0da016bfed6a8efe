"""What a page of 100,000 changes costs beside its plan, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from environments import command, fleet, scratch
from measuring import Figure, in_turn, wall

AGENTS = 100_000
MOST_SECONDS = 3
MOST_MEGABYTES = 15


def measure() -> Iterator[Figure]:
    """Measure the same plan with a page and without; every agent is new."""
    with scratch() as work:
        root, page = fleet(work, AGENTS, recorded=False), work / "page.html"
        with_page = command("plan", "--report", f"html={page}", root=root)
        costs = in_turn({"plan": command("plan", root=root), "with the page": with_page})
        megabytes = page.stat().st_size / 1e6
    raw = {name: wall(each) for name, each in costs.items()}
    seconds = median(raw["with the page"]) - median(raw["plan"])
    yield Figure(
        row="page-100000",
        what="`--report html=` of 100,000 changes, beside the plan itself",
        goal=f"≤ {MOST_SECONDS} s",
        reached=f"{seconds:.1f} s",
        met=seconds <= MOST_SECONDS,
        raw=raw,
    )
    yield Figure(
        row="page-size",
        what="the page of 100,000 changes",
        goal=f"≤ {MOST_MEGABYTES} MB",
        reached=f"{megabytes:.1f} MB",
        met=megabytes <= MOST_MEGABYTES,
        raw={"megabytes": [round(megabytes, 2)]},
    )
