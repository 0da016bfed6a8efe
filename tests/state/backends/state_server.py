"""A server that keeps states as Terraform's HTTP backend and GitLab expect it, after their published protocol.

GET gives the state, or 404; POST with `?ID=` takes one, 409 if the lock is another's; LOCK and UNLOCK (or what they are
called, at an address of their own) carry the lock's JSON, 423 with the holder's JSON if it is held; DELETE removes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LOGIN = ("ci", "a-made-up-password")
SILENCE = 0
"""Stands for a connection that ends without a word."""


@dataclass
class StateServer:
    """What the server keeps, and what it has seen."""

    port: int = 0
    state: bytes | None = None
    lock: bytes | None = None
    held_status: int = 423
    trouble: list[int] = field(default_factory=list)
    """Statuses to answer the next requests with, instead of doing what they ask."""
    seen: Counter[str] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/state/demo"

    def answer(self, method: str, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
        match method:
            case "GET":
                return (404, b"") if self.state is None else (200, self.state)
            case "POST":
                return self._post(lock_id, body)
            case "LOCK":
                return self._lock(body)
            case "UNLOCK":
                return self._unlock(body)
            case "DELETE":
                self.state = None
                return 200, b""
        return 405, b""

    def _post(self, lock_id: str | None, body: bytes) -> tuple[int, bytes]:
        if self.lock is not None and json.loads(self.lock)["ID"] != lock_id:
            return 409, self.lock
        if self.lock is None and lock_id is not None:
            return 409, b""  # what was locked is not any more
        self.state = body
        return 200, b""

    def _lock(self, body: bytes) -> tuple[int, bytes]:
        if self.lock is not None:
            return self.held_status, self.lock
        self.lock = body
        return 200, b""

    def _unlock(self, body: bytes) -> tuple[int, bytes]:
        if self.lock is None:
            return 404, b""
        if json.loads(self.lock)["ID"] != json.loads(body)["ID"]:
            return self.held_status, self.lock
        self.lock = None
        return 200, b""


@contextmanager
def serving() -> Iterator[StateServer]:
    """Serve on a free port while the context lasts."""
    kept = StateServer()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with kept.guard:
                status, reply = self._judge(body)
            if status == SILENCE:
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(reply)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(reply)

        def _judge(self, body: bytes) -> tuple[int, bytes]:
            kept.seen[self.command] += 1
            kept.bodies.append(body)
            if kept.trouble:
                return kept.trouble.pop(0), b"<html>trouble</html>"
            if self.headers.get("Authorization") != f"Basic {base64.b64encode(':'.join(LOGIN).encode()).decode()}":
                return 401, b""
            digest = self.headers.get("Content-MD5")
            if body and digest != base64.b64encode(hashlib.md5(body).digest()).decode():  # noqa: S324 - the protocol's
                return 400, b""
            parts = urlsplit(self.path)
            lock_id = parse_qs(parts.query).get("ID", [None])[0]
            # GitLab has an address for the lock, where plain methods do what LOCK and UNLOCK do here.
            plain = {"POST": "LOCK", "DELETE": "UNLOCK"} if parts.path.endswith("/lock") else {}
            return kept.answer(plain.get(self.command, self.command), lock_id, body)

        do_GET = do_POST = do_DELETE = do_LOCK = do_UNLOCK = do_PUT = _do  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        kept.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join(10)
