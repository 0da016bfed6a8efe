from __future__ import annotations

from pathlib import Path

import pytest
from gateway.servers import authority


@pytest.fixture(scope="session")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The PEM file of the authority that signed the certificates of the servers here."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return path
