"""The room that talks to the CC-Gateway, and to whoever knows the agents' sessions.

Home of httpx, h11 and redis. What leaves this room are verdicts, sessions and errors of ours; no exception of a library
does.

    protocol/   requests, replies and verdicts, without I/O
    retcodes    what retcodes mean, as a table (with statuses, rows; verdict_table has all of them)
    access      the way to the gateway: trust, client certificate, proxy (with trust, tunnel, pem_file)
    client      connections, deadlines, verdicts put together (with connection, wire, dialing, failures; the bytes of
                HTTP are those of plain, outgoing and incoming)
    witness     a client for a probe, with what a verdict leaves out (and handshake: who answers)
    sessions/   where Guids come from: a file, a variable, a program, Redis, a broker, or signing in
"""

from __future__ import annotations

from reconciler.gateway.access import GatewayAccess, open_access
from reconciler.gateway.client import GatewayClient
from reconciler.gateway.handshake import FailedHandshake, Handshake, HandshakeMaker, Trust
from reconciler.gateway.protocol import (
    Acknowledged,
    FailureKind,
    Misconfigured,
    NotSignedIn,
    Refused,
    Reply,
    Request,
    SessionExpired,
    Transient,
    Unanswered,
    Verdict,
    build_request,
    judge,
    judge_failure,
)
from reconciler.gateway.retcodes import REPLIES, SUCCESS, lookup, with_overrides
from reconciler.gateway.rows import Grade, Row, VerdictTable
from reconciler.gateway.sessions import SessionSource, SignInAccess, closing, open_source
from reconciler.gateway.verdict_table import verdict_table
from reconciler.gateway.witness import GatewayWitness, Observation

__all__ = [
    "REPLIES",
    "SUCCESS",
    "Acknowledged",
    "FailedHandshake",
    "FailureKind",
    "GatewayAccess",
    "GatewayClient",
    "GatewayWitness",
    "Grade",
    "Handshake",
    "HandshakeMaker",
    "Misconfigured",
    "NotSignedIn",
    "Observation",
    "Refused",
    "Reply",
    "Request",
    "Row",
    "SessionExpired",
    "SessionSource",
    "SignInAccess",
    "Transient",
    "Trust",
    "Unanswered",
    "Verdict",
    "VerdictTable",
    "build_request",
    "closing",
    "judge",
    "judge_failure",
    "lookup",
    "open_access",
    "open_source",
    "verdict_table",
    "with_overrides",
]
