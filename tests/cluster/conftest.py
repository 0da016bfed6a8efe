"""Two nodes, alive, with nobody signed in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster.nodes import Node, running
from support.counterparts import require_program


@pytest.fixture
def nodes() -> Iterator[tuple[Node, ...]]:
    require_program("haproxy", package="haproxy")  # before anything is started for it
    with running("n1", "n2") as pair:
        yield pair
