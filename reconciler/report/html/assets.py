"""The stylesheet and the script of the HTML report, and the hashes by which its policy knows them.

They are code of ours in other languages, as constant as this module, and stand beside it so that an editor knows what
they are. Reading them is to the report what an import is: the same installation always gives the same text.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib import resources

from reconciler.values import Struct


class Asset(Struct, frozen=True, kw_only=True):
    """A text that a page carries inside."""

    text: str

    @property
    def policy(self) -> str:
        """The text's hash as a Content Security Policy names it; any other text is refused by the browser."""
        return f"'sha256-{b64encode(sha256(self.text.encode()).digest()).decode()}'"


@cache
def stylesheet() -> Asset:
    """Return what the page looks like."""
    return _asset("report.css")


@cache
def script() -> Asset:
    """Return what filters, sorts and turns the pages of its tables."""
    return _asset("report.js")


def _asset(name: str) -> Asset:
    file = resources.files("reconciler.report.html") / name
    return Asset(text=f"\n{file.read_text(encoding='utf-8')}")
