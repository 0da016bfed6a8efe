"""docs/gateway.md shows the verdict table as it is."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.gateway import Grade, verdict_table
from reconciler.model.site import RetcodeClass

DOC = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text(encoding="utf-8")


def test_the_documentation_has_every_row_as_it_is_and_no_other() -> None:
    shown = re.findall(r"^\| `[^`]+` \| [A-Z] \| .*$", DOC, re.MULTILINE)

    assert shown == [
        f"| `{row.code}` | {row.grade} | {row.kind}{', in doubt' if row.doubt else ''} | {row.meaning} | {row.remedy} |"
        for row in verdict_table().values()
    ]


def test_the_documentation_explains_every_grade_and_every_class() -> None:
    for grade in set(Grade) - {Grade.SITE}:
        assert f"\n| {grade} | " in DOC
    for kind in RetcodeClass:
        assert f"\n| `{kind}` | " in DOC
