"""One file of the environment: its name, and where its lines begin.

Rules of this file: inside this room a place in a file is a mark, the offset of a character in the decoded text; it
becomes a line and a column (both 1-based, counted in characters) only when somebody is told about it.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from reconciler.desired.wording import pointer
from reconciler.model.desired import Source
from reconciler.model.diagnostic import Diagnostic, Severity
from reconciler.values import Struct

_BREAK = re.compile(r"\r\n?|\n")


class SourceFile(Struct, frozen=True):
    """What is needed of a file once its text is gone."""

    path: str
    """Relative to the environment's directory, with `/`."""
    line_starts: Sequence[int]
    """The mark of each line's first character, rising."""

    @classmethod
    def of(cls, path: str, text: str) -> SourceFile:
        """Return the file called `path` whose decoded text is `text`."""
        starts = array("L", [0])
        lines = text.splitlines(keepends=True)
        ended = lines if text.endswith("\n") else lines[:-1]
        if "\r" not in text and text.count("\n") == len(ended):
            starts.extend(accumulate(map(len, ended)))  # all of them end where ours do, so their lengths say it all
        else:
            starts.extend(match.end() for match in _BREAK.finditer(text))
        return cls(path, starts)

    def position(self, mark: int) -> tuple[int, int]:
        """Return the line and the column of a mark."""
        line = bisect_right(self.line_starts, mark)
        return line, mark - self.line_starts[line - 1] + 1

    def source(self, mark: int) -> Source:
        """Return the line of a mark as a plan keeps it."""
        return Source(self.path, bisect_right(self.line_starts, mark))

    def problem(
        self,
        code: str,
        summary: str,
        *,
        mark: int,
        tokens: Iterable[str | int] = (),
        detail: str = "",
        severity: Severity = Severity.ERROR,
    ) -> Diagnostic:
        """Return a diagnostic about the value at `mark`, whose pointer consists of `tokens`."""
        line, column = self.position(mark)
        return Diagnostic(self.path, line, column, severity, code, summary, detail, pointer(tokens))
