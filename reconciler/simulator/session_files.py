"""The sessions file, a JSON array with one object for each signed-in agent, and the passwords file.

Rules of this file: both hold secrets, so they are written with mode 0600, and no error text quotes what is in them.
`{"agentId": "1001", "guid": "…", "cookies": {"NAME": "…"}, "session": "login-…"}`, the last two optional;
`{"1001": "password"}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reconciler.errors import InputError
from reconciler.simulator.replacing import replace_file
from reconciler.simulator.sessions import SimulatedSession, parse_agent

_PASSWORDS_HINT = 'write {"1001": "…", "1002": "…"}'
_HINT = 'write [{"agentId": "1001", "guid": "…"}], each with optional "cookies" and "session"'


def _is_text_map(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and all(isinstance(text, str) for text in value.values()))


def _read_session(item: Any) -> SimulatedSession | None:
    if not isinstance(item, dict):
        return None
    name, guid, cookies, key = (item.get(field) for field in ("agentId", "guid", "cookies", "session"))
    agent = parse_agent(str(name)) if isinstance(name, str | int) else None
    usable = isinstance(guid, str) and guid and _is_text_map(cookies) and isinstance(key, str | None)
    if agent is None or not usable:
        return None
    return SimulatedSession(agent=agent, guid=str(guid), cookies=cookies or {}, key=key)


def _read_json(path: Path, *, hint: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as exc:
        raise InputError(f"cannot read {path}: {exc.strerror or exc}", hint=hint) from exc
    except (ValueError, RecursionError):
        raise InputError(f"{path} is not JSON", hint=hint) from None


def read_passwords(path: Path) -> dict[int, str]:
    """Return the passwords in the file at `path`, by agent.

    Raises:
        InputError: the file cannot be read, or is not an object from agents to texts.
    """
    document = _read_json(path, hint=_PASSWORDS_HINT)
    if not isinstance(document, dict):
        raise InputError(f"{path} is not a JSON object", hint=_PASSWORDS_HINT)
    passwords: dict[int, str] = {}
    for position, (name, password) in enumerate(document.items()):
        agent = parse_agent(name)
        if agent is None or not isinstance(password, str):
            raise InputError(f"{path}: entry {position} is not an agent and its password", hint=_PASSWORDS_HINT)
        passwords[agent] = password
    return passwords


def read_sessions(path: Path) -> tuple[SimulatedSession, ...]:
    """Return the sessions in the file at `path`, in its order.

    Raises:
        InputError: the file cannot be read, is not such an array, or names an agent twice.
    """
    items = _read_json(path, hint=_HINT)
    if not isinstance(items, list):
        raise InputError(f"{path} is not a JSON array", hint=_HINT)
    sessions: dict[int, SimulatedSession] = {}
    for position, item in enumerate(items):
        session = _read_session(item)
        if session is None or session.agent in sessions:
            raise InputError(f"{path}: item {position} is not a session, or names an agent again", hint=_HINT)
        sessions[session.agent] = session
    return tuple(sessions.values())


def write_sessions(path: Path, sessions: Iterable[SimulatedSession]) -> None:
    """Replace the file at `path` by these sessions; only its owner may read it.

    Raises:
        InputError: the file cannot be written.
    """
    lines = ",\n".join(json.dumps(session.document()) for session in sessions)
    replace_file(path, f"[\n{lines}\n]\n".encode(), mode=0o600)
