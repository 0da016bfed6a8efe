"""Markdown as hosts read it: GitHub's own parser, and what comes out of it as a tree that can be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]  # it ships no types
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]  # as above
from markdown_it import MarkdownIt

ALLOWED = frozenset(
    {"h2", "h3", "p", "strong", "code", "pre", "ul", "li", "details", "summary"}
    | {"table", "thead", "tbody", "tr", "th", "td"}
)
"""Every element that a report may have. No link, no image, no quotation, no emphasis, no HTML but `details`."""

_ATTRIBUTES = frozenset({("align", "right"), ("class", "language-diff"), ("lang", "diff")})

_REFERENCE = re.compile(
    r"""
      [@~!%&$#^\[][\w"{(\[]    # @team, ~label, !1, %milestone, &epic, $1, $math$, #1, [link], [[page]]
    | \w[@\#!$]\w             # a@b.example, org/repo#1
    | \bGH-\d
    | \w://|\bwww\.|\bmailto:
    | :[\w+-]+:               # :emoji:
    | \b[0-9a-f]{7,40}\b      # a commit
    | <|>
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What a host makes something of in text that is not code."""


@dataclass
class Element:
    tag: str
    text: str = ""
    """Its own and that of what is in it."""
    bare: str = ""
    """The same without code."""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        found = [self] if self.tag == tag else []
        return [*found, *(each for child in self.children for each in child.all(tag))]


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, f"<{tag}>"
        assert set(attrs) <= _ATTRIBUTES, f"<{tag} {attrs}>"
        element = Element(tag)
        self.open[-1].children.append(element)
        self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        element = self.open.pop()
        assert tag == element.tag, f"</{tag}> closes <{element.tag}>"
        self.open[-1].text += element.text
        self.open[-1].bare += " " if tag in {"code", "pre"} else element.bare

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data
        self.open[-1].bare += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"<!{decl}>")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"<![{data}>")


def html_of(text: str) -> str:
    """The page as GitHub's parser makes it, before its sanitiser: raw HTML is still there."""
    html: str = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    return html


def second_html_of(text: str) -> str:
    """The page as another parser of the same language makes it."""
    html: str = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    return html


def read(text: str) -> Element:
    """The tree of `text`, in which nothing is but what a report may have.

    Raises:
        AssertionError: an element, an attribute or a reference is in it that has no place in a report, or an element is
            not closed where it was opened.
    """
    return tree_of(html_of(text))


def tree_of(html: str) -> Element:
    tree = _Tree()
    tree.feed(html)
    tree.close()
    assert len(tree.open) == 1, f"<{tree.open[-1].tag}> is never closed"
    root = tree.open[0]
    assert _REFERENCE.findall(root.bare) == []
    return root


def code_spans(html: str) -> list[str]:
    """What stands in code, in a page of any parser."""
    return [unescape(text) for text in re.findall(r"<code[^>]*>(.*?)</code>", html, re.DOTALL)]


def require_well_formed(text: str) -> Element:
    """Hold what must be true of every report, and return its tree.

    No row of a table has more or fewer cells than its head: a parser drops the one and makes up the other, so that is
    counted in the source, where a pipe with a backslash before it ends no cell.
    """
    root = read(text)
    for line in text.split("\n"):
        assert line == line.rstrip()
        assert line.isprintable()
        assert not line.startswith("/")
    rows = [[_cells(line) for line in table] for table in _tables(text)]
    assert all(len(set(widths)) == 1 for widths in rows)
    drawn = [[len(row.children) for row in table.all("tr")] for table in root.all("table")]
    assert drawn == [[width for index, width in enumerate(widths) if index != 1] for widths in rows]
    return root


def _tables(text: str) -> list[list[str]]:
    """The lines of each table, in order."""
    tables: list[list[str]] = []
    fence, before = "", ""
    for line in text.split("\n"):
        if line.startswith("```") and not fence:
            fence = re.match("`+", line)[0]  # type: ignore[index]  # three of them have just been seen
        elif line == fence:
            fence = ""
        elif line.startswith("| ") and not fence:
            if not before.startswith("| "):
                tables.append([])
            tables[-1].append(line)
        before = line
    return tables


def _cells(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line)) - 1
