"""The rigs as fixtures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from state.backends.azure_server import AZURITE, serving_azure
from state.backends.object_server import serving_objects
from state.backends.rigs import Rig, azure_rig, git_http_rig, git_rig, http_rig, local_rig, object_rig


@pytest.fixture(scope="session")
def object_port() -> Iterator[int]:
    with serving_objects() as port:
        yield port


@pytest.fixture(scope="session")
def azure_port() -> Iterator[int]:
    with serving_azure(os.environ[AZURITE]) as port:
        yield port


@pytest.fixture(
    params=["local", "git-file", "git-http", "object", "http", *(["azure"] if AZURITE in os.environ else [])]
)
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
            case "azure":
                yield stack.enter_context(azure_rig(tmp_path, request.getfixturevalue("azure_port")))
            case "http":
                yield stack.enter_context(http_rig(tmp_path))
