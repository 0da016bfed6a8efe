"""An environment as a commit had it, as files in a directory that is thrown away.

    tree by tree, down ─ choose ─ ask for sizes ─ read ─ write files ─ make links

Rules of this file: only what the reader of environments looks at is taken: YAML, links, and what links may lead to.
Links are made last, when nothing is written any more, so that none can lead a file astray; where they lead is then the
reader's to judge, as it is in a checkout. Everything is limited: names, bytes, depth.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.revisions.checkout import Revision
from reconciler.revisions.objects import Entry, Kind, UnreadableTreeError, contents, entries, sizes

MAX_NAMES = 50_000
MAX_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 64
MAX_LINK = 4096

_ENDINGS = (b".yaml", b".yml")

_Placed = tuple[bytes, Entry]
"""An entry, and its path within the environment."""


@contextmanager
def environment_at(revision: Revision, place: Path) -> Iterator[Path | None]:
    """Give the environment at `place` as the revision had it: a directory to be read, or `None` if it had none.

    Raises:
        UnreadableTreeError: it had one that cannot be read.
    """
    tree = _tree_of(revision, place)
    if tree is None:
        yield None
        return
    chosen = _chosen(_walk(revision, tree))
    with tempfile.TemporaryDirectory(prefix="reconciler-revision-") as folder:
        root = Path(folder).resolve() / "environment"
        root.mkdir()
        try:
            _write(root, chosen, _read(revision, chosen))
        except OSError as error:  # two names that this file system cannot keep apart, one too long for it, a full disk
            raise UnreadableTreeError(f"its files cannot be laid out here: {error.strerror}") from error
        yield root


def _tree_of(revision: Revision, place: Path) -> str | None:
    """Return the tree behind `place`, or `None` if there was no such directory."""
    inside = os.fsencode(place.resolve().relative_to(revision.top))
    folder = _root(revision)
    for part in inside.split(b"/") if inside != b"." else ():
        (tree,) = contents(revision, [folder])
        found = [each for each in entries(tree, digits=len(revision.commit)) if each.name == part]
        if not found or found[0].kind is not Kind.FOLDER:
            return None
        folder = found[0].object
    return folder


def _root(revision: Revision) -> str:
    ended = revision.git("rev-parse", "--verify", "--quiet", f"{revision.commit}^{{tree}}")
    return ended.out.decode("ascii").strip()


def _walk(revision: Revision, tree: str) -> list[_Placed]:
    """Return every file and link below a tree, hidden names left out."""
    found: list[_Placed] = []
    level, seen = [(b"", tree)], 0
    for _ in range(MAX_DEPTH):
        if not level:
            return found
        objects = [each for _, each in level]
        _require(sum(sizes(revision, objects)) <= MAX_BYTES, "its directories are too large")
        below: list[tuple[bytes, str]] = []
        for (prefix, _), content in zip(level, contents(revision, objects), strict=True):
            for entry in entries(content, digits=len(revision.commit)):
                seen += 1
                _require(seen <= MAX_NAMES, f"it holds more than {MAX_NAMES} names")
                if entry.name.startswith(b"."):
                    continue
                _require(entry.kind is not Kind.MODULE, "it holds a submodule, whose files are in another repository")
                if entry.kind is Kind.FOLDER:
                    below.append((prefix + entry.name + b"/", entry.object))
                else:
                    found.append((prefix + entry.name, entry))
        level = below
    raise UnreadableTreeError(f"it is nested deeper than {MAX_DEPTH}")


def _chosen(found: list[_Placed]) -> list[_Placed]:
    """Return what the reader may look at: YAML and links, and where there is a link, whatever it may lead to."""
    if any(entry.kind is Kind.LINK for _, entry in found):
        return found
    return [(path, entry) for path, entry in found if entry.name.lower().endswith(_ENDINGS)]


def _read(revision: Revision, chosen: list[_Placed]) -> list[bytes]:
    objects = [entry.object for _, entry in chosen]
    total = sum(sizes(revision, objects))
    _require(total <= MAX_BYTES, f"its files are larger than {MAX_BYTES // 1024 // 1024} MiB together")
    return contents(revision, objects)


def _write(root: Path, chosen: list[_Placed], data: list[bytes]) -> None:
    for (path, entry), content in zip(chosen, data, strict=True):
        if entry.kind is Kind.FILE:
            file = root / os.fsdecode(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as opened:
                opened.write(content)
    for (path, entry), content in zip(chosen, data, strict=True):
        if entry.kind is Kind.LINK:
            _link(root / os.fsdecode(path), content)


def _link(link: Path, target: bytes) -> None:
    _require(0 < len(target) < MAX_LINK and b"\0" not in target, "it holds a link that is none")
    _require(link.parent.resolve() == link.parent, "it holds a link where a directory is")  # made a moment ago, by us
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.fsdecode(target))


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - a condition is all it takes
    if not holds:
        raise UnreadableTreeError(otherwise)
