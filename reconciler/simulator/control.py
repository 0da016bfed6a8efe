"""The rehearsal's own interface, for tests and demonstrations: live numbers, agents, their skill queues, faults.

Rules of this file: everything is under `/rehearsal/`, is no part of the real gateway and exists only where it was asked
for. Values in, values out; what must happen outside after a session changed is given as `on_sessions`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.errors import InputError
from reconciler.simulator import reference
from reconciler.simulator.exchange import RefusedError, Reply, json_reply
from reconciler.simulator.faults import parse_fault
from reconciler.simulator.gateway import Gateway
from reconciler.simulator.sessions import parse_agent
from reconciler.simulator.staging import Stage

PREFIX = "/rehearsal/"

_NO_AGENT = "the agent id is not in 101-999999"

_Answer = Callable[[str, bytes], Reply]


class Control:
    """Answers the requests under `/rehearsal/` for one gateway."""

    def __init__(
        self, gateway: Gateway, *, on_sessions: Callable[[], None] = lambda: None, stage: Stage | None = None
    ) -> None:
        """Control `gateway`.

        Args:
            gateway: whose interface this is.
            on_sessions: called after any session began, ended or got another Guid because it was asked for here.
            stage: the scenarios that the gateway plays; `None`: none yet.
        """
        self._gateway = gateway
        self._stage = stage or Stage(gateway)
        self._on_sessions = on_sessions
        # (resource, whether an agent follows it) → method → answer
        self._routes: Mapping[tuple[str, bool], Mapping[str, _Answer]] = {
            ("agents", False): {"GET": self._agents},
            ("requests", False): {"GET": self._requests},
            ("attendance", False): {"GET": self._attendance},
            ("faults", False): {"POST": self._add_faults, "DELETE": self._clear_faults},
            ("scenarios", False): {"GET": self._scenarios, "POST": self._play, "DELETE": self._stop},
            ("sign-in", True): {"POST": self._sign_in},
            ("sign-out", True): {"POST": self._sign_out},
            ("rotate", True): {"POST": self._rotate},
            ("lose", True): {"POST": self._lose},
            ("skills", True): {"POST": self._set_skills},
            ("password", True): {"POST": self._set_password},
        }

    def answer(self, method: str, path: str, body: bytes = b"") -> Reply:
        """Carry out one request and return its reply."""
        name, _, argument = path.removeprefix(PREFIX).partition("/")
        methods = self._routes.get((name, bool(argument)))
        if methods is None:
            return _problem(404, "there is no such resource")
        if method not in methods:
            return _problem(405, "the method is not supported here", headers={"Allow": ", ".join(methods)})
        return methods[method](argument, body)

    def _agents(self, _argument: str, _body: bytes) -> Reply:
        return json_reply(self._gateway.agents_document())

    def _requests(self, _argument: str, _body: bytes) -> Reply:
        return json_reply(self._gateway.requests_document())

    def _attendance(self, _argument: str, _body: bytes) -> Reply:
        return json_reply(self._gateway.attendance_document())

    def _sign_in(self, argument: str, _body: bytes) -> Reply:
        return self._move(argument, lambda agent: self._gateway.sign_in(agent).document())

    def _rotate(self, argument: str, _body: bytes) -> Reply:
        return self._move(argument, lambda agent: self._gateway.rotate(agent).document())

    def _sign_out(self, argument: str, _body: bytes) -> Reply:
        def sign_out(agent: int) -> object:
            self._gateway.sign_out(agent)
            return {"agentId": str(agent)}

        return self._move(argument, sign_out)

    def _lose(self, argument: str, _body: bytes) -> Reply:
        def lose(agent: int) -> object:
            self._gateway.lose(agent)
            return {"agentId": str(agent)}

        return self._move(argument, lose)

    def _move(self, argument: str, change: Callable[[int], object]) -> Reply:
        agent = parse_agent(argument)
        if agent is None:
            return _problem(400, _NO_AGENT)
        try:
            document = change(agent)
        except RefusedError:
            return _problem(409, f"agent {agent} is not signed in")
        self._on_sessions()
        return json_reply(document)

    def _set_skills(self, argument: str, body: bytes) -> Reply:
        agent = parse_agent(argument)
        if agent is None:
            return _problem(400, _NO_AGENT)
        try:
            media_types = _read_media_types(body)
        except InputError as exc:
            return _problem(400, str(exc))
        self._gateway.set_skills(agent, media_types)
        return json_reply({"agentId": str(agent), "skills": sorted(media_types)})

    def _set_password(self, argument: str, body: bytes) -> Reply:
        agent, password = parse_agent(argument), _read_json(body)
        if agent is None:
            return _problem(400, _NO_AGENT)
        if not isinstance(password, str):
            return _problem(400, "the body must be a JSON string, the password")
        self._gateway.set_password(agent, password)
        return json_reply({"agentId": str(agent)})

    def _add_faults(self, _argument: str, body: bytes) -> Reply:
        try:
            faults = [parse_fault(text) for text in _read_texts(body, of="faults", such_as="1001=http-502")]
        except InputError as exc:
            return _problem(400, str(exc))
        self._gateway.faults.add(faults)
        return json_reply({"faults": len(self._gateway.faults)})

    def _clear_faults(self, _argument: str, _body: bytes) -> Reply:
        self._gateway.faults.clear()
        return json_reply({"faults": 0})

    def _scenarios(self, _argument: str, _body: bytes) -> Reply:
        return json_reply(self._stage.document())

    def _play(self, argument: str, body: bytes) -> Reply:
        try:
            self._stage.play(_read_texts(body, of="scenarios", such_as="slow-replies:2s"))
        except InputError as exc:
            return _problem(400, f"{exc}; {exc.hint}" if exc.hint else str(exc))
        return self._scenarios(argument, body)

    def _stop(self, argument: str, body: bytes) -> Reply:
        self._stage.stop()
        return self._scenarios(argument, body)


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None  # which no resource takes


def _read_texts(body: bytes, *, of: str, such_as: str) -> list[str]:
    document = _read_json(body)
    if not isinstance(document, list) or not all(isinstance(text, str) for text in document):
        raise InputError(f'the body must be a JSON array of {of}, such as ["{such_as}"]')
    return document


def _read_media_types(body: bytes) -> frozenset[int]:
    document = _read_json(body)
    if not isinstance(document, list) or not all(
        type(code) is int and code in reference.MEDIA_TYPES for code in document
    ):
        known = ", ".join(map(str, reference.MEDIA_TYPES))
        raise InputError(f"the body must be a JSON array of media types, such as [51, 52]; there are {known}")
    return frozenset(document)


def _problem(status: int, message: str, *, headers: Mapping[str, str] | None = None) -> Reply:
    return json_reply({"message": message}, status=status, headers=headers)
