"""A server that speaks S3, as a process of its own: moto's, which honours If-Match and If-None-Match.

It serves one request after the other, so that a condition and the write it guards are one step, as in a real store.
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

SCRIPT = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
print(server.port, flush=True)
server.serve_forever()
"""
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "made-up-id", "AWS_SECRET_ACCESS_KEY": "made-up-key", "AWS_REGION": "us-east-1"}


@contextmanager
def serving_objects() -> Iterator[int]:
    """Serve on a free port while the context lasts; yield the port."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PATH": "/usr/bin:/bin", "MOTO_S3_CUSTOM_ENDPOINTS": "", **ENVIRONMENT},
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def make_bucket(port: int, name: str) -> None:
    """Make a bucket."""
    end = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/{name}", method="PUT"), timeout=30)
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < end, "the S3 server does not answer"
            time.sleep(0.05)
        else:
            return
