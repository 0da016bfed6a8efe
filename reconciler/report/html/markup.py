"""HTML elements put together so that no text can become markup.

Rules of this file: whatever is a `str` is text, and is escaped; what is markup is `Html`, and only `element` and
`data_block` make it. Names of elements and attributes come from our own code and are never drawn from a plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape

from reconciler.model.printable import printable
from reconciler.values import Struct

_VOID = frozenset({"input", "link", "meta"})
_WHOLE = 10_000_000
"""More than a text may have: here nothing is cut, whoever brings a foreign text has cut it."""


class Html(Struct, frozen=True):
    """Markup, safe to stand in a page as it is."""

    source: str


Content = Html | str
"""What an element may hold: markup, or text that is to be escaped."""


def element(name: str, /, *content: Content, **attributes: str | int | None) -> Html:
    """Return the element `name`.

    Args:
        name: an element's name, such as `td`.
        content: what stands in it; text is escaped, and what is invisible in it made visible.
        attributes: `class_` is written `class` and `aria_label` `aria-label`; `None` leaves the attribute out and an
            empty text writes its bare name, such as `hidden`.
    """
    written = (_attribute(key, value) for key, value in attributes.items() if value is not None)
    start = " ".join([name, *written])
    return Html(f"<{start}>" if name in _VOID else f"<{start}>{joined(content).source}</{name}>")


def joined(content: Iterable[Content]) -> Html:
    """Return several pieces of content as one."""
    return Html("".join(each.source if isinstance(each, Html) else _escaped(each) for each in content))


def between(separator: str, content: Iterable[Content]) -> Html:
    """Return the pieces with a text between each two of them."""
    pieces: list[Content] = []
    for each in content:
        pieces += [separator, each] if pieces else [each]
    return joined(pieces)


def data_block(value: object) -> Html:
    """Return JSON that a script of the page may read and that no browser executes.

    Whatever could end the block or begin a comment in it is written as an escape of JSON's own.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Html('<script type="application/json">' + text.replace("<", "\\u003c") + "</script>")


def _attribute(key: str, value: str | int) -> str:
    name = key.rstrip("_").replace("_", "-")
    return name if value == "" else f'{name}="{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    return escape(printable(text, limit=_WHOLE))
