"""A rehearsal gateway over real TLS, and an environment that points at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.rehearsal import RehearsalServer
from support.site import Site, live_site


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer(agents=range(1001, 1021)) as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, server: RehearsalServer) -> Iterator[Site]:
    with live_site(tmp_path, server) as ready:
        yield ready
