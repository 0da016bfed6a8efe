"""What docs/reliability.md says of these tests is what they try.

`UPDATE_GOLDENS=1` writes the table of today into the page, and fails so that somebody reads the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from crash.scale import FIGURES, Figure

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"


def table() -> str:
    """Return the figures as the page has them."""
    rows = [
        f"| {figure.what} | {figure.usually:,} | {figure.torture:,} | `tests/{figure.test}` |" for figure in FIGURES
    ]
    return "\n".join(
        ("| What is tried, at least | `make test` | `make torture` | by |", "|---|--:|--:|---|", *rows, "")
    )


def test_the_figures_in_the_docs_are_those_the_tests_hold() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("UPDATE_GOLDENS") and written != table():
        PAGE.write_text(f"{before}{BEGIN}{table()}{END}{after}", encoding="utf-8")
        pytest.fail("docs/reliability.md has been written anew; look at the difference")
    assert written == table()


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.what.split()[0].lower())
def test_each_figure_names_a_test_that_is_there(figure: Figure) -> None:
    assert (ROOT / "tests" / figure.test).is_file()
