"""HTTP of the plain kind: what our own reader and writer take on, the HTTP library says word for word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import h11
import httpx
import pytest
from gateway.servers import SUCCESS, reply_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.gateway import Reply
from reconciler.gateway.incoming import Incoming
from reconciler.gateway.outgoing import HEADERS, request_bytes
from reconciler.gateway.plain import Unfinished, plain_reply, plain_request

LIMIT = 64 * 1024
HEADERS_OF_A_CALL = (("Content-Type", "application/json; charset=UTF-8"), ("Guid", "cf47e0f1.AgentGateway0"))


def by_library(method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes | None:
    """The request as httpx and h11 write it, or `None` if they refuse it."""
    try:
        request = httpx.Request(method, url, headers=headers, content=body)
        connection = h11.Connection(h11.CLIENT)
        head = h11.Request(method=method, target=request.url.raw_path, headers=request.headers.raw)
        return b"".join(connection.send(event) or b"" for event in (head, h11.Data(data=body), h11.EndOfMessage()))
    except (httpx.InvalidURL, h11.LocalProtocolError, UnicodeError):
        return None


def read_by_library(data: bytes) -> tuple[Reply, bool] | None:
    """The reply that h11 finds in `data`, and whether all of it was one on a connection that stays open."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=100 * 1024)
    connection.send(h11.Request(method="POST", target="/", headers=[("Host", "gateway"), ("Content-Length", "0")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    head, body = None, b""
    try:
        while (event := connection.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
        else:
            return None
    except h11.RemoteProtocolError:
        return None
    assert head is not None
    found = httpx.Headers(head.headers.raw_items())
    reply = Reply(
        status=head.status_code,
        content_type=found.get("Content-Type", ""),
        body=body,
        content_encoding=found.get("Content-Encoding", ""),
        retry_after=found.get("Retry-After", ""),
        location=found.get("Location", ""),
        set_guid=found.get("Set-GUID", ""),
        set_cookies=tuple(found.get_list("Set-Cookie")),
    )
    stays = connection.our_state is connection.their_state is h11.DONE and not connection.trailing_data[0]
    return reply, stays


GOOD = st.sampled_from([
    reply_bytes(),
    reply_bytes(SUCCESS, "200 OK", "Set-GUID: JSESSIONID=ab12", "Set-Cookie: a=1", "Set-Cookie: b=2", "Location: /x"),
    reply_bytes(SUCCESS, "200 OK", "Connection: keep-alive", "Retry-After: 1", "Retry-After: 2"),
    reply_bytes(b"", "200 OK"),
    reply_bytes(SUCCESS, "200 "),
    reply_bytes(SUCCESS, "200 OK", "Content-Encoding: identity", "X-2: y"),
])  # fmt: skip
PIECES = st.sampled_from([
    b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b"\0", b"\x0b", b"\xff", b"2", b"0", b"-", b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0", b"HTTP/1.1 100 Continue\r\n\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 38\r\n",
    b"Content-Length: 0\r\n", b"Connection: close\r\n", b"connection: Keep-Alive\r\n", b"Upgrade: x\r\n", b"\r\n\r\n",
    b"Set-Cookie: c=3\r\n", b" folded\r\n", b"A:\r\n", b"{}",
])  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A good reply with something put in, or put in a piece's place, a few times."""
    data = draw(GOOD)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(PIECES) + data[at + draw(st.sampled_from([0, 0, 1, 2, 20])) :]
    return data


@settings(max_examples=500)
@given(spoilt())
def test_what_is_read_as_plain_the_library_reads_as_the_same_reply_and_no_byte_more(data: bytes) -> None:
    reply = plain_reply(data, max_body=LIMIT)

    if isinstance(reply, Reply):
        assert read_by_library(data) == (reply, True)


@settings(max_examples=500)
@given(spoilt(), st.integers(1, 200))
def test_what_is_waited_for_as_plain_the_library_waits_for_too(data: bytes, length: int) -> None:
    if plain_reply(data[:length], max_body=LIMIT) is Unfinished.MORE_TO_COME:
        assert read_by_library(data[:length]) is None


@given(spoilt(), st.lists(st.integers(0, 300), max_size=4))
def test_a_reply_is_the_same_in_whatever_pieces_it_comes(data: bytes, cuts: list[int]) -> None:
    def listen(pieces: list[bytes]) -> tuple[Reply | None, bool] | str:
        incoming = Incoming(LIMIT)
        try:
            for number, piece in enumerate(pieces):
                if piece and (reply := incoming.take(piece)) is not None:
                    return reply, incoming.reusable and not b"".join(pieces[number + 1 :])
            return incoming.end(), False
        except (httpx.RemoteProtocolError, ConnectionResetError) as error:
            return type(error).__name__

    places = sorted({0, *(min(cut, len(data)) for cut in cuts), len(data)})
    cut_up = [data[start:end] for start, end in pairwise(places)]
    assert listen([data]) == listen(cut_up)


@pytest.mark.parametrize("data", [reply_bytes(), reply_bytes(SUCCESS, "200 OK", "Connection: Keep-Alive")])
def test_the_documented_reply_is_of_the_plain_kind(data: bytes) -> None:
    reply = plain_reply(data, max_body=LIMIT)

    assert isinstance(reply, Reply)
    assert reply.body == SUCCESS


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(reply_bytes(SUCCESS, "500 Internal Server Error"), id="another-status"),
        pytest.param(reply_bytes() + b"H", id="a-byte-too-many"),
        pytest.param(reply_bytes(SUCCESS, "200 OK", "Connection: close"), id="a-connection-that-ends"),
        pytest.param(reply_bytes(SUCCESS, "200 OK", "Content-Length: 38"), id="two-lengths"),
        pytest.param(reply_bytes(SUCCESS, "200 OK", "Transfer-Encoding: chunked"), id="chunks-and-a-length"),
        pytest.param(reply_bytes(b" " * 20_000), id="a-large-one"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000, id="an-endless-head"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", id="another-protocol"),
    ],
)
def test_what_leaves_a_choice_is_left_to_the_library(data: bytes) -> None:
    assert plain_reply(data, max_body=LIMIT) is Unfinished.NOT_PLAIN


TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=0x17F), max_size=12)
NAMES = st.sampled_from(
    ["Guid", "Cookie", "Content-Type", "guid", "Content-Length", "Transfer-Encoding", "Host", "A b"]
)
HOSTS = st.sampled_from([
    "127.0.0.1:8043", "gateway.example", "gateway.example:443", "[::1]:8043", "GATEWAY:80", "bücher.example:8043",
    "user@gateway:8043", "gateway:8043:1", "g_w:8043", "-.-:8043", "gateway.:8043",
])  # fmt: skip
PATHS = st.lists(
    st.sampled_from(["agentgateway", "resource", "1001", "..", ".", "", "%2f", "ü", " ", "a.b", "x?y", "#"])
)


@given(
    st.sampled_from(["POST", "PUT"]), HOSTS, PATHS, st.lists(st.tuples(NAMES, TEXT), max_size=3), st.binary(min_size=1)
)
def test_what_is_written_as_plain_the_library_writes_to_the_byte(
    method: str, host: str, path: list[str], headers: list[tuple[str, str]], body: bytes
) -> None:
    url = f"https://{host}/{'/'.join(path)}"
    plain = plain_request(method, url, (*HEADERS, *headers), body)

    if plain is not None:
        assert plain == by_library(method, url, (*HEADERS, *headers), body)


@given(st.text(max_size=30))
def test_no_header_can_hold_another(value: str) -> None:
    plain = plain_request("POST", "https://127.0.0.1:8043/x", [("Guid", value)], b"{}")

    assert plain is None or re.fullmatch(
        rb"POST /x HTTP/1.1\r\nHost: [^\r\n]+\r\nGuid: [^\r\n]+\r\nContent-Length: 2\r\n\r\n\{\}", plain
    )


def test_a_call_is_of_the_plain_kind() -> None:
    url = "https://gateway.example:8043/agentgateway/resource/mediacall/1001/setcallnumsbymediatype"

    assert plain_request("POST", url, (*HEADERS, *HEADERS_OF_A_CALL), b"{}") is not None


class Question:
    """A request that is not of the plain kind."""

    method, url, body = "GET", "https://gateway.example:443/a%20b?c=ü", b""
    headers = (("Guid", "a"),)


def test_what_is_not_plain_goes_out_as_the_library_writes_it() -> None:
    first, *rest = request_bytes(Question()).split(b"\r\n")

    assert first == b"GET /a%20b?c=%C3%BC HTTP/1.1"
    assert {b"Host: gateway.example", b"Guid: a"} <= set(rest)
