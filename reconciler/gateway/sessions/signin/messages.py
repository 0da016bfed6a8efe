"""The requests by which an agent is signed in, kept signed in and signed out, as bytes. No I/O.

Pages of the API reference: cec_07_1202 and cec_07_1203 (sign in, by force), cec_07_1274 (poll), cec_07_1204
(heartbeat), cec_07_1219 (sign out).

Rules of this file: whoever is signed in here is a ghost, and a ghost must get no call. So the status is always busy,
a call that comes all the same is not answered by itself, and its end does not make the agent idle. The password stands
in the body alone.
"""

from __future__ import annotations

import json
from typing import assert_never

from reconciler.gateway.protocol.request import CONTENT_TYPE, Request, session_headers, session_secrets
from reconciler.gateway.sessions.signin.credentials import Credential
from reconciler.model.agent import AgentId
from reconciler.model.session import Session
from reconciler.model.sign_in_settings import KeepAlive

BUSY = "3"
"""The status in which a ghost stays; 4, idle, is the gateway's own default, and gets calls."""


def build_sign_in(url: str, agent: AgentId, credential: Credential, *, by_force: bool) -> Request:
    """Return the request that signs `agent` in, busy; `by_force` throws out whoever is signed in already."""
    body = {
        "password": credential.password,
        "phonenum": credential.phonenum,
        "status": BUSY,
        "autoanswer": False,
        "autoenteridle": False,
    }
    return Request(
        agent=agent,
        method="PUT",
        url=_resource(url, agent) + ("/forcelogin" if by_force else ""),
        headers=(("Content-Type", CONTENT_TYPE),),
        body=json.dumps(body).encode("ascii"),
        secrets=(credential.password,),
    )


def build_sign_out(url: str, session: Session) -> Request:
    """Return the request that signs the agent of `session` out."""
    return _in_session(session, "DELETE", _resource(url, session.agent) + "/logout")


def build_keep_alive(url: str, session: Session, how: KeepAlive) -> Request:
    """Return the request that keeps the agent of `session` signed in, and by whose answer a Guid is replaced."""
    match how:
        case KeepAlive.POLL:
            return _in_session(session, "GET", _resource(url, session.agent, "agentevent"))
        case KeepAlive.HANDSHAKE:
            return _in_session(session, "POST", _resource(url, session.agent) + "/handshake")
        case _:
            assert_never(how)


def _in_session(session: Session, method: str, url: str) -> Request:
    return Request(
        agent=session.agent,
        method=method,
        url=url,
        headers=session_headers(session),
        body=b"",
        secrets=session_secrets(session),
    )


def _resource(url: str, agent: AgentId, kind: str = "onlineagent") -> str:
    return f"{url.rstrip('/')}/agentgateway/resource/{kind}/{agent}"
