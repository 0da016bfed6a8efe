"""The body of a sign-in, read against Table 3 of the page about signing in (cec_07_1202).

Rules of this file: bytes in, a `SignInMessage` or `RefusedError` (100-001) out; no I/O. The page lists more optional
parameters than matter here, so a key that is not known is passed over. Numbers and booleans come as JSON values or as
text, for the page's own example sends text. Details name the parameter, and never quote what was sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.simulator import reference
from reconciler.simulator.exchange import RefusedError
from reconciler.values import Struct, repr_without

_FLAGS = ("autoanswer", "autoenteridle", "releasephone", "phonelinkage", "checkInWebm", "checkInMailm")
_TRUTHS = (True, False, "true", "false")


class SignInMessage(Struct, frozen=True, kw_only=True):
    """What somebody who signs in asks for."""

    password: str
    status: str
    """A key of `reference.AGENT_STATUSES`."""
    pushed: bool
    """Whether events are to be pushed: both `callBackUri` and `serviceToken` were given."""

    __repr__ = repr_without("password")


def _refuse(detail: str) -> RefusedError:
    return RefusedError(reference.BAD_SIGN_IN, detail)


def _decode(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise _refuse("the body is not JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise _refuse("the body is not an object")
    return document


def _read_text(document: Mapping[str, Any], key: str, *, longest: int) -> str:
    value = document.get(key, "")
    if not isinstance(value, str) or len(value) > longest:
        raise _refuse(f"{key} is not text of at most {longest} characters")
    return value


def _read_choice(document: Mapping[str, Any], key: str, *, choices: tuple[str, ...], default: str) -> str:
    value = document.get(key, default)
    text = str(value) if type(value) in {int, str} else None
    if text not in choices:
        raise _refuse(f"{key} is not one of {', '.join(choices)}")
    return text


def read_sign_in(body: bytes) -> SignInMessage:
    """Return what the body of a sign-in asks for.

    Raises:
        RefusedError: the body is not what Table 3 describes.
    """
    document = _decode(body)
    if "password" not in document:
        raise _refuse("password is missing")
    password = _read_text(document, "password", longest=reference.PASSWORD_LENGTH)
    _read_text(document, "phonenum", longest=reference.PHONE_LENGTH)
    _read_choice(document, "agenttype", choices=reference.AGENT_TYPES, default=reference.AGENT_TYPES[0])
    status = _read_choice(document, "status", choices=tuple(reference.AGENT_STATUSES), default=reference.IDLE)
    for flag in _FLAGS:
        value = document.get(flag, True)
        if not isinstance(value, bool | str) or value not in _TRUTHS:
            raise _refuse(f"{flag} is neither true nor false")
    token = document.get("serviceToken", "")
    if not isinstance(token, str) or not reference.SERVICE_TOKEN.fullmatch(token):
        raise _refuse("serviceToken is too long or has a special character")
    return SignInMessage(password=password, status=status, pushed=bool(token and document.get("callBackUri")))
