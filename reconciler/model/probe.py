"""What a probe will send, what it found out, and how sure that is: values for whoever probes and whoever tells of it.

A probe is an experiment with one agent on a real site. Rules of this file: a finding is graded by its evidence alone,
and without evidence it is `UNKNOWN`; nothing here holds a Guid or the value of a cookie.
"""

from __future__ import annotations

from enum import StrEnum

from reconciler.model.agent import AgentId
from reconciler.values import Struct


class Grade(StrEnum):
    """How far the evidence carries a conclusion."""

    CONFIRMED = "confirmed"
    """No gateway that answers the same call the same way could have given these answers otherwise."""
    LIKELY = "likely"
    """The answers fit, and a rarer explanation fits them too."""
    UNKNOWN = "unknown"
    """The answers do not tell."""


class Topic(StrEnum):
    """What is asked about a site."""

    TLS = "tls"
    CALLNUMS_KEY = "callnums_key"
    UNLISTED_CHANNELS = "unlisted_channels"
    COOKIES = "cookies"
    LATENCY = "latency"


class Finding(Struct, frozen=True, kw_only=True):
    """One answer."""

    topic: Topic
    grade: Grade
    value: str | None = None
    """The answer in a word that a program can use, such as `callnums`; `None` where there is none."""
    conclusion: str
    """The answer in a sentence."""
    evidence: tuple[str, ...] = ()
    """What was seen, one line each; what a server sent is escaped before it gets here."""


class ScriptedMessage(Struct, frozen=True, kw_only=True):
    """One body that may be sent; the same one may be sent several times."""

    letter: str
    """Its short name, `A`, `B`, …"""
    body: str
    purpose: str


class ScriptedBranch(Struct, frozen=True, kw_only=True):
    """Calls that follow one another, and the answer that leads to them. A branch ends early at an unexpected answer."""

    depth: int
    """Branches below it, up to the next one that is as deep or less, follow from its answers."""
    condition: str
    """In words; empty for always."""
    letters: tuple[str, ...]
    """The messages, one after the other."""
    note: str = ""
    """What it means to be there, or how these calls differ."""


class ProbeScript(Struct, frozen=True, kw_only=True):
    """Everything a probe may send, told before it starts."""

    site: str
    agent: AgentId
    url: str
    """The gateway's base URL."""
    method: str
    path: str
    """Of every call, after the host and port."""
    source: str
    """Whose values they are: `recorded` or `desired`."""
    in_doubt: bool = False
    """The recorded values were never acknowledged, or may have been replaced by nobody knows what."""
    protected: bool = False
    insecure: bool = False
    """The site says not to check the gateway's identity."""
    signs_in: bool = False
    """The session source signs the agent in for the probe, and out again."""
    messages: tuple[ScriptedMessage, ...]
    branches: tuple[ScriptedBranch, ...]
    """Never are all of them sent."""
    at_most: int
    """Calls that go out on the longest way through the script, without those that are repeated: one whose session is
    refused, once, with another session; and the last one, which gives the numbers back."""
    restoring_attempts: int
    """How often the last one may go out in each spelling, until it is acknowledged."""
    seconds: float
    """What the longest way takes at the least, without the pause."""
    pause: float | None = None
    """Seconds the pause may last; `None`: there is none."""


class MadeCall(Struct, frozen=True, kw_only=True):
    """One call that was sent, and what came of it."""

    letter: str
    with_cookies: bool = True
    answer: str
    """`acknowledged`, `refused`, `not signed in`, `session refused`, `failed`, `no answer` or `stopped`."""
    retcode: str | None = None
    message: str = ""
    """One line for people, made safe."""
    milliseconds: float
    extras: tuple[str, ...] = ()
    """Fields of the reply beyond retcode and message, `name=value`, made safe."""


class Certificate(Struct, frozen=True, kw_only=True):
    """A certificate as the gateway presented it."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """DNS names and IP addresses it is for."""
    not_before: str
    """RFC 3339, UTC."""
    not_after: str
    sha256: str
    """The fingerprint as operators read it to each other: `AB:CD:…`."""
    authority: bool
    """It may sign others."""
    self_signed: bool
    pem: str


class Spread(Struct, frozen=True, kw_only=True):
    """How long something took, in milliseconds."""

    what: str
    """`connect`, `tls` or `answer`."""
    count: int
    low: float
    median: float
    high: float


class Restoration(StrEnum):
    """How the probe left its agent."""

    NOT_TOUCHED = "not touched"
    """Nothing was sent, or nothing of it was taken."""
    RESTORED = "restored"
    """The last call carried the values of the script, and was acknowledged."""
    IN_DOUBT = "in doubt"
    """The values were not acknowledged again, or perhaps not last; the next plan sends them."""


class ProbeEnd(StrEnum):
    """Why a probe ended where it did."""

    COMPLETE = "complete"
    UNTRUSTED = "the gateway's identity could not be verified"
    UNREACHABLE = "no TLS connection came about"
    NOT_SIGNED_IN = "the agent is not signed in"
    SESSION_REFUSED = "the gateway does not accept the session"
    REFUSED = "the gateway refuses the values themselves"
    FAILED = "a call failed"
    UNANSWERED = "a call got no answer"
    STOPPED = "stopped before its end"


class ProbeOutcome(Struct, frozen=True, kw_only=True):
    """What a probe came to."""

    agent: AgentId
    end: ProbeEnd
    detail: str = ""
    """The last word on why, where it did not complete."""
    restoration: Restoration
    calls: tuple[MadeCall, ...]
    findings: tuple[Finding, ...]
    certificates: tuple[Certificate, ...] = ()
    """As presented, the gateway's own first."""
    ca_pem: str | None = None
    """The certificate that would make the gateway trusted, once somebody has compared its fingerprint."""
    latency: tuple[Spread, ...] = ()
    site_lines: tuple[str, ...] = ()
    """Lines for site.yaml, ready to paste; none where nothing was found."""
