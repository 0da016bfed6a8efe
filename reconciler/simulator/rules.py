"""How this gateway reads what the reference leaves open.

Rule of this file: each setting stands for one question that the page does not answer, and names both answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.errors import InputError
from reconciler.simulator import reference

ALL_CHANNELS = frozenset(reference.MEDIA_TYPES)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One way for a gateway to behave; fixed while it runs."""

    callnums_key: str = "callNums"
    """The spelling this gateway understands: that of the table (`callNums`) or of the example (`callnums`)."""
    spelling: Spelling = Spelling.STRICT
    channel_mode: ChannelMode = ChannelMode.MERGE
    guid_ttl: float | None = None
    """Seconds after which a Guid is no longer accepted; `None`: it lives as long as its session."""
    latency: float = 0.0
    """Seconds between the work and its answer."""
    skills: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """Media types whose skill queue an agent has; an agent that is not listed has all twelve."""

    def __post_init__(self) -> None:
        """Refuse settings that no gateway could have."""
        if self.callnums_key not in reference.NUMBER_KEYS:
            raise InputError(
                f"the rehearsal gateway knows no key {self.callnums_key!r}",
                hint=f"use one of {', '.join(reference.NUMBER_KEYS)}",
            )
        if self.guid_ttl is not None and not 0 < self.guid_ttl < math.inf:
            raise InputError("the lifetime of a Guid must be a number of seconds above 0", hint="for example 120")
        if not 0 <= self.latency < math.inf:
            raise InputError("the latency must be a number of seconds, 0 or more", hint="for example 0.05")
        for agent, media_types in self.skills.items():
            if agent not in reference.AGENT_IDS or not media_types <= ALL_CHANNELS:
                raise InputError(
                    f"agent {agent} cannot be given these skill queues",
                    hint=f"agent ids are 101 to 999999, media types {', '.join(map(str, reference.MEDIA_TYPES))}",
                )
