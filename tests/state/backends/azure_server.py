"""A server that speaks Azure's blobs, as a process of its own: Azurite, which Microsoft makes for this.

It comes by npm and is large, so the suite does without; `make azurite` fetches it and names it in `AZURITE`. Its
account and key are no secret: every Azurite has them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Final

AZURITE: Final = "AZURITE"
"""The variable that holds the path of the program `azurite-blob`."""
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_VERSION = "2021-12-02"


@contextmanager
def serving_azure(program: str) -> Iterator[int]:
    """Serve on a free port while the context lasts; yield the port."""
    options = ["--disableTelemetry", "--inMemoryPersistence", "--skipApiVersionCheck"]
    with subprocess.Popen(
        [program, *options, "--blobHost", "127.0.0.1", "--blobPort", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            listening = next(line for line in process.stdout if "successfully listens on" in line)
            yield int(listening.rpartition(":")[2])
        finally:
            process.kill()


def make_container(port: int, name: str) -> None:
    """Make a container, with a request that is signed as Azure asks for."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION}
    told = "".join(f"{key}:{value}\n" for key, value in headers.items())
    signed = f"PUT{12 * chr(10)}{told}/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    digest = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
    headers |= {"Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}", "Content-Length": "0"}
    url = f"http://127.0.0.1:{port}/{ACCOUNT}/{name}?restype=container"
    with urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=headers), timeout=30) as reply:
        assert reply.status == 201
