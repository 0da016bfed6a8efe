"""Who signs in with which password and phone number.

Rules of this file: strict, and all or nothing, like every text of sessions: a mistyped key would sign somebody in with
the wrong password, and a few of those lock an account. Every error names the place and never what stands there; a
password is in no `repr`, no error and no chained exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from reconciler.errors import SessionSourceError
from reconciler.gateway.sessions.fields import RepeatedKey
from reconciler.model.agent import MIN_AGENT_ID, AgentId
from reconciler.model.printable import printable
from reconciler.values import Struct, repr_without

EVERYBODY = "*"
"""The entry that gives each agent what their own entry leaves out."""
MAX_PASSWORD = 32
"""In characters; cec_07_1202. It may be empty."""
MAX_PHONENUM = 24
"""In characters; cec_07_1202."""

_FIELDS = ("password", "phonenum")
_AGENT = re.compile(r"[1-9][0-9]{2,5}", re.ASCII)
_PHONENUM = re.compile(rf"[\x21-\x7e]{{0,{MAX_PHONENUM}}}", re.ASCII)
_HINT = (
    'write {"1001": {"password": "…", "phonenum": "40038"}, …}; the entry "*" gives what an agent\'s own leaves out, '
    "and {agent} in its phonenum stands for the agent's id"
)


class Credential(Struct, frozen=True, kw_only=True):
    """What one agent signs in with."""

    password: str
    phonenum: str

    __repr__ = repr_without("password")


class Credentials(Struct, frozen=True):
    """What everybody signs in with."""

    _entries: Mapping[str, Mapping[str, str]]

    __repr__ = repr_without("_entries")

    def of(self, agent: AgentId) -> Credential | None:
        """Return what `agent` signs in with; `None`: password or phone number is nowhere."""
        everybody = dict(self._entries.get(EVERYBODY, {}))
        if "phonenum" in everybody:
            everybody["phonenum"] = everybody["phonenum"].replace("{agent}", str(agent))
        found = {**everybody, **self._entries.get(str(agent), {})}
        return Credential(**found) if found.keys() == set(_FIELDS) else None


class _BadEntryError(ValueError):
    """What is wrong, in words that quote nothing."""


def parse_credentials(text: str, *, origin: str) -> Credentials:
    """Return the credentials in `text`, a JSON object.

    Args:
        text: as read from where the reference says.
        origin: what errors call it.

    Raises:
        SessionSourceError: it is no such object; the text quotes no value of it.
    """
    document = _load(text, origin)
    entries: dict[str, Mapping[str, str]] = {}
    for number, (name, value) in enumerate(document.items(), 1):
        try:
            entries[_read_name(name)] = _read_entry(value)
        except _BadEntryError as exc:
            raise SessionSourceError(f"{origin}, {_place(name, number)}: {exc}", hint=_HINT) from None
    return Credentials(entries)


def _load(text: str, origin: str) -> dict[str, Any]:
    document: Any = None
    why = ""
    try:
        document = json.loads(text, object_pairs_hook=_unrepeated)
    except json.JSONDecodeError as exc:
        why = f"is not JSON (line {exc.lineno}, column {exc.colno})"
    except (RecursionError, ValueError):
        why = "is JSON that is nested too deeply, or has a number that is too long"
    if why:  # not raised in the handler: the exception that was caught holds the passwords
        raise SessionSourceError(f"{origin} {why}", hint=_HINT)
    if isinstance(document, RepeatedKey):
        raise SessionSourceError(f"{origin} has an agent twice", hint="an agent signs in with one password")
    if not isinstance(document, dict):
        raise SessionSourceError(f"{origin} is JSON, but not an object", hint=_HINT)
    return document


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any] | RepeatedKey:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else RepeatedKey()


def _place(name: str, number: int) -> str:
    # An agent's id is no secret; a name that is none may be one.
    if name == EVERYBODY:
        return f'entry "{EVERYBODY}"'
    return f"agent {name}" if _AGENT.fullmatch(name) else f"entry {number}"


def _read_name(name: str) -> str:
    if name == EVERYBODY or (_AGENT.fullmatch(name) and int(name) >= MIN_AGENT_ID):
        return name
    raise _BadEntryError('its name is neither an agent id nor "*"')


def _read_entry(value: object) -> Mapping[str, str]:
    if isinstance(value, RepeatedKey):
        raise _BadEntryError("has a key twice")
    if not isinstance(value, dict):
        raise _BadEntryError("is not an object")
    if not value.keys() <= set(_FIELDS):
        raise _BadEntryError(f"has a key other than {' and '.join(_FIELDS)}")
    password, phonenum = value.get("password", ""), value.get("phonenum", "")
    if not isinstance(password, str) or len(password) > MAX_PASSWORD:
        raise _BadEntryError(f"password is not text of at most {MAX_PASSWORD} characters")
    if not isinstance(phonenum, str) or not _PHONENUM.fullmatch(phonenum):
        raise _BadEntryError(f"phonenum is not text of at most {MAX_PHONENUM} printable characters without blanks")
    return value


def origin_of(reference: object) -> str:
    """Return what errors call the credentials that `reference` leads to."""
    return f"sessions.credentials {printable(str(reference), limit=200)}"
