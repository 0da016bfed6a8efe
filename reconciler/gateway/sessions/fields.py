"""The rules of one session: which fields it has and what may stand in them.

Rules of this file: a problem is told without its value. Guids and cookies are secrets, and a value in a wrong field
may be one too, so nothing that was read is ever quoted. What passes is safe to put into a header (printable ASCII,
no space, no line break) and, for the key, safe to keep in a state that people read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from reconciler.model.agent import MAX_AGENT_ID, MIN_AGENT_ID, AgentId
from reconciler.model.session import Session

FIELDS = ("agentId", "guid", "cookies", "session")
REQUIRED = FIELDS[:2]

MAX_GUID = 512
MAX_KEY = 128
MAX_COOKIES = 50
MAX_COOKIE_BYTES = 8192

_AGENT = re.compile(r"[1-9][0-9]{2,5}", re.ASCII)
_GUID = re.compile(rf"[\x21-\x7e]{{1,{MAX_GUID}}}", re.ASCII)
# RFC 6265: a name is a token; a value is cookie-octets, in double quotes or not.
_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_COOKIE_OCTETS = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"
_COOKIE_VALUE = re.compile(rf'{_COOKIE_OCTETS}|"{_COOKIE_OCTETS}"', re.ASCII)
_MIN_TELLING = 8  # characters: less may stand in a key, or a key in a secret, by chance


class SessionFieldError(ValueError):
    """A session breaks a rule; the text says which, and quotes nothing."""


class RepeatedKey:
    """Stands in the place of a JSON object that has a key twice."""


def read_session(document: object) -> Session:
    """Return the session that `document`, an object as JSON or CSV gives it, describes.

    Raises:
        SessionFieldError: it breaks a rule.
    """
    fields = _require_object(document)
    guid = _read_guid(fields["guid"])
    cookies = _read_cookies(fields.get("cookies"))
    return Session(
        agent=_read_agent(fields["agentId"]),
        guid=guid,
        cookies=cookies,
        key=_read_key(fields.get("session"), guid, cookies),
    )


def near_field(name: str) -> str:
    """Return ` (did you mean …?)` if `name` is nearly a field's name, else nothing; `name` itself is not shown."""
    near = get_close_matches(name[:MAX_KEY].lower(), [field.lower() for field in FIELDS], n=1)
    known = {field.lower(): field for field in FIELDS}
    return f" (did you mean {known[near[0]]}?)" if near else ""


def _require_object(document: object) -> Mapping[str, Any]:
    if isinstance(document, RepeatedKey):
        raise SessionFieldError("has a key twice")
    if not isinstance(document, dict):
        raise SessionFieldError("is not an object")
    unknown = [name for name in document if name not in FIELDS]
    if unknown:
        raise SessionFieldError(f"has a key that is none of {', '.join(FIELDS)}{near_field(unknown[0])}")
    for name in REQUIRED:
        if name not in document:
            raise SessionFieldError(f"has no {name}")
    return document


def _read_agent(value: object) -> AgentId:
    # `type is int`: True is an int in Python.
    text = str(value) if type(value) is int and MIN_AGENT_ID <= value <= MAX_AGENT_ID else value
    if isinstance(text, str) and _AGENT.fullmatch(text) and int(text) >= MIN_AGENT_ID:
        return AgentId(int(text))
    raise SessionFieldError(f"agentId is not a whole number from {MIN_AGENT_ID} to {MAX_AGENT_ID}")


def _read_guid(value: object) -> str:
    if isinstance(value, str) and _GUID.fullmatch(value):
        return value
    raise SessionFieldError(f"guid is not text of 1 to {MAX_GUID} printable ASCII characters without spaces")


def _read_cookies(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, RepeatedKey):
        raise SessionFieldError("cookies have a name twice")
    if not isinstance(value, dict):
        raise SessionFieldError("cookies are not an object of names and values")
    for name, content in value.items():
        if not _COOKIE_NAME.fullmatch(name):
            raise SessionFieldError("a cookie's name is not a token (letters, digits and a few signs)")
        if not isinstance(content, str) or not _COOKIE_VALUE.fullmatch(content):
            raise SessionFieldError("a cookie's value has a character that no cookie may have, or is not text")
    if len(value) > MAX_COOKIES or sum(len(name) + len(content) for name, content in value.items()) > MAX_COOKIE_BYTES:
        raise SessionFieldError(f"cookies are more than {MAX_COOKIES}, or more than {MAX_COOKIE_BYTES} bytes")
    return value


def _read_key(value: object, guid: str, cookies: Mapping[str, str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_KEY or not value.isprintable():
        raise SessionFieldError(f"session is not text of 1 to {MAX_KEY} printable characters")
    telling = [content for content in cookies.values() if len(content) >= _MIN_TELLING]
    if any(secret in value or _is_most_of(value, secret) for secret in (guid, *telling)):
        raise SessionFieldError("session repeats the guid or a cookie, and it is recorded in the state")
    return value


def _is_most_of(value: str, secret: str) -> bool:
    # Such as a Guid without the name of its node. A login time that stands in a Guid is a small part of it.
    return len(value) >= max(_MIN_TELLING, len(secret) / 2) and value in secret
