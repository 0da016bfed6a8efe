from __future__ import annotations

import asyncio
import http.client
import json
import logging
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from support.calls import CONTENT_TYPE, REFERENCE_REQUEST, SUCCESS, body_of, path_of
from support.rehearsal import RehearsalServer

from reconciler.errors import InputError
from reconciler.simulator import Authority, Gateway, Rules, RunningServer, SimulatedSession, serve
from reconciler.simulator.listener import Listener


@pytest.fixture
def server() -> Iterator[RehearsalServer]:
    with RehearsalServer() as running:
        yield running


def _context(server: RehearsalServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.ca_file))


def _client(server: RehearsalServer) -> httpx.Client:
    return httpx.Client(base_url=server.url, verify=_context(server), trust_env=False, timeout=10)


def _headers(session: dict[str, object]) -> dict[str, str]:
    return {"Guid": str(session["guid"]), "Content-Type": CONTENT_TYPE}


def test_the_references_request_over_https_gets_the_references_response() -> None:
    with RehearsalServer(rules=Rules(callnums_key="callnums")) as server:
        [session] = server.sign_in([1001])
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=_context(server), timeout=10)
        connection.request("POST", path_of(1001), REFERENCE_REQUEST, _headers(session))
        response = connection.getresponse()
        body = response.read()
        connection.close()

    assert (response.status, response.headers["Content-Type"]) == (200, CONTENT_TYPE)
    assert json.loads(body) == SUCCESS
    assert body == b'{"message":"success","retcode":"0"}'


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_the_certificate_is_good_for_the_loopback_names(server: RehearsalServer, name: str) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw,
        _context(server).wrap_socket(raw, server_hostname=name) as secured,
    ):
        assert secured.version() in {"TLSv1.2", "TLSv1.3"}


def test_who_was_not_given_the_ca_does_not_trust_the_server(server: RehearsalServer) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get("/")


def test_keep_alive_serves_many_calls_on_one_connection(server: RehearsalServer) -> None:
    [session] = server.sign_in([1001])
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=_context(server), timeout=10)
    ports = set()
    for total in range(1, 31):
        connection.request("POST", path_of(1001), body_of(total), _headers(session))
        connection.getresponse().read()
        ports.add(connection.sock.getsockname()[1])
    connection.close()

    assert len(ports) == 1
    assert server.gateway.requests_document()["total"] == 30


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_get_405_as_json(server: RehearsalServer, method: str) -> None:
    with _client(server) as client:
        response = client.request(method, path_of(1001))

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert response.json().keys() == {"message", "retcode"}


@pytest.mark.parametrize("path", ["/", "//", "/agentgateway", path_of(1001) + "/", "/rehearsal", "/rehearsal/agents"])
def test_nothing_is_ever_redirected_and_control_is_absent_unless_asked_for(server: RehearsalServer, path: str) -> None:
    with _client(server) as client:
        response = client.get(path)

    assert response.status_code == 404
    assert "Location" not in response.headers


def test_two_guid_headers_are_no_guid(server: RehearsalServer) -> None:
    [session] = server.sign_in([1001])
    guid = str(session["guid"])
    with _client(server) as client:
        response = client.post(
            path_of(1001), content=body_of(), headers=[("Guid", guid), ("Guid", guid), ("Content-Type", CONTENT_TYPE)]
        )

    assert response.json()["retcode"] == "000-003"


def test_a_query_does_not_change_the_resource(server: RehearsalServer) -> None:
    [session] = server.sign_in([1001])
    with _client(server) as client:
        response = client.post(path_of(1001) + "?x=1", content=body_of(), headers=_headers(session))

    assert response.json() == SUCCESS


def test_a_percent_encoded_agent_id_is_a_bad_url_parameter(server: RehearsalServer) -> None:
    with _client(server) as client:
        response = client.post(path_of("%E0%A5%A7"), content=body_of())

    assert response.json()["retcode"] == "000-002"


def test_an_endless_body_is_a_bad_message(server: RehearsalServer) -> None:
    [session] = server.sign_in([1001])
    with _client(server) as client:
        response = client.post(path_of(1001), content=b" " * 2_000_000, headers=_headers(session))

    assert response.json()["retcode"] == "000-006"


@pytest.mark.parametrize(("fault", "committed"), [("reset-before-commit", {}), ("reset-after-commit", {"1001": 25})])
def test_a_reset_leaves_the_caller_without_an_answer(
    server: RehearsalServer, fault: str, committed: dict[str, int]
) -> None:
    [session] = server.sign_in([1001])
    server.add_faults(fault)
    with _client(server) as client:
        with pytest.raises(httpx.TransportError):
            client.post(path_of(1001), content=body_of(), headers=_headers(session))
        assert committed == {agent: row["total"] for agent, row in server.gateway.agents_document().items()}
        again = client.post(path_of(1001), content=body_of(), headers=_headers(session))

    assert again.json() == SUCCESS


@pytest.mark.parametrize(
    ("fault", "status", "content_type"),
    [
        ("http-502", 502, "text/html; charset=UTF-8"),
        ("http-200-html", 200, "text/html; charset=UTF-8"),
        ("http-429:3", 429, CONTENT_TYPE),
        ("retcode:000-004", 200, CONTENT_TYPE),
        ("slow:0.05", 200, CONTENT_TYPE),
    ],
)
def test_faults_look_real_on_the_wire(server: RehearsalServer, fault: str, status: int, content_type: str) -> None:
    [session] = server.sign_in([1001])
    server.add_faults(fault)
    with _client(server) as client:
        response = client.post(path_of(1001), content=body_of(), headers=_headers(session))

    assert (status, content_type) == (response.status_code, response.headers["Content-Type"])
    assert response.headers.get("Retry-After") == ("3" if status == 429 else None)


