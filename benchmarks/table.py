"""The table of the README: read, brought up to date row by row, written back.

Rule of this file: the README is the only store there is. What stands between its two markers is made here and nowhere
else, so a row that was not measured again is kept as it was.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from measuring import Figure

_BEGIN, _END = "<!-- figures: written by `make bench` -->\n", "<!-- end of figures -->\n"
_HEAD = "| row | what | goal | reached | |\n|---|---|---|---|---|\n"
_RAW_HEAD = """
Raw numbers, run by run (seconds, unless it says otherwise):

| row | measured | runs | median |
|---|---|---|---|
"""


def write_table(readme: Path, figures: Sequence[Figure], *, order: Sequence[str]) -> None:
    """Put the figures into the table, in the order of rows that is given."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(_BEGIN)
    inside, _, after = rest.partition(_END)
    table, raw = _rows_of(inside)
    for figure in figures:
        table[figure.row] = [_table_line(figure)]
        raw[figure.row] = [_raw_line(figure.row, name, runs) for name, runs in figure.raw.items()]
    lines = [_HEAD, *_ordered(table, order), _RAW_HEAD, *_ordered(raw, order), f"\nMeasured on: {_machine()}.\n"]
    readme.write_text(before + _BEGIN + "".join(lines) + _END + after, encoding="utf-8")


def _rows_of(text: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    halves = text.partition(_RAW_HEAD)[::2]
    found: list[dict[str, list[str]]] = []
    for half in halves:
        rows: dict[str, list[str]] = {}
        for match in re.finditer(r"^\| `([a-z0-9-]+)` \|.*\n", half, re.MULTILINE):
            rows.setdefault(match[1], []).append(match[0])
        found.append(rows)
    return found[0], found[1]


def _ordered(rows: Mapping[str, Sequence[str]], order: Sequence[str]) -> list[str]:
    return [line for row in order for line in rows.get(row, ())]


def _table_line(figure: Figure) -> str:
    verdict = "met" if figure.met else "**missed**"
    return f"| `{figure.row}` | {figure.what} | {figure.goal} | {figure.reached} | {verdict} |\n"


def _raw_line(row: str, name: str, runs: Sequence[float]) -> str:
    shown = " ".join(f"{run:g}" for run in runs)
    return f"| `{row}` | {name} | {shown} | {statistics.median(runs):g} |\n"


def _machine() -> str:
    model = re.search(r"^model name\s*:\s*(.*)$", _cpuinfo(), re.MULTILINE)
    processor = model[1] if model else platform.machine()
    return f"{os.cpu_count()} × {processor}, {platform.system()}, Python {platform.python_version()}"


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
