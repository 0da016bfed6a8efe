"""Small pieces that several pages are made of: words with a colour, counts, lists, and what unfolds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, StrEnum

from reconciler.report.html.markup import Content, Html, element


def spoken(value: StrEnum | IntEnum) -> str:
    """Return a word of our own as people say it: `in doubt`, `to zero`."""
    return value.name.lower().replace("_", " ")


def badge(words: str) -> Html:
    """Return words of our own (an effect, a result, a severity), coloured by the stylesheet."""
    return element("span", words, class_="badge", data_value=words)


def tiles(counts: Sequence[tuple[str, int]]) -> Html:
    """Return numbers with what they count, the zeros pale."""
    items = [
        element("div", element("dt", badge(name)), element("dd", f"{count:,}"), class_=None if count else "none")
        for name, count in counts
    ]
    return element("dl", *items, class_="tiles")


def sentences(texts: Sequence[str], *, class_: str = "sentences") -> Html:
    """Return sentences as a list."""
    return element("ul", *(element("li", text) for text in texts), class_=class_)


def folded(summary: Content, *content: Content, opened: bool = False, class_: str | None = None) -> Html:
    """Return content that the reader can fold and unfold; without a script too."""
    return element("details", element("summary", summary), *content, open="" if opened else None, class_=class_)


def paragraph(*content: Content, class_: str | None = None, role: str | None = None) -> Html:
    """Return a paragraph."""
    return element("p", *content, class_=class_, role=role)
