"""What else a command had to say, line by line, as a code block: a difference of two plans keeps its columns."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.report.layout import counted
from reconciler.report.markdown.budget import Block, Listing
from reconciler.report.markdown.text import code_block

_RANK = 2
_SHARE = 0.5


def note_blocks(notes: Sequence[str]) -> list[Block]:
    """Return the notes; nothing where there are none."""
    lines = [line for note in notes for line in note.split("\n")]
    if not lines:
        return []
    head, shown, foot = code_block(lines, language="diff")
    return [
        Listing(
            head=f"{head}\n",
            items=shown,
            brief=str,
            foot=f"\n{foot}",
            rest=lambda rest: f"Not shown: {counted(len(rest), 'line')} more.",
            instead=f"Not shown: {counted(len(lines), 'line')} of notes.",
            rank=_RANK,
            share=_SHARE,
        )
    ]
