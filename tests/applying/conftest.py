from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from applying.rehearsed import Office
from support.rehearsal import RehearsalServer


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An environment of which nothing is recorded yet, and its gateway."""
    with RehearsalServer() as server:
        yield Office(server, tmp_path)
