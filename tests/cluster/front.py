"""A real HAProxy before the nodes, set up with the very text that docs/cluster.md shows.

Rules of this file: the text of the documentation is changed only where a test says so, by an edit that must fit. What a
site would not do, and a test needs (a log with the cookies in it), stands here and not there.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import trustme
from cluster.nodes import PATIENCE, Node
from support.counterparts import require_program
from support.processes import wait_until

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "cluster.md"

_GLOBAL = """\
global
    log stdout format raw local0
    stats socket "${ADMIN_BIND}" level user
"""
_SEEN = """\
    capture request header Cookie len 1024
    log-format "seen %pid %s %ST %HP %[capture.req.hdr(0)]"
    default_backend nodes
"""
_LOADED = "Loading success"
_LINE = re.compile(
    r"^seen (?P<worker>\d+) (?P<node>\S+) (?P<status>-?\d+) \S*/(?P<agent>\d+)/(?P<call>\w+) (?P<cookie>.*)$"
)


class Layout(Enum):
    """The blocks of the documentation, in their order."""

    TERMINATION = 0
    """TLS ends at HAProxy, which pins a session to its node by a cookie and speaks TLS to the nodes again."""
    PASSTHROUGH = 1
    """HAProxy passes bytes on; the certificate is a node's, and the caller's address picks the node."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived at the front, and where it went."""

    worker: int
    """The process that took it; another one after a reload."""
    node: str
    """`<NOSRV>` when it went nowhere."""
    status: int
    agent: int
    call: str
    cookie: str
    """The request's Cookie header, `-` when it had none."""


class Front:
    """HAProxy on a free port of 127.0.0.1, before two nodes that listen already."""

    def __init__(
        self,
        work: Path,
        nodes: Iterable[Node],
        *,
        layout: Layout = Layout.TERMINATION,
        edits: Mapping[str, str] | None = None,
    ) -> None:
        self._program = require_program("haproxy", package="haproxy")
        self._work = work / "front"
        self._work.mkdir()
        self._nodes = tuple(nodes)
        self._layout = layout
        self._edits = dict(edits or {})
        # Handed over as they are, so that no port has to be guessed; who comes too early waits in them.
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._admin = socket.create_server(("127.0.0.1", 0))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._write_certificates()
        (self._work / "global.cfg").write_text(_GLOBAL)
        (self._work / "cluster.cfg").write_text(self._configuration())
        command = [self._program, "-W", "-f", "global.cfg", "-f", "cluster.cfg"]
        with (self._work / "log").open("wb") as log, (self._work / "errors").open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=self._work,
                env={**os.environ, **self._environment()},
                stdout=log,
                stderr=errors,
                pass_fds=[self._listener.fileno(), self._admin.fileno()],
            )
        try:
            wait_until(lambda: self._loaded(1))
        except BaseException:
            self._process.kill()  # nobody else will: a context that was not entered is not left
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=PATIENCE)
        self._listener.close()
        self._admin.close()

    @property
    def url(self) -> str:
        """The base address, for `gateway.url`."""
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def ca_file(self) -> Path:
        """What a caller trusts to trust this front."""
        return self._work / "ca.pem"

    def reload(self) -> None:
        """Let new workers take over while the old ones end what they have begun, as `systemctl reload` does."""
        assert self._process is not None
        times = self._errors().count(_LOADED) + 1
        self._process.send_signal(signal.SIGUSR2)
        wait_until(lambda: self._loaded(times))

    def wait_for(self, node: Node, state: str) -> None:
        """Wait until the front's health checks hold the node to be `UP` or `DOWN`."""
        wait_until(lambda: self._state(node).startswith(state))

    def seen(self, call: str) -> list[Seen]:
        """Return the requests of this interface that were answered so far, in the order of the answers."""
        lines = (self._work / "log").read_text().splitlines()
        parsed = [match for line in lines if (match := _LINE.match(line)) and match["call"] == call]
        return [
            Seen(int(row["worker"]), row["node"], int(row["status"]), int(row["agent"]), call, row["cookie"])
            for row in parsed
        ]

    def _configuration(self) -> str:
        blocks = re.findall(r"```haproxy\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
        text = str(blocks[self._layout.value])
        edits = {"    default_backend nodes\n": _SEEN} if self._layout is Layout.TERMINATION else {}
        for old, new in {**edits, **self._edits}.items():
            assert text.count(old) == 1, f"docs/cluster.md has {old!r} no longer, or twice"
            text = text.replace(old, new)
        return text

    def _environment(self) -> dict[str, str]:
        first, second = self._nodes
        return {
            "ADMIN_BIND": f"fd@{self._admin.fileno()}",
            "CC_GATEWAY_BIND": f"fd@{self._listener.fileno()}",
            "CC_GATEWAY_CERTIFICATE": "front.pem",
            "CC_GATEWAY_NODES_CA": "nodes-ca.pem",
            "CC_GATEWAY_NODE_1": first.address,
            "CC_GATEWAY_NODE_2": second.address,
        }

    def _write_certificates(self) -> None:
        nodes = "".join(node.certificate for node in self._nodes)
        (self._work / "nodes-ca.pem").write_text(nodes)
        if self._layout is Layout.PASSTHROUGH:
            self.ca_file.write_text(nodes)  # the nodes' own certificates are what a caller sees
            return
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(self._work / "front.pem")

    def _loaded(self, times: int) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._errors()
        return self._errors().count(_LOADED) >= times

    def _errors(self) -> str:
        return (self._work / "errors").read_text()

    def _state(self, node: Node) -> str:
        with socket.create_connection(self._admin.getsockname(), timeout=PATIENCE) as admin:
            admin.sendall(b"show stat nodes 4 -1\n")
            rows = admin.makefile().read().splitlines()
        states = {row.split(",")[1]: row.split(",")[17] for row in rows if row.startswith("nodes,")}
        return states[node.name]


def sign_in(front: Front, agents: Iterable[int]) -> list[dict[str, Any]]:
    """Sign agents in through the front; return their sessions as the objects of a sessions file, cookies included."""
    context = ssl.create_default_context(cafile=front.ca_file)
    return [_sign_in(front, agent, context) for agent in agents]


def _sign_in(front: Front, agent: int, context: ssl.SSLContext) -> dict[str, Any]:
    # A client each: whoever signs in next must not be led to the same node by this one's cookie.
    with httpx.Client(verify=context, trust_env=False, timeout=PATIENCE) as client:
        reply = client.put(
            f"{front.url}/agentgateway/resource/onlineagent/{agent}",
            headers={"Content-Type": "application/json; charset=UTF-8"},
            json={"password": "", "phonenum": "40038", "status": "3"},
        )
    assert (reply.status_code, reply.json()["retcode"]) == (200, "0")
    guid = reply.headers["Set-GUID"].removeprefix("JSESSIONID=")
    return {"agentId": str(agent), "guid": guid, "cookies": dict(reply.cookies)}
