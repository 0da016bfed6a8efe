"""A real Redis server, on free ports of this machine and in a folder of its own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import redis
from gateway.servers import authority, free_port
from support.counterparts import require_program
from support.processes import wait_until

READER = "reader"
PASSWORD = "pa55 w0rd & more"


@dataclass(frozen=True)
class RedisProgram:
    """A running server."""

    port: int
    tls_port: int
    client: redis.Redis
    """Somebody who may do everything."""
    process: subprocess.Popen[bytes]

    def answers(self) -> bool:
        with contextlib.suppress(redis.exceptions.ConnectionError):
            return bool(self.client.ping())
        return False

    def commands(self) -> dict[str, int]:
        """How often each command was called, refused ones included."""
        statistics = self.client.info("commandstats")
        assert isinstance(statistics, dict)
        return {name.removeprefix("cmdstat_"): each["calls"] for name, each in statistics.items()}


@contextlib.contextmanager
def redis_program(folder: Path, *lines: str, password: str | None = None) -> Iterator[RedisProgram]:
    """A server with these lines in its configuration; `password` is its default user's."""
    program = require_program("redis-server", package="redis-server")
    port, tls_port = free_port(), free_port()
    folder.mkdir(exist_ok=True)
    leaf = authority().issue_cert("127.0.0.1", "localhost")
    leaf.private_key_pem.write_to_path(str(folder / "key.pem"))
    leaf.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    authority().cert_pem.write_to_path(str(folder / "ca.pem"))
    settings = [
        f"port {port}\ntls-port {tls_port}\nbind 127.0.0.1\nsave ''\nappendonly no\ndatabases 4",
        "tls-cert-file cert.pem\ntls-key-file key.pem\ntls-ca-cert-file ca.pem\ntls-auth-clients no",
        f'user {READER} on "#{_digest(PASSWORD)}" ~agent:* ~floor -@all +getrange +hmget +select',
        "user idle on nopass ~* -@all",
        *([f'requirepass "{password}"'] if password else []),
        *lines,
    ]
    (folder / "redis.conf").write_text("\n".join(settings) + "\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "redis.conf"], cwd=folder, stdout=log, stderr=log)
    client = redis.Redis(port=port, password=password)
    running = RedisProgram(port, tls_port, client, process)
    try:
        wait_until(lambda: running.answers() or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield running
    finally:
        client.close()
        process.kill()
        process.wait()


def _digest(password: str) -> str:
    return sha256(password.encode()).hexdigest()
