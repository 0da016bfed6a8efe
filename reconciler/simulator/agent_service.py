"""Signing in, staying signed in and signing out: the interfaces of a caller who keeps an agent's session.

Rules of this file: no I/O and no waiting; how long an answer is to be held back is part of the answer. Who is signed
in is `session_book`'s to know, what is counted goes to `attendance`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from reconciler.simulator import reference
from reconciler.simulator.attendance import Attendance, Step
from reconciler.simulator.exchange import Call, RefusedError, Reply, json_reply
from reconciler.simulator.reference import Operation
from reconciler.simulator.rules import EventMode
from reconciler.simulator.session_book import SessionBook
from reconciler.simulator.sessions import SimulatedSession
from reconciler.simulator.sign_in_message import read_sign_in
from reconciler.values import Struct


class Answer(Struct, frozen=True, kw_only=True):
    """A reply, and how long it is held back."""

    reply: Reply
    wait: float = 0.0
    """Seconds."""


class AgentService:
    """Carries out the operations on sessions; an operation that cannot be carried out raises `RefusedError`."""

    def __init__(
        self,
        sessions: SessionBook,
        *,
        attendance: Attendance,
        password_of: Callable[[int], str | None],
        login_time: Callable[[], int],
    ) -> None:
        """Serve the sessions of a book.

        Args:
            sessions: the book, whose rules hold.
            attendance: counts what is done.
            password_of: an agent's password, or `None` when any will do.
            login_time: milliseconds, another number for each signing-in.
        """
        self._sessions = sessions
        self._attendance = attendance
        self._password_of = password_of
        self._login_time = login_time
        self._operations: Mapping[Operation, Callable[[int, Call], Answer]] = {
            Operation.SIGN_IN: lambda agent, call: self._sign_in(agent, call, by_force=False),
            Operation.FORCE: lambda agent, call: self._sign_in(agent, call, by_force=True),
            Operation.SIGN_OUT: self._sign_out,
            Operation.POLL: self._poll,
            Operation.HEARTBEAT: self._heartbeat,
            Operation.UPDATE_GUID: self._update_guid,
        }

    def carry_out(self, operation: Operation, agent: int, call: Call) -> Answer:
        """Carry out an operation for an agent and return its answer.

        Raises:
            RefusedError: it cannot be carried out; nothing has changed.
        """
        return self._operations[operation](agent, call)

    def _sign_in(self, agent: int, call: Call, *, by_force: bool) -> Answer:
        if not reference.CONTENT_TYPE.fullmatch((call.content_type or "").strip()):
            raise RefusedError(reference.BAD_MESSAGE, "the Content-Type is not application/json; charset=UTF-8")
        message = read_sign_in(call.body)
        password = self._password_of(agent)
        if password is not None and not hmac.compare_digest(_comparable(password), _comparable(message.password)):
            raise RefusedError(reference.WRONG_CREDENTIALS)
        present = self._sessions.is_signed_in(agent)
        if present and not by_force:
            raise RefusedError(reference.ALREADY_SIGNED_IN)
        for step, taken in ((Step.SIGN_IN, True), (Step.FORCE, by_force), (Step.THROWN_OUT, present)):
            if taken:
                self._attendance.note(step, agent)
        self._attendance.note_status(agent, message.status)
        session = self._sessions.sign_in_caller(
            agent, pushed=message.pushed, events=reference.AGENT_STATUSES[message.status]
        )
        return Answer(reply=self._welcome(session))

    def _welcome(self, session: SimulatedSession) -> Reply:
        result = {
            "vdnid": 1,
            "workno": str(session.agent),
            "mediatype": "TTF",
            "loginTime": str(self._login_time()),
            "isForceChange": "false",
            "serverName": self._sessions.rules.node or "AgentGateway",
        }
        headers = _set_guid(session.guid)
        for name, value in {**session.cookies, **session.unasked_cookies}.items():  # one at most: the node's own
            headers["Set-Cookie"] = f"{name}={value}; Path=/; Secure; HttpOnly"
        return _success({"result": result}, headers=headers)

    def _sign_out(self, agent: int, call: Call) -> Answer:
        try:
            self._authenticate(agent, call)
        except RefusedError as exc:
            if exc.retcode != reference.HAS_SIGNED_OUT:
                raise
            raise RefusedError(reference.NOT_SIGNED_IN) from exc  # the only failure that the page names
        self._sessions.sign_out(agent)
        self._attendance.note(Step.SIGN_OUT, agent)
        return Answer(reply=_success({}))

    def _poll(self, agent: int, call: Call) -> Answer:
        session = self._authenticate(agent, call)
        if session.pushed or self._sessions.rules.event_mode is EventMode.PUSHED:
            raise RefusedError(reference.WRONG_EVENT_MODE, "the events of this agent are pushed")
        session = self._sessions.see(session)
        self._attendance.note(Step.POLL, agent)
        kind = self._sessions.take_event(session)
        event = None if kind is None else {"eventType": kind, "workNo": str(agent), "content": None}
        reply = _success({"event": event}, message="", headers=_renewed(session, call))
        return Answer(reply=reply, wait=self._sessions.rules.poll_wait if event is None else 0.0)

    def _heartbeat(self, agent: int, call: Call) -> Answer:
        session = self._sessions.see(self._authenticate(agent, call))
        self._attendance.note(Step.HEARTBEAT, agent)
        return Answer(reply=_success({}, headers=_renewed(session, call)))

    def _update_guid(self, agent: int, call: Call) -> Answer:
        session = self._sessions.renew(self._authenticate(agent, call))
        self._attendance.note(Step.GUID_UPDATE, agent)
        return Answer(reply=_success({"result": {"guid": session.guid}}, headers=_set_guid(session.guid)))

    def _authenticate(self, agent: int, call: Call) -> SimulatedSession:
        return self._sessions.authenticate(agent, guid=call.guid, cookie=call.cookie)


def _success(
    more: Mapping[str, object], *, message: str = "success", headers: Mapping[str, str] | None = None
) -> Reply:
    return json_reply({"message": message, "retcode": reference.SUCCESS, **more}, headers=headers)


def _set_guid(guid: str) -> dict[str, str]:
    return {"Set-GUID": f"JSESSIONID={guid}"}


def _renewed(session: SimulatedSession, call: Call) -> dict[str, str]:
    """Tell the Guid to a caller that used another one, so that a lost answer does not lose the session."""
    return {} if call.guid == session.guid else _set_guid(session.guid)


def _comparable(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
