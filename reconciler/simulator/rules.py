"""How this gateway reads what the reference leaves open, and the settings it publishes.

Rule of this file: each setting stands for a question that the pages do not answer, and names the answers, or for a
figure that a site can change, and has the published one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import StrEnum

from reconciler.errors import InputError
from reconciler.simulator import reference
from reconciler.values import Struct, field, repr_without

ALL_CHANNELS = frozenset(reference.MEDIA_TYPES)

_NODE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*", re.ASCII)


class Spelling(StrEnum):
    """What becomes of a channel whose number stands under the wrong key."""

    STRICT = "strict"
    """The message is refused, and so is any key that the page does not name."""
    LENIENT_ZERO = "lenient-zero"
    """The number is read as 0 and the answer is still success: the worst case that the page allows."""


class ChannelMode(StrEnum):
    """What becomes of channels that a message does not list."""

    MERGE = "merge"
    """They keep their number."""
    REPLACE = "replace"
    """They have none afterwards."""


class AuthMode(StrEnum):
    """AUTHMODE of the gateway's basic.properties (cec_07_0005)."""

    STATIC = "1"
    """The Guid of the sign-in stays."""
    DYNAMIC = "2"
    """Guids are renewed every `guid_interval` and refused at `guid_timeout`."""


class EventMode(StrEnum):
    """How agents who sign in by a call get their events."""

    AS_ASKED = "as-asked"
    """Pushed to those who sign in with `callBackUri` and `serviceToken`, polled by the others."""
    PUSHED = "pushed"
    """Pushed to everybody: whoever polls is told that it is the wrong way."""


class Rules(Struct, frozen=True, kw_only=True):
    """One way for a gateway to behave. All spans are seconds.

    An agent that the rehearsal signs in stands for a person at a desk, whose client keeps the session; what is said
    below of "callers" holds for those who sign in by a call.
    """

    callnums_key: str = "callNums"
    """The spelling this gateway understands: that of the table (`callNums`) or of the example (`callnums`)."""
    spelling: Spelling = Spelling.STRICT
    channel_mode: ChannelMode = ChannelMode.MERGE
    guid_ttl: float | None = None
    """Age at which every Guid is refused, a desk's too; `None`: as `auth_mode` has it."""
    latency: float = 0.0
    """Between the work and its answer."""
    skills: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Media types whose skill queue an agent has; an agent that is not listed has all but `missing_skills`."""
    missing_skills: frozenset[int] = frozenset()
    """Media types whose skill queue agents lack that are not in `skills`."""
    auth_mode: AuthMode = AuthMode.DYNAMIC
    guid_interval: float = 60.0
    """GUIDINTERVAL: age at which a caller's Guid is replaced, and the new one told on the next poll or heartbeat."""
    guid_timeout: float = 120.0
    """GUIDTIMEOUT: age at which a caller's Guid is refused; until then a replaced one is good beside the new one."""
    desks_rotate: bool = False
    """Whether the Guids of desks rotate like those of callers."""
    idle_timeout: float = 120.0
    """Without a poll or a heartbeat of a caller for so long, its agent is signed out."""
    poll_wait: float = 10.0
    """How long a poll is held when there is no event."""
    event_mode: EventMode = EventMode.AS_ASKED
    passwords: Mapping[int, str] = field(default_factory=dict)
    """What an agent has to sign in with; any password will do for an agent that is not listed."""
    node: str | None = None
    """Name of this node of a cluster: Guids end in it, and who signs in gets a cookie of it."""
    sticky_cookies: bool = False
    """Whether a session is known only by its Guid together with the cookie that signing in gave."""
    session_cookies: Mapping[str, str] = field(default_factory=dict)
    """Written beside the Guids of desks for a front that wants them; this gateway asks for none of them."""

    __repr__ = repr_without("passwords", "session_cookies")

    def __post_init__(self) -> None:
        """Refuse settings that no gateway could have."""
        if self.callnums_key not in reference.NUMBER_KEYS:
            raise InputError(
                f"the rehearsal gateway knows no key {self.callnums_key!r}",
                hint=f"use one of {', '.join(reference.NUMBER_KEYS)}",
            )
        self._check_spans()
        self._check_skills()
        self._check_names()

    def _check_spans(self) -> None:
        if self.guid_ttl is not None and not 0 < self.guid_ttl < math.inf:
            raise InputError("the lifetime of a Guid must be a number of seconds above 0", hint="for example 120")
        if not 0 <= self.latency < math.inf:
            raise InputError("the latency must be a number of seconds, 0 or more", hint="for example 0.05")
        if not 0 <= self.poll_wait < math.inf:
            raise InputError("the wait of a poll must be a number of seconds, 0 or more", hint="for example 10")
        if not 0 < self.guid_interval < self.guid_timeout < math.inf:
            raise InputError(
                "Guids must be replaced after more than 0 seconds and before they are refused",
                hint="for example every 60 seconds, and refused at 120",
            )
        if not 0 < self.idle_timeout < math.inf:
            raise InputError("the idle time must be a number of seconds above 0", hint="for example 120")

    def _check_skills(self) -> None:
        known = ", ".join(map(str, reference.MEDIA_TYPES))
        for agent, media_types in self.skills.items():
            if agent not in reference.AGENT_IDS or not media_types <= ALL_CHANNELS:
                raise InputError(
                    f"agent {agent} cannot be given these skill queues",
                    hint=f"agent ids are 101 to 999999, media types {known}",
                )
        if not self.missing_skills <= ALL_CHANNELS:
            raise InputError("there is no such skill queue to be missing", hint=f"media types are {known}")

    def _check_names(self) -> None:
        if self.node is not None and not _NODE.fullmatch(self.node):
            raise InputError(
                f"{self.node!r} cannot be the name of a node", hint="use 1 to 64 letters, digits, hyphens, underscores"
            )
        for name, value in self.session_cookies.items():
            if not _COOKIE_NAME.fullmatch(name) or not _COOKIE_VALUE.fullmatch(value):
                raise InputError(
                    "a session cookie has a name or a value that no cookie can have", hint="for example SERVERID=n1"
                )
