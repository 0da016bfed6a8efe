"""A rehearsal gateway in a background thread, for tests that are not asynchronous themselves."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from reconciler.simulator import Authority, Control, Gateway, Rules, Stage, parse_fault, serve

T = TypeVar("T")

_PATIENCE = 10.0


class RehearsalServer:
    """Serves a `Gateway` on a free port of 127.0.0.1 while the context lasts.

    Attributes:
        gateway: the judgement behind the server, for reading back and counting.
        url: the base address.
        port: the port.
        ca_file: a PEM file of the CA that signed the server's certificate.
    """

    url: str
    port: int
    ca_file: Path

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        agents: Iterable[int] = (),
        faults: Iterable[str] = (),
        scenarios: Iterable[str] = (),
        control: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.gateway = Gateway(
            rules or Rules(), clock=clock, tokens=secrets.token_hex, faults=[parse_fault(text) for text in faults]
        )
        self._stage = Stage(self.gateway)
        self._stage.play(scenarios)
        for agent in agents:
            self.gateway.sign_in(agent)
        self._control = Control(self.gateway, stage=self._stage) if control else None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="rehearsal", daemon=True)

    def __enter__(self) -> Self:
        self._directory = Path(tempfile.mkdtemp(prefix="rehearsal-"))
        self.ca_file = self._directory / "ca.pem"
        self._thread.start()
        if not self._ready.wait(_PATIENCE) or self._failure is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise RuntimeError("the rehearsal gateway did not start") from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_PATIENCE)
        shutil.rmtree(self._directory, ignore_errors=True)
        if self._thread.is_alive():
            raise RuntimeError("the rehearsal gateway did not stop")

    def sign_in(self, agent_ids: Iterable[int]) -> list[dict[str, object]]:
        """Sign agents in anew; return their sessions as the objects of a sessions file."""
        return self.call(lambda gateway: [gateway.sign_in(agent).document() for agent in agent_ids])

    def add_faults(self, *faults: str) -> None:
        """Append to the script of faults."""
        parsed = [parse_fault(text) for text in faults]
        self.call(lambda gateway: gateway.faults.add(parsed))

    def play(self, *scenarios: str) -> None:
        """Play scenarios from now on, such as `dr-switchover:30s`."""
        self.call(lambda _gateway: self._stage.play(scenarios))

    def call(self, change: Callable[[Gateway], T]) -> T:
        """Run `change` on the server's own thread, where no request is being judged meanwhile."""

        async def on_loop() -> T:
            return change(self.gateway)

        return asyncio.run_coroutine_threadsafe(on_loop(), self._loop).result(_PATIENCE)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:  # noqa: BLE001 - told to whoever is waiting in __enter__
            self._failure = exc
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        authority = Authority()
        async with serve(self.gateway, authority=authority, control=self._control) as server:
            self.url, self.port = server.url, server.port
            authority.write_certificate(self.ca_file)
            self._ready.set()
            await self._stop.wait()
