"""A table that stays quick to open with a hundred thousand rows: each distinct value is written once.

The first rows stand in the page as ordinary markup, for whoever runs no script, prints or reads the source. All rows
stand in a data block beside them, as numbers that point at values; `report.js` draws one page of them at a time, so
what a browser has to lay out does not grow with the plan. Both ways of drawing a row give the same markup; a test in a
browser holds them to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.report.html.columns import Column, Words
from reconciler.report.html.markup import Html, between, data_block, element
from reconciler.report.html.pieces import badge, paragraph
from reconciler.values import Struct

PAGE = 100
"""Rows shown at once."""
_MOST_CHOICES = 500
"""Values a reader can still choose from; where there are more, they are looked for by typing."""
_FEW = 10
"""So many rows are seen at a glance: no filter is offered for them."""


class Table(Struct, frozen=True, kw_only=True):
    """Columns of the same length."""

    name: str
    caption: str
    noun: str
    """What a row is, such as `change`."""
    hint: str
    """What can be looked for, such as `agent, team or 1003-1050`."""
    columns: tuple[Column, ...]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.columns[0].rows


def table_markup(table: Table) -> list[Html]:
    """Return the table with all that belongs to it: filters, count, the first page, the rest as data."""
    shown = [column for column in table.columns if column.shown]
    head = element("thead", element("tr", *(_heading(column) for column in shown)))
    body = element("tbody", *(_row(shown, row) for row in range(min(table.rows, PAGE))))
    caption = element("caption", table.caption)
    content = [
        *([_filters(table)] if table.rows > _FEW else []),
        paragraph(_count(table), class_="count", role="status") if table.rows > _FEW else None,
        element("table", caption, head, body, id=f"{table.name}-table"),
        *([_pager(table)] if table.rows > PAGE else []),
        data_block(_data(table)),
    ]
    return [element("div", *filter(None, content), class_="data", data_noun=table.noun)]


def _count(table: Table) -> str:
    first = f", the first {PAGE} shown" if table.rows > PAGE else ""
    return f"{table.rows:,} {table.noun}{'' if table.rows == 1 else 's'}{first}"


def _filters(table: Table) -> Html:
    name = f"{table.name}-text"
    search = element("input", type="search", id=name, name="text", placeholder=table.hint, autocomplete="off")
    chosen_by = [each for each in table.columns if each.choice and 1 < len(each.pieces) <= _MOST_CHOICES]
    return element(
        "form",
        element("div", element("label", "Filter", for_=name), search),
        *(_choice(table, column) for column in chosen_by),
        element("button", "Clear", type="reset"),
        role="search",
        aria_label=table.caption,
        class_="filters",
        hidden="",
    )


def _choice(table: Table, column: Column) -> Html:
    name = f"{table.name}-{column.name}"
    every = element("option", column.choice, value="-")
    options = [element("option", piece, value=place) for piece, place in column.choices]
    label = element("label", column.label, for_=name)
    return element("div", label, element("select", every, *options, id=name, name=column.name))


def _heading(column: Column) -> Html:
    return element("th", column.label, scope="col", class_=column.name)


def _row(columns: Sequence[Column], row: int) -> Html:
    return element("tr", *(_cell(column, row) for column in columns))


def _cell(column: Column, row: int) -> Html:
    draw: Callable[[str], Html] = badge if column.badges else lambda piece: element("span", piece)
    if isinstance(column.cells, Words):
        pieces = [draw(column.cells.pieces[place]) for place in column.cells.lists[column.cells.cells[row]]]
    else:
        pieces = [element("span", str(column.cells[row]))]
    return element("td", between(column.separator, pieces), class_=column.name, data_label=column.label)


def _pager(table: Table) -> Html:
    buttons = [
        element("button", words, type="button", data_go=where)
        for where, words in (("first", "First"), ("previous", "Previous"), ("next", "Next"), ("last", "Last"))
    ]
    here = element("span", class_="here")
    return element("nav", *buttons, here, class_="pager", aria_label=f"Pages: {table.caption}", hidden="")


def _data(table: Table) -> dict[str, object]:
    return {"page": PAGE, "noun": table.noun, "columns": [column.data for column in table.columns]}
