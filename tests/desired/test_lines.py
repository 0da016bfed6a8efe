"""Where lines begin, whatever they end with."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.reading.source_file import _BREAK, SourceFile

PIECES = ["a", "bc", "", "\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x1c", " "]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_lines_begin_behind_each_break_of_ours_and_of_nobody_elses(text: str) -> None:
    assert [0, *(match.end() for match in _BREAK.finditer(text))] == list(SourceFile.of("x.yaml", text).line_starts)
