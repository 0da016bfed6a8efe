from __future__ import annotations

import re
from pathlib import Path

from reconciler.report.hosts.diagnostic_codes import MEANINGS

_PAGE = Path(__file__).parent.parent.parent / "docs" / "diagnostics.md"
_ROW = re.compile(r"^\| `(?P<code>[a-z0-9-]+)` \| (?P<meaning>.*?) \|(?: (?P<remedy>.*?) \|)?$", re.MULTILINE)


def test_a_help_text_says_what_the_catalogue_says_word_for_word() -> None:
    rows = {row["code"]: (row["meaning"], row["remedy"] or "") for row in _ROW.finditer(_PAGE.read_text())}
    assert rows == dict(MEANINGS)
