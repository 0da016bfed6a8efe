r"""The journal's lines, and how a journal is read back after a run that did not end well.

Rules of this file: every record is one line, `<length> <crc32> <json>\n` with eight hex digits each, so that a line
that was cut by a crash can be told from a line that was damaged later. What a crash can leave (a last line that is a
mere beginning, or zeros where the file grew but its content did not arrive) was never promised to anyone and is cut.
Every other flaw is refused with its offset: a record that cannot be read may be the one that says an agent was changed.
So is a hole with whole records behind it, which a power cut can leave where a disk keeps a later page of the last write
and not an earlier one: nothing in the file tells it from damage to what was promised.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

from reconciler.errors import JournalError
from reconciler.model.state import State
from reconciler.state.document.fields import UPGRADE, ConcurrencyCache, NewerFormatError
from reconciler.state.document.upgrade import JOURNAL_FORMATS, Ladder, Rung
from reconciler.state.journal.entries import Entry, RunOpened, read_run, write_entry
from reconciler.state.journal.gathering import read_entries, write_entries
from reconciler.state.journal.ledger import Ledger
from reconciler.values import Struct

_HEAD = re.compile(rb"([0-9a-f]{8}) ([0-9a-f]{8}) ", re.DOTALL)
_HEAD_LENGTH = 18
_FOREIGN = (
    "put back the state this journal was written beside; or, if the state is right as it is, move the journal away "
    "and send every agent's values again with the next apply"
)


class Journal(Struct, frozen=True, kw_only=True):
    """A journal as it was read."""

    name: str
    """As the user would write it, for messages."""
    run: RunOpened
    entries: tuple[tuple[int, Entry], ...]
    """Each with the offset of its record in the file, in order."""


def frame(entry: RunOpened | Entry) -> bytes:
    """Return the line of `entry`."""
    return _line(write_entry(entry))


def frame_all(entries: Iterable[Entry]) -> bytes:
    """Return the lines of `entries`, alike ones in one of them."""
    return b"".join(map(_line, write_entries(entries)))


def _line(payload: bytes) -> bytes:
    return b"%08x %08x %b\n" % (len(payload), zlib.crc32(payload), payload)


def _flaw(name: str, offset: int, what: str) -> JournalError:
    return JournalError(
        f"{name}:{offset}: the journal is damaged: {what}",
        hint=f"copy the journal away, cut it to its first {offset} bytes, and send every agent's values again with the "
        "next apply: what stood behind that place is not known any more",
    )


def _payload(line: bytes) -> bytes:
    head = _HEAD.match(line)
    if head is None:
        raise ValueError("this line does not begin like a record")
    payload = line[_HEAD_LENGTH:]
    if len(payload) != int(head[1], 16):
        raise ValueError("this record is not as long as it says")
    if zlib.crc32(payload) != int(head[2], 16):
        raise ValueError("the checksum of this record does not match")
    return payload


def _last_line(tail: bytes) -> bytes | None:
    """Return the record of a last line that has no end, or `None` if a crash cut it short."""
    written = tail.rstrip(b"\0")
    if len(written) < _HEAD_LENGTH:
        return None
    head = _HEAD.match(written)
    if head is not None and len(written) - _HEAD_LENGTH < int(head[1], 16):
        return None
    return _payload(written)  # all of it but the line's end: as good as written


def _split(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset < len(data):
        end = data.find(b"\n", offset)
        try:
            payload = _last_line(data[offset:]) if end < 0 else _payload(data[offset:end])
        except ValueError as error:
            raise _flaw(name, offset, str(error)) from None
        if payload is not None:
            yield offset, payload
        offset = len(data) if end < 0 else end + 1


def read_journal(data: bytes, *, name: str, formats: Ladder = JOURNAL_FORMATS) -> Journal | None:
    """Return the journal whose file holds `data`, or `None` when not even its opening record was completed.

    Args:
        data: the whole file.
        name: the file, as the user would write it.
        formats: the versions that can be read.

    Raises:
        JournalError: a record is damaged, or a newer version wrote it. The text gives `name` and the offset.
    """
    run: RunOpened | None = None
    rungs: tuple[Rung, ...] = ()
    entries: list[tuple[int, Entry]] = []
    seen: ConcurrencyCache = {}
    for offset, payload in _split(data, name):
        try:
            if run is None:
                run, rungs = read_run(payload, formats)
            else:
                entries.extend((offset, entry) for entry in read_entries(payload, seen, rungs))
        except NewerFormatError as error:
            raise JournalError(f"{name}: {error}", hint=UPGRADE) from None
        except ValueError as error:
            raise _flaw(name, offset, str(error)) from None
    return None if run is None else Journal(name=name, run=run, entries=tuple(entries))


def read_opening(data: bytes, *, name: str) -> RunOpened | None:
    """Return whose journal `data` is, or `None` when its opening record was not completed; the rest is not looked at.

    Raises:
        JournalError: that record is damaged, or a newer version wrote it.
    """
    end = data.find(b"\n")
    opening = read_journal(data if end < 0 else data[: end + 1], name=name)
    return None if opening is None else opening.run


def is_compacted(journal: Journal, state: State) -> bool:
    """Tell whether the snapshot `state` was written after this journal, and so already holds it.

    Raises:
        JournalError: the two do not belong together.
    """
    run = journal.run
    if run.site == state.site and run.serial == state.serial and state.lineage in (None, run.lineage):
        return False
    # A first run of an earlier version did not say of which lineage the state was to be.
    if run.site == state.site and run.serial < state.serial and run.lineage in (None, state.lineage):
        return True
    raise JournalError(
        f"{journal.name} continues serial {run.serial} of lineage {run.lineage} (site {run.site!r}), and the state "
        f"beside it is serial {state.serial} of lineage {state.lineage} (site {state.site!r})",
        hint=_FOREIGN,
    )


def replay(journal: Journal, state: State) -> State:
    """Return `state` after everything the journal tells; lineage and serial stay those of the snapshot.

    Raises:
        JournalError: a record cannot have happened where it stands.
    """
    ledger = Ledger(state)
    for offset, entry in journal.entries:
        try:
            ledger.enter(entry)
        except ValueError as error:
            raise _flaw(journal.name, offset, str(error)) from None
    return ledger.state
