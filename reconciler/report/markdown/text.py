"""Words of ours and words of others, as Markdown that GitHub and GitLab read alike.

Rules of this file: whatever somebody else wrote stands in a code span or a code block. There neither host looks for a
mention, a reference, a link, an emoji, a formula, HTML or an order, which no escaping of single characters achieves:
both hosts look for mentions in the page they have made, where a backslash is gone. Every row of a table is one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import count, islice

from reconciler.model.agent import AgentId, walk_ranges
from reconciler.model.printable import printable
from reconciler.report.layout import FEW_RANGES, counted

NAME = 60
"""Characters shown of the name of a team or a site."""
SHORT_NAME = 30
"""The same where there is little room."""
ALL_RANGES = 1_000_000
"""More than there are agent ids."""
_AT_A_GLANCE = 3
"""Ranges that need no opening."""
_FENCES = re.compile("`+")
_ORDER = re.compile(r"^(\s*)/")


def size(text: str) -> int:
    """Return how much of a host's limit `text` takes: its bytes in UTF-8.

    GitHub says "characters" and was seen to count code points here and bytes there, its step summaries are limited in
    bytes, and GitLab counts characters. Bytes are never fewer than any of these, and nearly all of our text is ASCII.
    """
    return len(text.encode())


def code(text: str, *, limit: int = 120) -> str:
    """Return `text`, made printable and cut to `limit` characters, as a code span, which nothing in it can leave."""
    shown = printable(text, limit=limit)
    if not shown:
        return "(empty)"
    # The shortest run of back-ticks that `shown` has not. Not one longer than the longest: GitHub's parser takes no
    # more than 80 for a fence.
    runs = {len(run) for run in _FENCES.findall(shown)}
    fence = "`" * next(length for length in count(1) if length not in runs)
    # A parser takes one blank from either end, unless there is nothing but blanks.
    blank = " " if "`" in (shown[0], shown[-1]) or (shown[0] == shown[-1] == " " and shown.strip()) else ""
    return f"{fence}{blank}{shown}{blank}{fence}"


def code_block(lines: Iterable[str], *, language: str = "") -> tuple[str, list[str], str]:
    """Return the first line of a code block, the lines in it, and its last line.

    No line of it begins with a slash: GitLab has looked for quick actions before it looked for code.
    """
    shown = [_ORDER.sub(r"\1\\x2f", printable(line, limit=1000)).rstrip() for line in lines]
    fence = "`" * max(3, 1 + max((len(run) for line in shown for run in _FENCES.findall(line)), default=0))
    return f"{fence}{language}", shown, fence


def row(cells: Iterable[str]) -> str:
    """Return one row of a table. A pipe would end its cell even in a code span, so every one is escaped."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table_head(columns: Sequence[str]) -> str:
    """Return the two lines that begin a table; a column whose name ends in `:` holds numbers, aligned right."""
    names = [name.removesuffix(":") for name in columns]
    return f"{row(names)}\n{row('--:' if name.endswith(':') else '---' for name in columns)}\n"


def details(summary: str, inside: str) -> str:
    """Return `inside`, one line, behind a triangle that opens it. Both are words of ours: in here is HTML."""
    return f"<details><summary>{summary}</summary>{inside}</details>"


def team_cell(team: str | None) -> str:
    """Return a team, or words for having none."""
    return "no team" if team is None else code(team, limit=NAME)


def agents_cell(agents: Sequence[AgentId], *, shown: int = FEW_RANGES) -> str:
    """Return who is meant: by name where they are few ranges, else their number and the ranges to be opened.

    Args:
        agents: sorted; at least one.
        shown: this many ranges, and how many agents the others hold.
    """
    ranges = tuple(islice(walk_ranges(agents), max(shown, _AT_A_GLANCE) + 1))
    named = ranges[:shown]
    words = ", ".join([*map(str, named), *and_more(len(agents) - sum(map(len, named)), "agent")])
    if len(agents) == 1:
        return f"agent {words}"
    total = counted(len(agents), "agent")
    return details(total, words) if len(ranges) > _AT_A_GLANCE else f"{total}: {words}"


def and_more(count: int, noun: str) -> list[str]:
    """Return what ends a list of which `count` more are not shown: nothing where that is none."""
    return [f"and {counted(count, f'more {noun}')}"] if count > 0 else []
