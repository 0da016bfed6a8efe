"""What past runs did to whom, as text and as documents.

Rules of this file: the newest run comes first, and within a run the order is that of its journal. A name, an address
or a retcode may be anybody's words, and is shown with care.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.model.past import Ending, Event, PastEvent, PastRun
from reconciler.model.printable import printable
from reconciler.report.change_words import whole_words
from reconciler.report.layout import counted
from reconciler.report.style import Role, Style

_ENDINGS = {
    Ending.ENDED: "",
    Ending.CUT_SHORT: ", cut short; a later run took over what it had left",
    Ending.BY_HAND: ", by hand; nothing was sent",
    Ending.NOT_ENDED: ", not ended: under way, or cut short",
}
_ROLES = {
    Event.APPLIED: Role.GOOD,
    Event.FAILED: Role.BAD,
    Event.IN_DOUBT: Role.BAD,
    Event.DEFERRED: Role.WARNING,
    Event.RECORDED: Role.CHANGED,
    Event.FORGOTTEN: Role.REMOVED,
}
_WIDEST_EVENT = max(map(len, Event))
_TIME = len("2026-01-31T09:30:00Z")


def history_summary(runs: Sequence[PastRun], *, kept: int, unread: int) -> dict[str, object]:
    """Return the counts of what is listed: runs, and what became of agents in them.

    Args:
        runs: the runs listed.
        kept: how many there are.
        unread: what could not be read.
    """
    counts = Counter(event.event for run in runs for event in run.events)
    return {"listed": len(runs), "kept": kept, "unreadable": unread, **{str(event): counts[event] for event in Event}}


def history_documents(runs: Sequence[PastRun]) -> list[dict[str, object]]:
    """Return the runs as JSON-ready documents, in the order given."""
    return [
        {
            "run": run.run,
            "operation": run.operation,
            "who": run.who,
            "url": run.url,
            "started_at": run.started_at,
            "ending": str(run.ending),
            "site": run.site,
            "lineage": run.lineage,
            "serial": run.serial,
            "events": [_event_document(event) for event in run.events],
        }
        for run in runs
    ]


def history_text(site: str, runs: Sequence[PastRun], *, kept: int, style: Style) -> str:
    """Return each run with a line for whatever became of an agent; `grep '^State:'` finds the last line."""
    blocks = ["\n".join([_heading(run, style), *(_line(event, style) for event in run.events)]) + "\n" for run in runs]
    events = sum(len(run.events) for run in runs)
    listed = f"{len(runs)} of {counted(kept, 'run')} listed, {counted(events, 'event')}"
    return "\n".join([*blocks, f"State: site {printable(site, limit=60)}, {listed}.\n"])


def _event_document(event: PastEvent) -> dict[str, object]:
    record = event.record
    channels = None if record is None else {each.code: sessions for each, sessions in record.concurrency.channels}
    return {
        "agent": str(event.agent),
        "event": str(event.event),
        "at": event.at,
        "retcode": event.retcode,
        "total": None if record is None else record.concurrency.total,
        "channels": channels,
        "callnums_key": None if record is None else str(record.callnums_key),
        "session": None if record is None else record.session,
        "team": None if record is None else record.team,
        "kept": event.kept,
    }


def _heading(run: PastRun, style: Style) -> str:
    who = f" by {printable(run.who, limit=80)}" if run.who else ""
    what = printable(run.operation, limit=80) if run.operation else "a run"
    url = f", {printable(run.url)}" if run.url else ""
    head = style(Role.HEADING, f"{run.started_at}  {what}{who}{_ENDINGS[run.ending]}")
    return f"{head}  {style(Role.PLACE, f'from serial {run.serial}, run {printable(run.run, limit=64)}{url}')}"


def _line(event: PastEvent, style: Style) -> str:
    words = str(event.event).replace("_", " ")
    shown = style(_ROLES[event.event], words) if event.event in _ROLES else words
    cells = [f"  {event.agent:<6}", shown + " " * (_WIDEST_EVENT - len(words)), f"{event.at or '-':<{_TIME}}"]
    cells.append(f"{printable(event.retcode or '-', limit=40):<7}")
    if event.record is not None:
        cells.append(", ".join(whole_words(event.record.concurrency)))
    if not event.kept:
        cells.append("(the last call; the record was dropped)")
    return "  ".join(cells).rstrip()
