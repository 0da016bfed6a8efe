"""What it means when a Redis server says no, in sentences for people.

Rules of this file: a denial is known by its first word alone; the rest of it may quote a key or a value.
"""

from __future__ import annotations

from reconciler.errors import SessionSourceError
from reconciler.gateway.sessions.trouble import Setback

_CLUSTER = (
    "is one node of a Redis Cluster, where the keys are spread over several",
    "clusters are not supported: ask by source: command, or through a proxy that hides the cluster",
)
_DENIALS = {
    "NOAUTH": ("wants a password", "say where it is with sessions.password, such as env:REDIS_PASSWORD"),
    "WRONGPASS": (
        "refused the user or the password",
        "check sessions.username, and the secret that sessions.password leads to",
    ),
    "NOPASS": (  # a word of ours: Redis says no more than ERR
        "has no password for its default user, and was given one",
        "leave sessions.password out, or say with sessions.username whose it is",
    ),
    "NOPERM": (
        "does not allow this user to read the sessions",
        "allow it GETRANGE (HMGET, if they are in hashes) on the keys of sessions.key or sessions.hash",
    ),
    "MOVED": _CLUSTER,
    "ASK": _CLUSTER,
    "CROSSSLOT": _CLUSTER,
    "CLUSTERDOWN": _CLUSTER,
    "DENIED": (
        "is in protected mode, and denies whoever comes from another machine",
        "have its operators set a password, and say where it is with sessions.password",
    ),
}
_PASSING = {
    "LOADING": "is loading its data",
    "MASTERDOWN": "is a replica that has lost its master",
    "TRYAGAIN": "is moving keys to another node",
    "BUSY": "is busy with a script",
    "MAXCLIENTS": "has as many clients as it takes",  # a word of ours, as above
}


def denied(code: str, origin: str) -> SessionSourceError | Setback:
    """Return what `code`, the first word of an error, means for `origin` as a whole: a setback if it may pass."""
    if code in _PASSING:
        return Setback(error=SessionSourceError(f"{origin} {_PASSING[code]}", hint="try again in a while"))
    meaning, remedy = _DENIALS.get(code, (f"refused to be asked ({code})", "look at its log"))
    return SessionSourceError(f"{origin} {meaning}", hint=remedy)
