"""Sessions by signing agents in: opt-in, one agent after another, status busy, signed out again on every way out.

messages     what is sent, as bytes; no I/O
replies      what the answers say, and the sessions in them; no I/O
credentials  who signs in with which password
wire         how the gateway is spoken to
door         where agents are signed in, one after another
held         one agent who is signed in: kept alive, called and signed out, never two at a time
source       the session source that puts them together
remarks      what people are told in the end
"""

from __future__ import annotations

from reconciler.gateway.sessions.signin.source import SignInAccess, SignInSource

__all__ = ["SignInAccess", "SignInSource"]
