"""The changes of a plan as entries of its document, and as their text.

Thousands of agents share their numbers and edits, so `change_writer` puts each distinct piece into words once. What it
writes is the text of `change_document`, which says what an entry is; tests hold the one to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Source
from reconciler.model.plan import Change, Edit
from reconciler.report.documents.text import Document, Entries, Once


def change_entries(changes: Sequence[Change]) -> Entries:
    """Return the `changes` array of a plan."""
    return Entries(items=changes, document=change_document, writer=change_writer)


def change_document(change: Change) -> Document:
    """Return one change as an entry."""
    return {
        "agent": str(change.agent),
        "team": change.team,
        "action": str(change.action),
        "reason": str(change.reason),
        "before": numbers_document(change.before),
        "after": numbers_document(change.after),
        "edits": _edits(change.edits),
        "source": _source(change.source),
    }


def change_writer() -> Callable[[Change], str]:
    """Return what writes one change after another."""
    words, numbers, edits = Once[str | None](), Once(numbers_document), Once(_edits)

    def source(place: Source | None) -> str:  # nearly every agent has a line of its own
        return "null" if place is None else f'{{"path": {words[place.path]}, "line": {place.line}}}'

    def write(change: Change) -> str:
        return (
            f'{{"agent": "{change.agent}", "team": {words[change.team]}, "action": {words[change.action]}, '
            f'"reason": {words[change.reason]}, "before": {numbers[change.before]}, "after": {numbers[change.after]}, '
            f'"edits": {edits[change.edits]}, "source": {source(change.source)}}}'
        )

    return write


def concurrency_document(value: Concurrency) -> Document:
    """Return an agent's numbers, the channels by their codes."""
    return {"total": value.total, "channels": {channel.code: sessions for channel, sessions in value.channels}}


def numbers_document(value: Concurrency | None) -> Document | None:
    """Return likewise the numbers of an agent who may have none."""
    return None if value is None else concurrency_document(value)


def _edits(edits: Sequence[Edit]) -> list[Document]:
    return [
        {
            "field": edit.field,
            "kind": str(edit.kind),
            "before": edit.before,
            "after": edit.after,
            "cause": _source(edit.cause),
        }
        for edit in edits
    ]


def _source(source: Source | None) -> Document | None:
    return None if source is None else {"path": source.path, "line": source.line}
