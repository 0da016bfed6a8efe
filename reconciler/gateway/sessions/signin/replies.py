"""What the answers to signing in, staying and signing out say, and the sessions in them. No I/O, no clock.

Rules of this file: an answer is judged as every answer is, by the verdict table, with the rows below in it: signing in
has its own remedies, and no site can make a wrong password something to be tried again. A Guid or a cookie that cannot
be put into a header is none; a cookie of that kind costs no Guid, for by that alone an agent can be signed out again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from reconciler.gateway.protocol.reply import Reply
from reconciler.gateway.protocol.verdict import Acknowledged, NotSignedIn, Verdict
from reconciler.gateway.retcodes import lookup
from reconciler.gateway.rows import VerdictTable
from reconciler.gateway.sessions.fields import SessionFieldError, read_session
from reconciler.model.agent import AgentId
from reconciler.model.session import Session
from reconciler.model.sign_in_settings import AuthMode
from reconciler.model.site import RetcodeClass
from reconciler.values import replace

ALREADY_SIGNED_IN = "100-002"
WRONG_PASSWORD = "100-004"  # noqa: S105 - a retcode
WRONG_WAY_OF_EVENTS = "000-001"
_SIGNED_OUT = frozenset({"100-006", "100-008"})

_GONE = re.compile(r"\s*max-age\s*=\s*(?:0|-[0-9]+)\s*", re.IGNORECASE | re.ASCII)

_REMEDIES = {
    "100-001": "check this agent's password and phonenum in sessions.credentials",
    ALREADY_SIGNED_IN: (
        "left alone, since a person is at work, or a run was cut off less than two minutes ago and left this agent so"
    ),
    WRONG_PASSWORD: (
        "nobody else was tried, and this is never tried again, lest accounts are locked: correct sessions.credentials "
        "before the next run"
    ),
}


def sign_in_table(table: VerdictTable) -> VerdictTable:
    """Return `table`, as the site has it, with the rows that signing in has of its own."""
    rows = {
        code: replace(lookup(code, table), code=code, kind=RetcodeClass.PERMANENT, remedy=remedy)
        for code, remedy in _REMEDIES.items()
    }
    return MappingProxyType({**table, **rows})


def begin_session(agent: AgentId, reply: Reply, *, key: str) -> Session | None:
    """Return the session that a successful sign-in's `reply` begins; `None`: it gives no Guid that can be used."""
    session = _checked(agent, reply.guid, {})
    return None if session is None else replace(_with_cookies(session, reply.set_cookies), key=key)


def renew_session(session: Session, reply: Reply, mode: AuthMode) -> Session:
    """Return `session` with the Guid and the cookies that `reply` replaces; itself, if what it gives cannot be used."""
    renewed = _checked(session.agent, reply.guid, session.cookies) if mode is AuthMode.DYNAMIC else None
    return replace(_with_cookies(renewed or session, reply.set_cookies), key=session.key)


def is_gone(verdict: Verdict) -> bool:
    """Tell whether the agent is signed out now: the gateway did it, or says that there is nothing to do."""
    return isinstance(verdict, Acknowledged) or (isinstance(verdict, NotSignedIn) and verdict.retcode in _SIGNED_OUT)


def _with_cookies(session: Session, headers: Iterable[str]) -> Session:
    for header in headers:
        pair, *attributes = header.split(";")
        name, _, value = (part.strip() for part in pair.partition("="))
        cookies = {other: kept for other, kept in session.cookies.items() if other != name}
        if not any(_GONE.fullmatch(attribute) for attribute in attributes):
            cookies[name] = value
        session = _checked(session.agent, session.guid, cookies) or session
    return session


def _checked(agent: AgentId, guid: str, cookies: Mapping[str, str]) -> Session | None:
    """Return the session, as yet without a key; `None`: no header can carry it."""
    try:
        return read_session({"agentId": agent, "guid": guid, "cookies": cookies})
    except SessionFieldError:
        return None
