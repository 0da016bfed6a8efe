"""A gateway 20 ms away: HAProxy with TLS and a few lines of Lua, and `wrk`, which calls it as fast as can be.

Rules of this file: both are Debian packages (`haproxy`, `wrk`), found on the path and never installed from here.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

PEERS = Path(__file__).parent / "peers"
_CONFIG = """\
global
  nbthread 1
  lua-load {lua}
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend gateway
  bind 127.0.0.1:{port} ssl crt {certificate} alpn http/1.1
  http-request use-service lua.gateway
"""


@contextmanager
def gateway(work: Path) -> Iterator[str]:
    """Serve it, write `ca.pem` into `work`, and yield its URL."""
    port = _free_port()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(work / "ca.pem")
    certificate = work / "gateway.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    config = work / "haproxy.cfg"
    config.write_text(_CONFIG.format(lua=PEERS / "gateway.lua", port=port, certificate=certificate))
    process = subprocess.Popen([_program("haproxy"), "-q", "-f", str(config)])
    try:
        _wait_for(port)
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def wrk_rate(url: str, *, concurrency: int, seconds: int) -> float:
    """Return how many calls a second `wrk` makes, so many at a time."""
    call = f"{url}/agentgateway/resource/mediacall/100000/setcallnumsbymediatype"
    words = [_program("wrk"), "-t1", f"-c{concurrency}", f"-d{seconds}s", "-s", str(PEERS / "call.lua"), call]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    rate = re.search(r"^Requests/sec:\s+([0-9.]+)$", told, re.MULTILINE)
    if rate is None or "Non-2xx" in told:
        raise RuntimeError(f"wrk did not get its answers:\n{told}")
    return float(rate[1])


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed; on Debian: apt-get install {name}")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("haproxy does not listen")
