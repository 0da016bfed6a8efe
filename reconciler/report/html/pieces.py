"""Small pieces that several pages are made of: words with a colour, counts, lists, and what unfolds."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.report.html.markup import Content, Html, element


def badge(value: str) -> Html:
    """Return one of our own words (an action, a result, a severity), coloured by the stylesheet."""
    return element("span", value.replace("_", " "), class_="badge", data_value=value)


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
