"""What a comment says: a marker, the report as Markdown, and who made it.

Rules of this file: pure. The comment is rendered to fit its host from the start, marker and last line included. Whether
it says something new is decided by what is told, never by the text: two texts that were shortened differ, or agree, for
reasons of their own.
"""

from __future__ import annotations

import hashlib

from reconciler.errors import InputError
from reconciler.model.printable import printable
from reconciler.report import Format, Reported, Repository, document_text, render, report_document
from reconciler.review.marker import Marker, is_site_name
from reconciler.review.standing import Standing, standing_of
from reconciler.values import Struct

FRAME = 2_000
"""Characters left free for what stands around a report: marker, last line, and what folds it away."""

_LONGEST_PAGE = 300
_NOWHERE = Repository(top="/", here="/")
"""Markdown names no file by its place in a checkout."""


class StickyComment(Struct, frozen=True, kw_only=True):
    """The comment that a site is to have on a pull request."""

    marker: Marker
    standing: Standing
    """What the marker says in a word."""
    body: str
    """All of it, the marker included."""


def sticky_comment(report: Reported, *, site: str, max_chars: int, page: str | None) -> StickyComment:
    """Return the comment that tells `report`.

    Args:
        report: a plan, an outcome, or what kept a command from either.
        site: whose comment it is.
        max_chars: what the report may take.
        page: the address of the CI job that made it, if there is one.

    Raises:
        InputError: no site can have that name.
    """
    if not is_site_name(site):
        raise InputError(
            f"{printable(site, limit=60)!r} is no name of a site",
            hint="give the name that stands in site.yaml: --site NAME",
        )
    standing = standing_of(report)
    marker = Marker(site=site, standing=standing, digest=_digest(report))
    text = render(report, Format.MARKDOWN, repository=_NOWHERE, max_chars=max_chars)
    return StickyComment(marker=marker, standing=standing, body=f"{marker.line}\n{text}{_last_line(page)}")


def _digest(report: Reported) -> str:
    """Return a hash of everything a report tells; the version of the tool that made it is not told."""
    document = {name: value for name, value in report_document(report).items() if name != "tool_version"}
    return hashlib.sha256(document_text(document).encode("utf-8", "surrogatepass")).hexdigest()


def _last_line(page: str | None) -> str:
    if page is None or len(page) > _LONGEST_PAGE or any(char in page for char in "<>()[]`\\\"'"):
        return ""
    return f"\n<sub>[The job that made this]({page}) keeps the whole report.</sub>\n"
