"""Where the keys and values of one document stand.

Rules of this file: values are plain dicts and lists, so positions are kept beside them, by the identity of the
container. The table is good only as long as the document itself is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.desired.reading.source_file import SourceFile
from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct, field

SHIFT = 32
"""A mapping's key and value share one number: the key's mark above these bits, the value's below."""

_VALUE = (1 << SHIFT) - 1


class Marks(Struct):
    """The marks of each container: by key of a mapping (key and value in one number), by index of a list."""

    of: dict[int, Any] = field(default_factory=dict)
    """By `id(container)`."""

    def key(self, mapping: dict[str, Any], key: str) -> int:
        """Return the mark of a key that `mapping` has."""
        packed: int = self.of[id(mapping)][key]
        return packed >> SHIFT

    def value(self, container: dict[str, Any] | list[Any], token: str | int) -> int:
        """Return the mark of the value that `container` has at `token`."""
        packed: int = self.of[id(container)][token]
        return packed & _VALUE


class YamlDocument(Struct, frozen=True, kw_only=True):
    """A file as read: its value, or `None` when nothing can be said about it, and what was wrong on the way."""

    file: SourceFile
    value: Any
    start: int
    """The mark of the value as a whole."""
    marks: Marks
    problems: tuple[Diagnostic, ...]

    def container(self, tokens: Sequence[str | int]) -> Any:
        """Return what stands at `tokens`."""
        node = self.value
        for token in tokens:
            node = node[token]
        return node

    def value_mark(self, tokens: Sequence[str | int]) -> int:
        """Return where the value at `tokens` begins."""
        return self.marks.value(self.container(tokens[:-1]), tokens[-1]) if tokens else self.start

    def key_mark(self, tokens: Sequence[str | int]) -> int:
        """Return where the key of the value at `tokens` begins; of an item of a list, where the item does."""
        if not tokens:
            return self.start
        parent = self.container(tokens[:-1])
        return self.marks.key(parent, str(tokens[-1])) if isinstance(parent, dict) else self.value_mark(tokens)
