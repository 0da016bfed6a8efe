"""Whom a rollback speaks of besides its changes or outcomes: who is put back without a call, and who is left alone."""

from __future__ import annotations

from reconciler.model.going_back import GoingBack
from reconciler.report.layout import named_agents
from reconciler.report.markdown.budget import Block, list_passage
from reconciler.report.markdown.text import ALL_RANGES, agents_cell, code
from reconciler.report.text.going_back import going_back_kinds

_RANK = 2


def going_back_blocks(back: GoingBack | None) -> list[Block]:
    """Return a list of them; nothing where no run is taken back."""
    if back is None:
        return []
    run = f"the {code(back.left_by, limit=20)} of {code(back.begun_at, limit=40)}"
    lines = [f"- taken back: {run}, to what was recorded before it"]
    if not back.finished:
        lines.append("- **that run was cut short**: everybody is looked at whom it may have changed")
    kinds = going_back_kinds(back)
    brief = [f"- {named_agents(agents)} {words}" for _, agents, words in kinds]
    full = [f"- {agents_cell(agents, shown=ALL_RANGES)} {words}" for _, agents, words in kinds]
    return [list_passage("The way back", [*lines, *full], [*lines, *brief], rank=_RANK)]
