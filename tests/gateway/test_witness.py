"""What a witness tells besides the verdict: names of cookies, further fields, times; and no secret among them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from gateway.examples import make_request
from gateway.servers import SUCCESS, Manner, answer, authority, free_port, serve, tls_for

from reconciler.gateway import Acknowledged, GatewayWitness, Observation, Transient, Unanswered, open_access
from reconciler.model.gateway_settings import GatewaySettings

GUID = "0a1b2c3d-secret-guid-4e5f.AgentGateway1"


def observe(manner: Manner | None, directory: Path) -> Observation:
    """Send one call to a server of that manner; `None`: to nobody."""

    async def run() -> Observation:
        (directory / "ca.pem").write_bytes(authority().cert_pem.bytes())
        if manner is None:
            return await ask(f"https://127.0.0.1:{free_port()}")
        async with serve(manner, tls_for("127.0.0.1")) as server:
            return await ask(server.url)

    async def ask(url: str) -> Observation:
        settings = GatewaySettings(url=url, ca_file="ca.pem")
        access = open_access(settings, root=directory, environ={})
        async with GatewayWitness(settings, access=access) as witness:
            return await witness.observe(make_request(url, guid=GUID))

    return asyncio.run(run())


def test_of_the_cookies_a_reply_sets_only_the_names_are_told(tmp_path: Path) -> None:
    cookies = ("Set-Cookie: SERVERID=n1-topsecret; Path=/; HttpOnly", 'Set-Cookie: JSESSIONID="abcdef-topsecret"')
    seen = observe(answer(SUCCESS, "200 OK", *cookies), tmp_path)

    assert isinstance(seen.verdict, Acknowledged)
    assert seen.cookie_names == ("JSESSIONID", "SERVERID")
    assert "topsecret" not in repr(seen)


@pytest.mark.parametrize("header", ["Set-Cookie: lonely-topsecret", "Set-Cookie: =topsecret"], ids=["bare", "nameless"])
def test_what_has_no_name_is_no_cookie(tmp_path: Path, header: str) -> None:
    seen = observe(answer(SUCCESS, "200 OK", header), tmp_path)

    assert seen.cookie_names == ()


def test_fields_beyond_retcode_and_message_are_told(tmp_path: Path) -> None:
    body = b'{"retcode": "0", "message": "", "result": {"51": 9}, "resultDesc": null}'

    assert observe(answer(body), tmp_path).extras == ('result={"51": 9}', "resultDesc=null")


@pytest.mark.parametrize("body", [b"[1]", b"<html>", b'{"retcode": "0"}'], ids=["array", "page", "nothing-more"])
def test_where_there_are_none_none_are_told(tmp_path: Path, body: bytes) -> None:
    assert observe(answer(body), tmp_path).extras == ()


@pytest.mark.parametrize(
    "body",
    [b'{"retcode": "0", "echo": "%s"}', b'{"retcode": "0", "%s": 1}', b'{"retcode": "0", "echo": {"x": ["%s"]}}'],
    ids=["value", "name", "nested"],
)
def test_a_field_that_repeats_a_secret_is_withheld(tmp_path: Path, body: bytes) -> None:
    seen = observe(answer(body % GUID.encode()), tmp_path)

    assert GUID not in repr(seen)
    assert "withheld" in seen.extras[0]


def test_a_field_that_repeats_a_cookie_just_set_is_withheld(tmp_path: Path) -> None:
    body = b'{"retcode": "0", "echo": "abcdef-topsecret"}'
    seen = observe(answer(body, "200 OK", "Set-Cookie: A=abcdef-topsecret"), tmp_path)

    assert "topsecret" not in repr(seen)


def test_fields_without_end_are_cut(tmp_path: Path) -> None:
    many = b", ".join(b'"f%03d": "%s"' % (n, b"x" * 500) for n in range(40))
    seen = observe(answer(b'{"retcode": "0", ' + many + b"}"), tmp_path)

    assert len(seen.extras) == 8
    assert max(map(len, seen.extras)) < 200


def test_a_call_that_comes_to_nothing_is_told_with_its_time(tmp_path: Path) -> None:
    refused, page = observe(None, tmp_path), observe(answer(b"<html>"), tmp_path)

    assert isinstance(refused.verdict, Transient)
    assert isinstance(page.verdict, Unanswered)
    assert 0 < refused.seconds < 10
    assert (refused.cookie_names, refused.extras) == ((), ())
