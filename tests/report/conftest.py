from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

_GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with its golden file. `UPDATE_GOLDENS=1` rewrites the file, and fails for once."""

    def compare(name: str, text: str) -> None:
        file = _GOLDEN / name
        if os.environ.get("UPDATE_GOLDENS"):
            file.write_bytes(text.encode())
            pytest.fail(f"{name} is rewritten: read it, then run again without UPDATE_GOLDENS")
        assert file.read_bytes().decode() == text

    return compare
