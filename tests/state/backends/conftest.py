"""The rigs as fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from state.backends.object_server import serving_objects
from state.backends.rigs import Rig, git_http_rig, git_rig, http_rig, local_rig, object_rig


@pytest.fixture(scope="session")
def object_port() -> Iterator[int]:
    with serving_objects() as port:
        yield port


@pytest.fixture(params=["local", "git-file", "git-http", "object", "http"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with ExitStack() as stack:
        match request.param:
            case "local":
                yield local_rig(tmp_path)
            case "git-file":
                yield git_rig(tmp_path)
            case "git-http":
                yield stack.enter_context(git_http_rig(tmp_path))
            case "object":
                yield stack.enter_context(object_rig(tmp_path, request.getfixturevalue("object_port")))
            case "http":
                yield stack.enter_context(http_rig(tmp_path))
