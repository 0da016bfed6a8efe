"""The nodes of a cluster: rehearsal gateways which can go down and come back.

Rules of this file: a node knows nothing of the other one and nothing of the load balancer before it. What it did is
asked of it directly, never through the front.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler.simulator import Authority, Gateway, Rules, parse_fault, serve
from reconciler.simulator.exchange import Call
from reconciler.simulator.gateway import Visit

T = TypeVar("T")

PATIENCE = 20.0

HOST = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""Where the nodes listen. Linux has all of 127/8, and there nobody else takes a node's port while it is down."""


@dataclass(frozen=True, slots=True)
class Came:
    """One call as it came to a node."""

    agent: int | None
    cookie: str


class WatchedGateway(Gateway):
    """A gateway that keeps what came to it."""

    def __init__(self, node: str) -> None:
        super().__init__(Rules(node=node, sticky_cookies=True), clock=time.monotonic, tokens=secrets.token_hex)
        self.came: list[Came] = []

    def arrive(self, call: Call) -> Visit:
        visit = super().arrive(call)
        if call.path.endswith("/setcallnumsbymediatype"):
            self.came.append(Came(visit.agent, call.cookie))
        return visit


class Node:
    """One CC-Gateway of the cluster, with a certificate, sessions and numbers of its own."""

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self._loop = loop
        self._authority = Authority()
        self._gateway = WatchedGateway(name)
        self._port = 0
        self._up = contextlib.AsyncExitStack()

    @property
    def address(self) -> str:
        """Host and port; they stay while the node is down."""
        return f"{HOST}:{self._port}"

    @property
    def certificate(self) -> str:
        """The certificate of the node's CA, as PEM."""
        return self._authority.certificate.decode()

    def come_up(self) -> None:
        """Begin to listen; after it was down, at the same address and with the sessions there were."""
        serving = serve(self._gateway, authority=self._authority, host=HOST, port=self._port)
        self._port = self._wait(self._up.enter_async_context(serving)).port

    def go_down(self) -> None:
        """Cut what is open and refuse what comes."""
        self._wait(self._up.aclose())

    @property
    def signed_in(self) -> set[int]:
        """Who has a session here."""
        return self._ask(lambda gateway: {session.agent for session in gateway.sessions()})

    @property
    def live(self) -> dict[str, dict[str, object]]:
        """The numbers in force here, by agent."""
        return self._ask(lambda gateway: gateway.agents_document())

    @property
    def came(self) -> list[Came]:
        """The calls that came, in their order."""
        return self._ask(lambda gateway: list(gateway.came))

    def add_faults(self, *faults: str) -> None:
        """Append to the script of faults."""
        self._ask(lambda gateway: gateway.faults.add([parse_fault(text) for text in faults]))

    def clear_faults(self) -> None:
        """Let everything be well from now on."""
        self._ask(lambda gateway: gateway.faults.clear())

    def _ask(self, question: Callable[[WatchedGateway], T]) -> T:
        async def on_loop() -> T:
            return question(self._gateway)

        return self._wait(on_loop())

    def _wait(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE)


@contextlib.contextmanager
def running(*names: str) -> Iterator[tuple[Node, ...]]:
    """Run nodes of these names while the context lasts."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="cluster", daemon=True)
    thread.start()
    nodes = tuple(Node(name, loop) for name in names)
    try:
        for node in nodes:
            node.come_up()
        yield nodes
    finally:
        for node in nodes:
            node.go_down()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
