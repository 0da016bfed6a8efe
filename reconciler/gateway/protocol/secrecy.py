"""What no text of a server may show: the Guids and cookies of a run. No I/O.

Rules of this file: a secret is found wherever it stands in a text and in whatever case, since servers change the case
of what they repeat. One look costs what the text is long, times the different lengths of the secrets, and not their
number: a run may have a hundred thousand, and a look is taken at every reply.
"""

from __future__ import annotations

from collections.abc import Iterable

MIN_SECRET = 6
"""A text shorter than this is in any other by chance, and is not looked for."""


class Secrets:
    """A growing set of texts to be withheld. It shows none of them."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._heads: set[str] = set()
        self._by_length: dict[int, set[str]] = {}
        self.add(texts)

    def add(self, texts: Iterable[str]) -> None:
        """Look for these from now on, too."""
        for text in texts:
            if len(text) >= MIN_SECRET:
                folded = text.casefold()
                self._heads.add(folded[:MIN_SECRET])
                self._by_length.setdefault(len(folded), set()).add(folded)

    def are_in(self, text: str, *, before: int | None = None) -> bool:
        """Return whether any of them is a part of `text`, in whatever case, and begins before that place."""
        if not self._heads:
            return False
        folded = text.casefold()
        end = len(folded if before is None else text[:before].casefold())
        starts = range(min(end, len(folded) - MIN_SECRET + 1))
        if self._heads.isdisjoint([folded[start : start + MIN_SECRET] for start in starts]):  # as nearly always
            return False
        return any(self._one_begins(folded, start) for start in starts)

    def _one_begins(self, folded: str, start: int) -> bool:
        return any(folded[start : start + length] in texts for length, texts in self._by_length.items())
