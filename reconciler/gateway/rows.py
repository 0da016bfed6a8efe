"""One row of the verdict table: what an answer, or its absence, means and what is done about it.

Rules of this file: values and the code that walks them, no row. Texts are lower case and fit into one line: `meaning`
says what happened, `remedy` what to do. The rows stand in `retcodes`, `statuses` and `protocol.failure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from reconciler.model.site import RetcodeClass
from reconciler.values import Struct


class Grade(StrEnum):
    """How well a row is supported."""

    DOCUMENTED = "D"
    """A page of the API reference gives its text."""
    REFERENCE = "S"
    """The page of the interface itself names it."""
    CLIENT_CODE = "C"
    """Seen in public client code."""
    INFERRED = "I"
    """Concluded from the rest."""
    STANDARD = "R"
    """An internet standard says what it means; that this gateway keeps to it is concluded."""
    TESTED = "T"
    """What the network does, held by this program's own tests over real connections."""
    SITE = "site"
    """The site's own site.yaml says so."""


class Row(Struct, frozen=True, kw_only=True):
    """One answer, or one family of them."""

    code: str
    """A retcode as the gateway writes it, such as `100-006`; `http-404`; a word such as `wrong-name`. A family ends in
    `-*` or `xx`; `*` is everything else."""
    kind: RetcodeClass
    meaning: str
    remedy: str
    page: str = ""
    """Where it stands: a page of the public API reference, or a standard; empty when there is none."""
    grade: Grade
    doubt: bool = False
    """The gateway may have taken the values all the same: until a call is acknowledged the agent is in doubt."""

    @property
    def sentence(self) -> str:
        """What happened, and what to do."""
        return f"{self.meaning}: {self.remedy}"


VerdictTable = Mapping[str, Row]


def by_code(*rows: Row) -> VerdictTable:
    """Return the rows as a table."""
    return MappingProxyType({row.code: row for row in rows})
