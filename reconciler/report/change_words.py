"""One change in words: what is done, and number by number what differs.

Words: what is in the state is "recorded"; live values cannot be read back.
"""

from __future__ import annotations

from typing import assert_never

from reconciler.model.concurrency import Concurrency
from reconciler.model.plan import Action, Change, Edit, EditKind, Reason
from reconciler.report.grouping import ChangeGroup


def deed_words(change: Change | ChangeGroup) -> str:
    """Return what is done, ready to stand before the values; nothing for the plain case, a number that changes."""
    match change.action:
        case Action.SET if change.reason is Reason.CHANGED:
            return ""
        case Action.SET if change.reason is Reason.NEW:
            return "new: "
        case Action.FORGET:
            return "forget (no longer desired), nothing is sent; recorded: "
        case Action.RESET:
            return "reset (no longer desired), one last call: "
        case action:
            return f"{action} ({change.reason}), same values: "


def value_words(change: Change | ChangeGroup) -> list[str]:
    """Return the numbers: those that differ, or all of them where nothing was recorded or nothing differs."""
    if change.reason is Reason.NEW or not change.edits:
        return whole_words(change.after or change.before)
    return [_edit(edit) for edit in change.edits]


def whole_words(value: Concurrency | None) -> list[str]:
    """Return every number of `value`."""
    if value is None:
        return []
    return [f"total {value.total}", *(f"{channel.label} {sessions}" for channel, sessions in value.channels)]


def _edit(edit: Edit) -> str:
    name = edit.field.removeprefix("channels.")
    match edit.kind:
        case EditKind.CLOSED:
            return f"{name} {edit.before} → 0 (closed)"
        case EditKind.OMITTED:
            return f"{name} {edit.before} → left out"
        case EditKind.ADDED:
            return f"{name} {edit.after} (added)"
        case EditKind.CHANGED:
            return f"{name} {edit.before} → {edit.after}"
        case _:
            assert_never(edit.kind)
