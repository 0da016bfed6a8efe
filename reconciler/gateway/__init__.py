"""The room that talks to the CC-Gateway, and to whoever knows the agents' sessions.

The only home of httpx. What leaves this room are verdicts, sessions and errors of ours; no exception of a library does.

    protocol/   requests, replies and verdicts, without I/O
    retcodes    what each retcode means, as a table
    client      connections, deadlines, verdicts put together (with connection, failures, trust)
    sessions/   where Guids come from: a file, an environment variable, a program
"""

from __future__ import annotations

from reconciler.gateway.client import GatewayClient
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
from reconciler.gateway.retcodes import RETCODES, SUCCESS, RetcodeTable, Row, lookup, with_overrides
from reconciler.gateway.sessions import SessionSource, open_source

__all__ = [
    "RETCODES",
    "SUCCESS",
    "Acknowledged",
    "FailureKind",
    "GatewayClient",
    "Misconfigured",
    "NotSignedIn",
    "Refused",
    "Reply",
    "Request",
    "RetcodeTable",
    "Row",
    "SessionExpired",
    "SessionSource",
    "Transient",
    "Unanswered",
    "Verdict",
    "build_request",
    "judge",
    "judge_failure",
    "lookup",
    "open_source",
    "with_overrides",
]
