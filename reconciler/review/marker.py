"""The first line of a comment of ours: which site it is for, what it says in a word, and a hash of what it tells.

Rules of this file: pure. The line is an HTML comment, which no host shows. It is looked for at the very beginning of a
comment and nowhere else, so that somebody who quotes one of ours, or has another program quote it, makes none. Who
wrote the comment is not known here: whoever reads a marker has asked the host for that first.
"""

from __future__ import annotations

import re

from reconciler.review.standing import Standing
from reconciler.values import Struct, replace

_SITE = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FOLDED = "folded"
_WORDS = "|".join([_FOLDED, *Standing])
_LINE = re.compile(
    rf"<!-- reconciler:({_SITE.pattern}):({_WORDS}):({_DIGEST.pattern}) -->(?:\r?\n|\Z)",
    re.ASCII,
)


class Marker(Struct, frozen=True, kw_only=True):
    """What a comment of ours says of itself."""

    site: str
    standing: Standing | None
    """`None` when a newer comment has taken its place: it is folded away and never touched again."""
    digest: str
    """Of what is told, 64 hexadecimal digits; the text that tells it may be another in another version."""

    def __post_init__(self) -> None:
        """Refuse what could not be read back."""
        if not is_site_name(self.site) or not _DIGEST.fullmatch(self.digest):
            raise ValueError("the site or the digest cannot stand in a marker")

    @property
    def line(self) -> str:
        """The marker as it stands in a comment, without the end of its line."""
        return f"<!-- reconciler:{self.site}:{self.standing or _FOLDED}:{self.digest} -->"


def is_site_name(text: str) -> bool:
    """Tell whether `text` can be the name of a site."""
    return _SITE.fullmatch(text) is not None


def read_marker(body: str) -> Marker | None:
    """Return the marker that `body` begins with, or `None`."""
    match = _LINE.match(body)
    if match is None:
        return None
    standing = None if match[2] == _FOLDED else Standing(match[2])
    return Marker(site=match[1], standing=standing, digest=match[3])


def folded(body: str) -> str:
    """Return a comment of ours as one whose place a newer one has taken: nothing but its first line changes."""
    marker = read_marker(body)
    if marker is None:
        raise ValueError("the comment is none of ours")
    return replace(marker, standing=None).line + body[len(marker.line) :]
