"""Git's objects, read in batches, and trees, understood.

Rules of this file: whoever could push could have written these objects, so sizes are asked before contents, and a name
that is none, or would lead anywhere but down, is refused. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from reconciler.revisions.checkout import Revision
from reconciler.values import Struct

_SPECIAL = frozenset({b"", b".", b"..", b".git"})


class UnreadableTreeError(Exception):
    """A commit holds an environment that cannot be read; the message says why, without its place."""


class Kind(Enum):
    """What a tree holds under a name."""

    FOLDER = b"40000"
    LINK = b"120000"
    MODULE = b"160000"
    FILE = b"100"
    """Whatever its permissions."""


class Entry(Struct, frozen=True):
    """One name in a tree."""

    name: bytes
    kind: Kind
    object: str
    """Its hash, in hexadecimal digits."""


def entries(tree: bytes, *, digits: int) -> Iterator[Entry]:
    """Yield what stands in a tree object.

    Args:
        tree: the object's content.
        digits: how many hexadecimal digits a hash of this repository has.

    Raises:
        UnreadableTreeError: it is no tree, or a name in it leads elsewhere.
    """
    at = 0
    while at < len(tree):
        blank, end = tree.find(b" ", at), tree.find(b"\0", at)
        if not at < blank < end or end + digits // 2 >= len(tree):
            raise UnreadableTreeError("a tree of it is damaged")
        mode, name = tree[at:blank].lstrip(b"0"), tree[blank + 1 : end]
        if name in _SPECIAL or b"/" in name:
            raise UnreadableTreeError("a tree of it holds a name that leads elsewhere")
        at = end + 1 + digits // 2
        yield Entry(name, _kind(mode), tree[end + 1 : at].hex())


def sizes(revision: Revision, objects: Sequence[str]) -> list[int]:
    """Return the size of each object.

    Raises:
        UnreadableTreeError: one is not there.
    """
    ended = revision.git("cat-file", "--batch-check", stdin=_asked(objects))
    lines = ended.out.splitlines()
    found = [line.split() for line in lines]
    if ended.code != 0 or len(found) != len(objects) or any(len(words) != 3 for words in found):  # noqa: PLR2004 - hash, type, size
        raise UnreadableTreeError("objects of it are not in this clone")
    return [int(words[2]) for words in found]


def contents(revision: Revision, objects: Sequence[str]) -> list[bytes]:
    """Return the content of each object; ask for their sizes before.

    Raises:
        UnreadableTreeError: one is not there.
    """
    ended = revision.git("cat-file", "--batch", stdin=_asked(objects))
    data, at, found = ended.out, 0, []
    for _ in objects:
        end = data.find(b"\n", at)
        words = data[at:end].split()
        if ended.code != 0 or end < 0 or len(words) != 3:  # noqa: PLR2004 - as above
            raise UnreadableTreeError("objects of it are not in this clone")
        size = int(words[2])
        found.append(data[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return found


def _kind(mode: bytes) -> Kind:
    if mode.startswith(Kind.FILE.value):
        return Kind.FILE
    try:
        return Kind(mode)
    except ValueError:
        raise UnreadableTreeError("a tree of it holds something that is neither file, folder nor link") from None


def _asked(objects: Sequence[str]) -> bytes:
    return "".join(f"{each}\n" for each in objects).encode("ascii")
