"""What stands in Redis for one agent, as a session.

Rules of this file: as strict as for any other source (see `fields`), and as silent about what was read. Whose session
it is, the key or field says; a session as JSON may say so again, and must then say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.gateway.sessions.fields import SessionFieldError, read_session
from reconciler.gateway.sessions.parsing import Malformed, load_json, read_cookie_text
from reconciler.model.agent import AgentId
from reconciler.model.session import Session

MAX_VALUE = 16 * 1024
"""Bytes of one value. A Guid and all the cookies it may have take 9 KiB."""

_JSON = ("{", '"')


def read_value(raw: bytes, agent: AgentId) -> Session:
    """Return the session in a string: the Guid alone, or JSON (an object with the session's fields, or a quoted Guid).

    Raises:
        SessionFieldError: it breaks a rule.
    """
    text = _text(raw)
    document = load_json(text) if text.startswith(_JSON) else text
    if isinstance(document, Malformed):
        raise SessionFieldError(f"begins like JSON, but {document.why}")
    if isinstance(document, str):
        document = {"guid": document}
    if isinstance(document, dict):
        document = {"agentId": str(agent), **document}
    session = read_session(document)
    if session.agent != agent:
        raise SessionFieldError("is the session of another agent")
    return session


def read_hash(agent: AgentId, guid: bytes, more: Mapping[str, bytes | None]) -> Session:
    """Return the session in an agent's own hash.

    Args:
        agent: whose it is.
        guid: the field with the Guid.
        more: the fields with `cookies` and `session`; one that is not there, or is empty, counts as absent.

    Raises:
        SessionFieldError: it breaks a rule.
    """
    fields: dict[str, Any] = {name: _text(raw) for name, raw in more.items() if raw}
    if "cookies" in fields:
        fields["cookies"] = read_cookie_text(fields["cookies"])
    return read_session({"agentId": str(agent), "guid": _text(guid), **fields})


def _text(raw: bytes) -> str:
    if len(raw) > MAX_VALUE:
        raise SessionFieldError(f"is larger than {MAX_VALUE // 1024} KiB")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise SessionFieldError("is not UTF-8 text")  # not in the handler: what it caught holds the value
