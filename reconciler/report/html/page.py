"""The frame of a page: its head, with a policy that lets it load and run nothing but itself, and its heading.

Rules of this file: one file, no address in it that a browser would follow by itself. The policy names the stylesheet
and the script by their hashes, so that markup that got in by a mistake of ours could still run nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.report.html.assets import script, stylesheet
from reconciler.report.html.markup import Html, element
from reconciler.values import Struct


class Verdict(Struct, frozen=True, kw_only=True):
    """What it comes to, in words; the tone colours them and is never all that says it."""

    tone: str
    """`good`, `bad`, `warning` or `plain`."""
    words: str


class Section(Struct, frozen=True, kw_only=True):
    """A part of the page with a heading of its own."""

    name: str
    """Its anchor."""
    title: str
    content: Sequence[Html]


def page(
    *,
    title: str,
    verdict: Verdict,
    lead: Sequence[Html],
    facts: Sequence[tuple[str, str]],
    sections: Sequence[Section],
) -> str:
    """Return a whole HTML document.

    Args:
        title: its first heading.
        verdict: what stands right under it.
        lead: what a reader in a hurry gets to see next.
        facts: names and values of what identifies the subject.
        sections: the parts, in the order in which they are to be read.
    """
    header = element("header", element("h1", title), _verdict(verdict), *lead, _facts(facts))
    main = element("main", header, *map(_section, sections), id="main")
    contents = [_contents(sections)] if len(sections) > 1 else []
    body = element("body", _skip_link(sections), *contents, main, _executed(script().text))
    head = _head(f"{title}: {verdict.words}")
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en').source}\n"


def _head(title: str) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("link", rel="icon", href="data:,"),  # else a browser asks the server for one
        element("title", title),
        element("style", Html(stylesheet().text)),
    )


def _policy() -> str:
    rules = (
        "default-src 'none'",
        f"style-src {stylesheet().policy}",
        f"script-src {script().policy}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
    return "; ".join(rules)


def _executed(text: str) -> Html:
    return element("script", Html(text))


def _skip_link(sections: Sequence[Section]) -> Html:
    first = sections[0].name if sections else "main"
    return element("a", "Skip to the content", href=f"#{first}", class_="skip")


def _contents(sections: Sequence[Section]) -> Html:
    links = [element("li", element("a", section.title, href=f"#{section.name}")) for section in sections]
    return element("nav", element("ul", *links), aria_label="On this page", class_="contents")


def _verdict(verdict: Verdict) -> Html:
    return element("p", verdict.words, class_=f"verdict {verdict.tone}")


def _facts(facts: Sequence[tuple[str, str]]) -> Html:
    pairs = [element("div", element("dt", name), element("dd", value)) for name, value in facts]
    return element("dl", *pairs, class_="facts")


def _section(section: Section) -> Html:
    heading = f"{section.name}-heading"
    return element(
        "section",
        element("h2", section.title, id=heading),
        *section.content,
        id=section.name,
        tabindex="-1",
        aria_labelledby=heading,
    )
