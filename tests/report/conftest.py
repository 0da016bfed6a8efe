from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

_GOLDEN = Path(__file__).parent / "golden"
_SAMPLES = Path(__file__).parent.parent.parent / "docs" / "samples"


def _compare(directory: Path, name: str, text: str) -> None:
    file = directory / name
    if os.environ.get("UPDATE_GOLDENS"):
        file.write_bytes(text.encode())
        pytest.fail(f"{name} is rewritten: read it, then run again without UPDATE_GOLDENS")
    assert file.read_bytes().decode() == text


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with its golden file. `UPDATE_GOLDENS=1` rewrites the file, and fails for once."""
    return partial(_compare, _GOLDEN)


@pytest.fixture
def sample() -> Callable[[str, str], None]:
    """The same for what the documentation shows."""
    return partial(_compare, _SAMPLES)
