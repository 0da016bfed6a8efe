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


@pytest.fixture
def slow_site(site: Site) -> Site:
    """Twenty agents at ten calls a second: an apply that can be met in its midst."""
    site.edit("site.yaml", "requests_per_second: 1000", "requests_per_second: 10\n  concurrency: 2")
    site.write("fleet.yaml", "agents: {1001-1020: {total: 3, channels: {web_chat: 3}}}\n")
    return site