def test_a_caller_that_gives_up_has_changed_the_agent_and_overlaps_itself() -> None:
    with RehearsalServer(faults=["1001#1=slow:30"]) as server:
        [session] = server.sign_in([1001])
        with _client(server) as client:
            with pytest.raises(httpx.ReadTimeout):
                client.post(path_of(1001), content=body_of(), headers=_headers(session), timeout=0.3)
            again = client.post(path_of(1001), content=body_of(), headers=_headers(session))

        assert server.gateway.agents_document()["1001"]["total"] == 25
        assert again.json()["retcode"] == "000-007"


def test_the_cookies_of_a_session_travel_in_the_cookie_header(server: RehearsalServer) -> None:
    session = SimulatedSession(agent=1001, guid="g", cookies={"JSESSIONID": "c"})
    server.call(lambda gateway: gateway.admit(session))
    headers = {"Guid": "g", "Content-Type": CONTENT_TYPE}
    with _client(server) as client:
        without = client.post(path_of(1001), content=body_of(), headers=headers)
        along = client.post(path_of(1001), content=body_of(), headers={**headers, "Cookie": "JSESSIONID=c"})

    assert (without.json()["retcode"], along.json()["retcode"]) == ("000-003", "0")


def test_the_control_interface_is_served_where_it_was_asked_for() -> None:
    with RehearsalServer(control=True) as server, _client(server) as client:
        session = client.post("/rehearsal/sign-in/1001").json()
        client.post("/rehearsal/faults", json=["retcode:100-007"])
        first = client.post(path_of(1001), content=body_of(), headers=_headers(session)).json()
        second = client.post(path_of(1001), content=body_of(), headers=_headers(session)).json()
        agents = client.get("/rehearsal/agents").json()
        requests = client.get("/rehearsal/requests").json()

    assert (first["retcode"], second["retcode"]) == ("100-007", "0")
    assert agents == {"1001": {"total": 25, "channels": {"51": 9, "52": 6}}}
    assert requests["agents"] == {"1001": 2}


def test_it_stops_within_a_second_with_slow_calls_and_idle_connections_open() -> None:
    failures: list[str] = []

    def wait_in_vain(server: RehearsalServer, session: dict[str, object]) -> None:
        with _client(server) as client:
            try:
                client.post(path_of(1001), content=body_of(), headers=_headers(session), timeout=20)
            except httpx.TransportError as exc:
                failures.append(type(exc).__name__)

    with RehearsalServer(faults=["slow:60"]) as server:
        [session] = server.sign_in([1001])
        thread = threading.Thread(target=wait_in_vain, args=(server, session))
        thread.start()
        while not server.gateway.agents_document():
            time.sleep(0.01)
        idle = _client(server)
        idle.get("/")
        unspoken = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        begun = time.monotonic()
    took = time.monotonic() - begun
    thread.join(10)
    idle.close()
    unspoken.close()

    assert took < 1
    assert len(failures) == 1


def test_what_a_client_sent_reaches_no_log_and_access_is_not_logged(
    server: RehearsalServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    [session] = server.sign_in([1001])
    with _client(server) as client:
        client.post(path_of(1001), content=body_of(), headers=_headers(session))
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw,
        _context(server).wrap_socket(raw, server_hostname="127.0.0.1") as secured,
    ):
        secured.sendall(b"POST / HTTP/1.1\r\nGuid: secret\x00token\r\n\r\n")
        assert b"400" in secured.recv(100)

    ours = [record for record in caplog.records if not record.name.startswith(("http", "asyncio"))]
    assert [record.name for record in ours] == ["reconciler.simulator.server"]
    assert "BadHttpMessage" in caplog.text
    assert "secret" not in caplog.text
    assert str(session["guid"]) not in caplog.text


def _gateway() -> Gateway:
    return Gateway(Rules(), clock=time.monotonic, tokens=secrets.token_hex)


@pytest.mark.parametrize("host", ["127.0.0.1", "name.invalid"])
def test_an_address_that_cannot_be_listened_on_is_named(host: str) -> None:
    async def listen(port: int) -> None:
        async with serve(_gateway(), authority=Authority(), host=host, port=port):
            raise AssertionError("it must not start")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"cannot listen on {host}, port {port}"):
            asyncio.run(listen(port))


def test_it_can_be_served_within_a_loop_and_the_port_is_free_again_afterwards() -> None:
    async def once(port: int) -> RunningServer:
        async with serve(_gateway(), authority=Authority(), port=port) as running:
            return running

    first = asyncio.run(once(0))
    second = asyncio.run(once(first.port))

    assert first == second
    assert first.url == f"https://127.0.0.1:{first.port}"


def test_a_listener_that_has_stopped_accepting_leaves_callers_waiting() -> None:
    with (
        Listener.bind_to("127.0.0.1", 0) as listener,
        socket.create_connection(("127.0.0.1", listener.port), timeout=10),
    ):
        asyncio.run(listener.stop_accepting())
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_an_ipv6_address_is_bracketed_in_the_url() -> None:
    assert RunningServer(host="::1", port=8043).url == "https://[::1]:8043"
