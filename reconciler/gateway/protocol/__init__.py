"""The interface `setcallnumsbymediatype` without its wire: requests, and what answers or their absence mean.

No I/O, no clock: what goes out is built by `build_request`, what came back is judged by `judge` or `judge_failure`.
"""

from __future__ import annotations

from reconciler.gateway.protocol.failure import FailureKind, judge_failure
from reconciler.gateway.protocol.judging import judge
from reconciler.gateway.protocol.reply import Reply
from reconciler.gateway.protocol.request import Request, build_request
from reconciler.gateway.protocol.verdict import (
    Acknowledged,
    Misconfigured,
    NotSignedIn,
    Refused,
    SessionExpired,
    Transient,
    Unanswered,
    Verdict,
)

__all__ = [
    "Acknowledged",
    "FailureKind",
    "Misconfigured",
    "NotSignedIn",
    "Refused",
    "Reply",
    "Request",
    "SessionExpired",
    "Transient",
    "Unanswered",
    "Verdict",
    "build_request",
    "judge",
    "judge_failure",
]
