"""A probe that signs its agent in: the agent gets their numbers back and is signed out, also while a poll is open."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from probing.rehearsed import AGENT, Laboratory
from support.processes import wait_until
from support.rehearsal import RehearsalServer

from reconciler.errors import InterruptedRunError
from reconciler.gateway import REPLIES, SignInAccess, open_access, open_source
from reconciler.model.probe import ProbeEnd, Restoration
from reconciler.model.secret_reference import SecretReference
from reconciler.model.sign_in_settings import SignInSessions
from reconciler.simulator import Gateway, Rules, Step


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer(rules=Rules(poll_wait=0.0)) as running:
        yield running


@pytest.fixture
def signing_in(server: RehearsalServer, tmp_path: Path) -> Laboratory:
    laboratory = Laboratory(server, tmp_path)
    gateway = laboratory.desired().site.gateway
    (tmp_path / "credentials.json").write_text(json.dumps({"*": {"password": "open-sesame", "phonenum": "4"}}))
    laboratory.source = open_source(
        SignInSessions(credentials=SecretReference.parse("file:credentials.json")),
        root=tmp_path,
        environ={},
        sign_in=SignInAccess(
            gateway=gateway,
            access=open_access(gateway, root=tmp_path, environ={}),
            table=REPLIES,
            now=lambda: "2025-03-01T12:00:00Z",
            keep_alive_every=0.01,
        ),
    )
    return laboratory


def test_the_agent_is_signed_out_when_the_probe_is_over(signing_in: Laboratory) -> None:
    report = signing_in.probe()

    assert (report.outcome.end, [each.code for each in report.warnings]) == (ProbeEnd.COMPLETE, ["signed-in"])
    assert signing_in.server.call(Gateway.sessions) == ()


def test_an_interruption_while_a_poll_is_open_restores_and_signs_out_in_time(signing_in: Laboratory) -> None:
    server = signing_in.server
    asked_at = 0.0

    def polls() -> int:
        return server.call(lambda gateway: gateway.attendance.count(Step.POLL))

    async def interrupted() -> None:
        nonlocal asked_at
        server.add_faults("poll/*=slow:30")
        before = polls()
        await asyncio.to_thread(wait_until, lambda: polls() > before)
        asked_at = time.monotonic()
        signing_in.halt()
        await asyncio.Event().wait()

    signing_in.meanwhile = interrupted
    report = signing_in.probe(pause=600.0)

    assert time.monotonic() - asked_at < 7
    assert isinstance(report.error, InterruptedRunError)
    assert report.outcome.restoration is Restoration.RESTORED
    assert (server.call(Gateway.sessions), [each.code for each in report.warnings]) == ((), ["signed-in"])
    assert server.call(lambda gateway: gateway.attendance.count(Step.SIGN_IN, AGENT)) == 1
