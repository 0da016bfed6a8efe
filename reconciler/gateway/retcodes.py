"""What each retcode of the gateway means, as a table; with the HTTP statuses, all that a reply can mean.

Rules of this file: behaviour is data, and `lookup` is all the code that walks it. Success, `"0"`, is not a row, so
that no override can make a failure of it or a success of anything else. Rows whose text the API reference does not
give say so.

A key ending in `-*` stands for every code of that family without a row of its own; a code with neither is permanent,
since to send again what is not understood helps nobody and may lock somebody out. What HTTP statuses and broken
connections mean stands in `statuses` and `protocol.failure`; `verdict_table` has all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.gateway.rows import Grade, Row, VerdictTable, by_code
from reconciler.gateway.statuses import STATUSES
from reconciler.model.site import RetcodeClass
from reconciler.values import replace

SUCCESS = "0"

_LIST = "cec_07_0580"
_INTERFACE = "setcallnumsbymediatype"

_SIGN_IN = "the agent signs in"
_REPORT = "report it with the call: this interface should not answer so"
_EVENTS = "an agent signed in for pushed events must not be polled: look at what signs the agents in"
_QUEUE = "check that the agent holds the channel's skill queue, is signed in to it, and may handle media"


def _deferred(retcode: str, meaning: str, remedy: str = _SIGN_IN) -> Row:
    return _row(retcode, RetcodeClass.DEFERRED, meaning, remedy)


def _transient(retcode: str, meaning: str, remedy: str) -> Row:
    return _row(retcode, RetcodeClass.TRANSIENT, meaning, remedy)


def _permanent(retcode: str, meaning: str, remedy: str = _REPORT) -> Row:
    return _row(retcode, RetcodeClass.PERMANENT, meaning, remedy)


def _row(retcode: str, kind: RetcodeClass, meaning: str, remedy: str) -> Row:
    return Row(code=retcode, kind=kind, meaning=meaning, remedy=remedy, page=_LIST, grade=Grade.DOCUMENTED)


def _mediacall(retcode: str, *, page: str = "", grade: Grade = Grade.INFERRED) -> Row:
    meaning = "the media call interface refused (the reference gives no text for it)"
    kind = RetcodeClass.PERMANENT
    return Row(code=retcode, kind=kind, meaning=meaning, remedy=_QUEUE, page=page, grade=grade)


_ROWS = (
    _permanent("000-001", "wrong way of getting events", _EVENTS),
    _permanent("000-002", "a parameter in the URL is invalid", "check gateway.url and the agent id"),
    _row(
        "000-003",
        RetcodeClass.REREAD_SESSION,
        "no permission, or the session has expired",
        "the session source must give Guids younger than two minutes",
    ),
    _transient("000-004", "the site is switching over to disaster recovery", "try again when it has"),
    _permanent("000-006", "a parameter in the message is invalid", "check gateway.callnums_key and the numbers sent"),
    _transient("000-007", "the agent's last call has not ended yet", "look for another program calling for this agent"),
    _permanent("100-001", "a sign-in parameter is invalid"),
    _permanent("100-002", "the agent has already signed in"),
    _transient("100-003", "a resource is unavailable", "ask the gateway's operators if it lasts"),
    _permanent("100-004", "wrong user or password", "never retried, so that nobody is locked out: check the sign-in"),
    _permanent("100-005", "a sign-out parameter is invalid"),
    _deferred("100-006", "the agent is not signed in"),
    _transient("100-007", "an internal exception of the gateway", "ask the gateway's operators if it lasts"),
    _deferred("100-008", "the agent has signed out"),
    _permanent("100-009", "wrong agent status, or no right to this call", "check the agent's role and status"),
    _permanent("100-010", "the agent's sign-in or sign-out state forbids it", "sign the agent out and in again"),
    _permanent("100-011", "the agent's sign-in or sign-out state forbids it", "sign the agent out and in again"),
    _permanent("100-012", "the agent's sign-in or sign-out state forbids it", "sign the agent out and in again"),
    _permanent("100-013", "the agent's sign-in or sign-out state forbids it", "sign the agent out and in again"),
    _mediacall("106-003"),
    _mediacall("106-008"),
    _mediacall("106-011", page=_INTERFACE, grade=Grade.REFERENCE),
    _mediacall("106-012"),
    _mediacall("106-*"),
)

RETCODES = by_code(*_ROWS)
"""The rows of the retcodes as documented."""

UNKNOWN = Row(
    code="*",
    kind=RetcodeClass.PERMANENT,
    meaning="the gateway refused with a retcode that is not in the table",
    remedy="look the retcode up in the site's own version of the API reference",
    grade=Grade.INFERRED,
)
"""The row of every retcode that has none."""

REPLIES: VerdictTable = MappingProxyType({**RETCODES, **STATUSES})
"""The rows by which a reply is judged, retcodes and HTTP statuses, by code."""


def lookup(code: str, table: VerdictTable = REPLIES) -> Row:
    """Return the row of `code`: its own, else its family's, else `UNKNOWN`.

    Args:
        code: a retcode as the gateway wrote it, or what `statuses.status_code` makes of an HTTP status.
        table: as the site has it.
    """
    head = code.partition("-")[0]
    family = f"{code[: len('http-4')]}xx" if head == "http" else f"{head}-*"
    return table.get(code) or table.get(family) or UNKNOWN


def with_overrides(overrides: Mapping[str, RetcodeClass], table: VerdictTable = REPLIES) -> VerdictTable:
    """Return `table` with the rows a site judges otherwise; meaning and remedy stay what they are.

    Args:
        overrides: class by retcode, family (`106-*`) or refusing HTTP status (`http-404`). `"0"` cannot be among them:
            success is not a row. Nor can what leaves a call in doubt: no setting takes a doubt away.
        table: what holds for every other code.
    """
    changed = {
        code: replace(lookup(code, table), code=code, kind=kind, page="", grade=Grade.SITE)
        for code, kind in overrides.items()
    }
    return MappingProxyType({**table, **changed})
