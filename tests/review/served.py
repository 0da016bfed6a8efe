"""A server in this process, over real HTTPS, that plays a host: real sockets, replies decided by `answer`."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trustme


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    """Not decoded."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """What to reply."""

    status: int
    value: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Served:
    """A server, and what it has been asked."""

    port: int = 0
    scheme: str = "https"
    asked: list[Asked] = field(default_factory=list)
    instead: list[Answer | None] = field(default_factory=list)
    """Answers to the next requests in place of the host's own; `None` hangs up, after doing what was asked."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def writes(self) -> list[Asked]:
        """What was asked that changes something."""
        reading = ("/graphql",)
        return [each for each in self.asked if each.method != "GET" and not each.path.endswith(reading)]

    def hurt(self, *answers: Answer | None, at: Callable[[Asked], bool] | None = None) -> None:
        """Give these answers to the next requests (that `at` is true of)."""
        self.instead += answers
        self._at = at

    _at: Callable[[Asked], bool] | None = None

    def reply_to(self, asked: Asked, answer: Callable[[Asked], Answer]) -> Answer | None:
        self.asked.append(asked)
        if self.instead and (self._at is None or self._at(asked)):
            instead = self.instead.pop(0)
            if instead is None:
                answer(asked)
            return instead
        return answer(asked)


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@contextlib.contextmanager
def serving(served: Served, answer: Callable[[Asked], Answer]) -> Iterator[None]:
    """Serve on a free port while the context lasts; one request at a time is answered."""
    guard = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            parts = urlsplit(self.path)
            asked = Asked(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query, strict_parsing=bool(parts.query))),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=json.loads(self.rfile.read(length)) if length else None,
            )
            with guard:
                reply = served.reply_to(asked, answer)
            if reply is None:
                self.close_connection = True
                return
            data = b"" if reply.value is None else json.dumps(reply.value).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(data)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _do  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if served.scheme == "https":
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            authority().issue_cert("127.0.0.1").configure_cert(tls)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = False  # they end with their connections, which a client has to close
        served.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join(10)
