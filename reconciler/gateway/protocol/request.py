"""One call of `setcallnumsbymediatype` as bytes. No I/O.

Rules of this file: whole numbers and exactly the documented keys, channels in order of their codes, so that the same
values are always the same bytes. The Guid and the cookies are put into headers here and shown nowhere.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping

from reconciler.gateway.protocol.secrecy import MIN_SECRET
from reconciler.model.agent import AgentId
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.session import Session
from reconciler.values import Struct, repr_without

CONTENT_TYPE = "application/json; charset=UTF-8"


class Request(Struct, frozen=True, kw_only=True):
    """What goes over the wire for one agent."""

    agent: AgentId
    method: str = "POST"
    url: str
    headers: tuple[tuple[str, str], ...]
    """Secret: the Guid and the agent's cookies are among them."""
    body: bytes
    """Secret where agents are signed in: it holds the password then."""
    secrets: tuple[str, ...] = ()
    """What must not be repeated to anyone, should the server's answer hold it."""

    __repr__ = repr_without("headers", "body", "secrets")


def build_request(url: str, session: Session, concurrency: Concurrency, callnums_key: CallnumsKey) -> Request:
    """Return the call that gives the agent of `session` these numbers; `url` is the gateway's base."""
    return Request(
        agent=session.agent,
        url=f"{url.rstrip('/')}/agentgateway/resource/mediacall/{session.agent}/setcallnumsbymediatype",
        headers=session_headers(session),
        body=_body(concurrency, callnums_key),
        secrets=session_secrets(session),
    )


def session_secrets(session: Session) -> tuple[str, ...]:
    """Return what of `session` a server must not get repeated."""
    # A cookie's value may stand in double quotes, and a server repeats it without them.
    texts = (text.strip('"') for text in (session.guid, *session.cookies.values()))
    return tuple(text for text in texts if len(text) >= MIN_SECRET)


def session_headers(session: Session) -> tuple[tuple[str, str], ...]:
    """Return the headers of a call in `session`: media type, Guid, and the cookies if there are any."""
    headers = (("Content-Type", CONTENT_TYPE), ("Guid", session.guid))
    if not session.cookies:
        return headers
    return (*headers, ("Cookie", _cookie_header(session.cookies)))


def _cookie_header(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@functools.lru_cache(maxsize=1024)  # agents of one profile are sent the same
def _body(concurrency: Concurrency, callnums_key: CallnumsKey) -> bytes:
    numbers = [{"mediaType": int(channel), callnums_key.value: count} for channel, count in concurrency.channels]
    return json.dumps({"totalCallNum": concurrency.total, "agentMediaCallNums": numbers}).encode("ascii")
