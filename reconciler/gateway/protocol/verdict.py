"""What one call came to: a closed family, so that whoever handles it ends with `assert_never`.

| verdict       | the agent's outcome once nothing more is tried | tried again in this run            |
|---------------|------------------------------------------------|------------------------------------|
| Acknowledged  | applied                                        | no                                 |
| NotSignedIn   | deferred                                       | no                                 |
| SessionExpired| deferred                                       | once, with the session read anew   |
| Transient     | failed, or in doubt when `sent_maybe`          | yes, after a wait                  |
| Unanswered    | in doubt                                       | yes: absolute values, so it is safe|
| Refused       | failed                                         | no                                 |
| Misconfigured | failed; the rest of the run is skipped         | no: every agent would meet the same|

Rules of this file: values only. `message` is one line for people; what a server sent is escaped and cut before it
gets here, and never holds a secret. An earlier attempt's doubt outlives a later attempt that sent nothing: whoever
retries must remember it.
"""

from __future__ import annotations

from reconciler.values import Struct


class Acknowledged(Struct, frozen=True, kw_only=True):
    """HTTP 200 with retcode "0": the gateway took exactly the values of the request."""

    retcode: str | None = "0"
    message: str = ""


class NotSignedIn(Struct, frozen=True, kw_only=True):
    """The agent is not signed in. Nothing is wrong and nothing was changed."""

    retcode: str | None = None
    message: str = ""


class SessionExpired(Struct, frozen=True, kw_only=True):
    """The Guid was not accepted. Nothing was changed."""

    retcode: str | None = None
    message: str = ""


class Transient(Struct, frozen=True, kw_only=True):
    """It did not work now and may work later."""

    retcode: str | None = None
    message: str = ""
    retry_after: float | None = None
    """Seconds the server asked to wait, 0 to 60; `None` when it did not say."""
    overloaded: bool = False
    """The server has too much to do, whoever asks: every agent's calls are to wait, not only this one's."""
    sent_maybe: bool = False
    """The gateway may have taken the values all the same (a proxy's 502, say): used-up retries leave it in doubt."""


class Unanswered(Struct, frozen=True, kw_only=True):
    """Bytes may have reached the gateway, and no answer that can be trusted came back."""

    retcode: str | None = None
    message: str = ""


class Refused(Struct, frozen=True, kw_only=True):
    """The gateway, or what stands before it, said no to this call for good."""

    retcode: str | None = None
    message: str = ""


class Misconfigured(Struct, frozen=True, kw_only=True):
    """Nothing was taken, and no agent would fare better before a person corrects the site's settings or sessions."""

    retcode: str | None = None
    message: str = ""


Verdict = Acknowledged | NotSignedIn | SessionExpired | Transient | Unanswered | Refused | Misconfigured
