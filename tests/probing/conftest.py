"""A rehearsal gateway with one agent signed in, and the environment it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from probing.rehearsed import AGENT, Laboratory
from support.rehearsal import RehearsalServer


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer(agents=[AGENT]) as running:
        yield running


@pytest.fixture
def laboratory(server: RehearsalServer, tmp_path: Path) -> Laboratory:
    return Laboratory(server, tmp_path)
