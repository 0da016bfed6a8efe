"""What a plan does to the floor, as charts: for each team and channel a bar for what is recorded, one for what will be.

The numbers stand beside the bars, so that nobody has to read a length or a colour. The bars are SVG with widths in
percent: they stretch with the page, and no style attribute is needed, which the page's policy would refuse.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.capacity import Capacity
from reconciler.model.printable import printable
from reconciler.report.capacity_sums import (
    change_words,
    channel_words,
    over_all_teams,
    team_words,
    teams_by_loss,
)
from reconciler.report.html.columns import Column, Words
from reconciler.report.html.markup import Content, Html, between, element, joined
from reconciler.report.html.page import Section
from reconciler.report.html.pieces import folded, sentences
from reconciler.report.html.table import Table, table_markup
from reconciler.report.layout import counted

_DRAWN = 30
"""Teams that get a chart. Who has more finds every number in a table below."""
_OPEN = 3
"""Teams whose chart is unfolded."""
_LIMIT = 60

_HEADINGS = (
    ("channel", "Channel"),
    ("chart", "Recorded, then planned"),
    ("before", "Recorded"),
    ("after", "Planned"),
    ("difference", "Change"),
    ("at-zero", "Agents at 0"),
    ("bound", "Bound by total"),
)
_NAMED = 3
"""Channels named in the headline, of those that lose and of those that gain."""
_EXPLAINED = (
    "Each number is a sum over agents: how many sessions they may hold at once.",
    "Recorded (the upper bar) is what the gateway last acknowledged; live values cannot be read back.",
    "Planned (the lower bar) is what will be recorded once this plan is applied.",
    "Agents at 0: whom the channel does not reach then.",
    "Bound by total: whose total is below the sum of their channels then, so that not all of them can be full at once.",
)


def capacity_headline(capacity: Sequence[Capacity]) -> list[Html]:
    """Return the sums over everybody, for who reads no further; nothing where nothing is known or nothing moves."""
    whole = over_all_teams(capacity)
    channels = [row for row in whole if row.channel is not None]
    losing = [row for row in channels if row.change < 0]
    gaining = [row for row in reversed(channels) if row.change > 0]
    items = [
        *(_headline("Sessions at once", [f"{row.before:,} → {row.after:,} ", _moved(row)]) for row in whole[:1]),
        *([_headline("Less of", between(", ", _most(losing)))] if losing else []),
        *([_headline("More of", between(", ", _most(gaining)))] if gaining else []),
    ]
    return [element("dl", *items, class_="floor")] if losing or gaining else []


def capacity_sections(capacity: Sequence[Capacity]) -> list[Section]:
    """Return the section of charts; none where nothing is known."""
    if not capacity:
        return []
    teams = teams_by_loss(capacity)
    content = [_legend()]
    if len(teams) > 1:
        content += [element("h3", "All teams"), _chart("All teams", over_all_teams(capacity))]
    moved = [rows for rows in teams if any(row.change for row in rows)]
    content += [_team(rows, opened=place < _OPEN) for place, rows in enumerate(moved[:_DRAWN])]
    content += _rest(teams, moved)
    content.append(folded("What these numbers are", sentences(_EXPLAINED), class_="per-team"))
    return [Section(name="capacity", title="Capacity", content=content)]


def _rest(teams: Sequence[tuple[Capacity, ...]], moved: Sequence[tuple[Capacity, ...]]) -> list[Html]:
    """Return every number in a table where there are teams without a chart."""
    undrawn, still = len(moved[_DRAWN:]), len(teams) - len(moved)
    if not undrawn and not still:
        return []
    words = [f"{counted(undrawn, 'more team')} that change" if undrawn else "", f"{still} without a change"]
    title = " and ".join(filter(None, [words[0], words[1] if still else ""]))
    table = _table([row for rows in teams for row in rows])
    return [
        folded(
            f"All numbers of every team in one table; besides those above, {title}",
            *table_markup(table),
            class_="per-team",
        )
    ]


def _table(rows: Sequence[Capacity]) -> Table:
    columns = (
        Column(name="team", label="Team", cells=Words.of(((team_words(row.team),) for row in rows), limit=_LIMIT)),
        Column(
            name="channel",
            label="Channel",
            cells=Words.of((channel_words(row.channel),) for row in rows),
            choice="every channel",
        ),
        Column(name="before", label="Recorded", cells=tuple(row.before for row in rows)),
        Column(name="after", label="Planned", cells=tuple(row.after for row in rows)),
        Column(name="difference", label="Change", cells=tuple(row.change for row in rows)),
        Column(name="at-zero", label="Agents at 0", cells=tuple(row.at_zero for row in rows)),
        Column(name="bound", label="Bound by total", cells=tuple(row.bound for row in rows)),
    )
    caption = "Capacity of every team on every channel"
    return Table(name="teams", caption=caption, noun="sum", hint="team or channel", columns=columns)


def _headline(name: str, content: Sequence[Content] | Html) -> Html:
    pieces = [content] if isinstance(content, Html) else content
    return element("div", element("dt", name), element("dd", *pieces))


def _most(rows: Sequence[Capacity]) -> list[Content]:
    shown: list[Content] = [joined([f"{channel_words(row.channel)} ", _moved(row)]) for row in rows[:_NAMED]]
    rest = len(rows) - _NAMED
    return [*shown, f"and {counted(rest, 'more channel')}"] if rest > 0 else shown


def _moved(row: Capacity) -> Html:
    return element("span", change_words(row), class_=_tone(row))


def _legend() -> Html:
    keys = (
        ("before", "recorded (last acknowledged)"),
        ("after", "planned"),
        ("lost", "lost by this plan"),
        ("gained", "gained by this plan"),
    )
    return element("ul", *(element("li", _swatch(kind), words) for kind, words in keys), class_="legend")


def _swatch(kind: str) -> Html:
    mark = element("rect", x="0", y="1", width="100%", height="10", class_=kind)
    return element("svg", mark, width="20", height="12", aria_hidden="true")


def _team(rows: Sequence[Capacity], *, opened: bool) -> Html:
    name, total = printable(team_words(rows[0].team), limit=_LIMIT), rows[0]
    losing = sum(1 for row in rows if row.change < 0 and row.channel is not None)
    loses = f", {counted(losing, 'channel')} {'loses' if losing == 1 else 'lose'}" if losing else ""
    words = f"{channel_words(total.channel)} {total.before:,} → {total.after:,}, {change_words(total)}{loses}"
    summary = between(" ", [element("strong", name), element("span", words, class_=_tone(total))])
    return folded(summary, _chart(f"Team {name}", rows), opened=opened, class_="per-team")


def _chart(caption: str, rows: Sequence[Capacity]) -> Html:
    scale = max(1, *(max(row.before, row.after) for row in rows))
    head = element("tr", *(element("th", words, scope="col", class_=name) for name, words in _HEADINGS))
    body = [_row(row, scale) for row in rows]
    return element(
        "table", element("caption", caption), element("thead", head), element("tbody", *body), class_="capacity"
    )


def _row(row: Capacity, scale: int) -> Html:
    name = channel_words(row.channel)
    numbers = (
        ("before", f"{row.before:,}"),
        ("after", f"{row.after:,}"),
        ("difference", change_words(row)),
        ("at-zero", f"{row.at_zero:,}"),
        ("bound", f"{row.bound:,}"),
    )
    labels = dict(_HEADINGS)
    return element(
        "tr",
        element("th", name, scope="row", class_="channel"),
        element("td", _bars(row, scale), class_="chart", data_label=labels["chart"]),
        *(element("td", words, class_=_marked(column, words), data_label=labels[column]) for column, words in numbers),
        class_=" ".join(filter(None, [_tone(row), "sum" if row.channel is None else None])) or None,
    )


def _marked(column: str, words: str) -> str:
    return f"{column} none" if words == "0" else column


def _bars(row: Capacity, scale: int) -> Html:
    kept, name = min(row.before, row.after), channel_words(row.channel)
    bars = [_bar("before", 0, row.before, scale), _bar("after", 0, kept, scale)]
    if row.change:
        bars.append(_bar("lost" if row.change < 0 else "gained", kept, abs(row.change), scale))
    title = element("title", f"{name}: {row.before:,} recorded, {row.after:,} planned")
    told = (
        change_words(row),
        f"agents above 0: {row.agents_before:,} before, {row.agents_after:,} after",
        f"as far as totals let it come true: {row.effective_before:,} before, {row.effective_after:,} after",
    )
    return element("svg", title, element("desc", "; ".join(told)), *bars, role="img", width="100%", height="26")


def _bar(kind: str, start: int, length: int, scale: int) -> Html:
    x, width = (f"{number * 100 / scale:.2f}%" for number in (start, length))
    return element("rect", x=x, y="2" if kind == "before" else "14", width=width, height="10", class_=kind)


def _tone(row: Capacity) -> str | None:
    return ("loss" if row.change < 0 else "gain") if row.change else None
