"""The interface page "setcallnumsbymediatype", and those about signing in and out, written down as tables.

Rules of this file: only what the pages say, under the numbers of their tables, and the return codes' published
meanings. It is read from the pages and from nothing of the client's, so that two readings of one page can be held
against each other. No decisions here; `message`, `sign_in_message` and `gateway` walk these tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from reconciler.values import Struct


class Operation(StrEnum):
    """An interface that is served, by the name it has in faults and counts."""

    SET = "set"
    SIGN_IN = "sign-in"
    FORCE = "force"
    SIGN_OUT = "sign-out"
    POLL = "poll"
    HEARTBEAT = "heartbeat"
    UPDATE_GUID = "update-guid"


class Resource(Struct, frozen=True):
    """Where an interface is found. Each supports one method only."""

    method: str
    path: str
    """After the server's address and port; `{agentid}` stands for the agent."""
    page: str
    """The page of the API reference."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """The paths of this resource, with the agent as the group `agentid`."""
        before, after = self.path.split("{agentid}")
        return re.compile(f"{re.escape(before)}(?P<agentid>[^/]+){re.escape(after)}")


_ROOT: Final = "/agentgateway/resource"

RESOURCES: Final[Mapping[Operation, Resource]] = {
    Operation.SET: Resource("POST", f"{_ROOT}/mediacall/{{agentid}}/setcallnumsbymediatype", "setcallnumsbymediatype"),
    Operation.SIGN_IN: Resource("PUT", f"{_ROOT}/onlineagent/{{agentid}}", "cec_07_1202"),
    Operation.FORCE: Resource("PUT", f"{_ROOT}/onlineagent/{{agentid}}/forcelogin", "cec_07_1203"),
    Operation.SIGN_OUT: Resource("DELETE", f"{_ROOT}/onlineagent/{{agentid}}/logout", "cec_07_1219"),
    Operation.POLL: Resource("GET", f"{_ROOT}/agentevent/{{agentid}}", "cec_07_1274"),
    Operation.HEARTBEAT: Resource("POST", f"{_ROOT}/onlineagent/{{agentid}}/handshake", "cec_07_1204"),
    Operation.UPDATE_GUID: Resource("PUT", f"{_ROOT}/onlineagent/{{agentid}}/updateGuid", "cec_07_0358"),
}
"""Everything that is served; no two resources share a path."""

AGENT_IDS: Final = range(101, 999_999 + 1)
"""Table 1."""

CONTENT_TYPE: Final = re.compile(r'application/json(?:\s*;\s*charset\s*=\s*(?:utf-?8|"utf-?8"))?\s*;?', re.IGNORECASE)
"""Table 2: `application/json; charset=UTF-8`, in the spellings HTTP holds to be the same."""

TOTALS: Final = range(1, 60 + 1)
"""Table 3, `totalCallNum`."""

CHANNEL_NUMBERS: Final = range(60 + 1)
"""Table 4, the number of one channel."""

MEDIA_TYPES: Final[Mapping[int, str]] = {
    50: "email",
    51: "multimedia web chat",
    52: "SMS message",
    53: "social chat",
    56: "WeChat",
    57: "Facebook",
    58: "Twitter",
    59: "5G",
    60: "LINE",
    61: "WhatsApp",
    62: "Instagram",
    63: "Telegram",
}
"""Table 4, `mediaType`. 54 and 55 do not exist."""

NUMBER_KEYS: Final = ("callNums", "callnums")
"""The page disagrees with itself about this key: Table 4 has the first spelling, its example the second."""

PASSWORD_LENGTH: Final = 32
PHONE_LENGTH: Final = 24
AGENT_STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "3": ("AgentOther_InService", "AgentState_Ready", "AgentState_SetNotReady_Success"),
    "4": ("AgentOther_InService", "AgentState_Ready"),
    "5": ("AgentOther_InService", "AgentState_Ready", "AgentState_Work"),
}
"""What a sign-in may ask for (busy, idle, wrapping up), and the events that it triggers; cec_07_1202, Table 3."""
IDLE: Final = "4"
AGENT_TYPES: Final = ("4", "11")
"""With a telephone, or with a video telephone; cec_07_1202, Table 3."""
SERVICE_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{0,50}")
"""At most 50 characters and none that is special; cec_07_1204, Table 2."""

SUCCESS: Final = "0"
WRONG_EVENT_MODE: Final = "000-001"
BAD_URL: Final = "000-002"
NO_PERMISSION: Final = "000-003"
BAD_MESSAGE: Final = "000-006"
OVERLAPPING: Final = "000-007"
BAD_SIGN_IN: Final = "100-001"
ALREADY_SIGNED_IN: Final = "100-002"
UNAVAILABLE: Final = "100-003"
WRONG_CREDENTIALS: Final = "100-004"
NOT_SIGNED_IN: Final = "100-006"
HAS_SIGNED_OUT: Final = "100-008"
NO_SKILL_QUEUE: Final = "106-011"

RETCODES: Final[Mapping[str, str]] = {
    SUCCESS: "success",
    WRONG_EVENT_MODE: "the way of getting events is wrong",
    BAD_URL: "a parameter in the url is incorrect",
    NO_PERMISSION: "no permission, or the authentication has expired",
    "000-004": "switching to the disaster recovery site",
    BAD_MESSAGE: "a parameter in the message is incorrect",
    OVERLAPPING: "invoked again before the last call ended",
    BAD_SIGN_IN: "a parameter of signing in is invalid",
    ALREADY_SIGNED_IN: "the agent has already signed in",
    UNAVAILABLE: "a resource is unavailable",
    WRONG_CREDENTIALS: "the user or the password is wrong",
    "100-005": "a parameter of signing out is invalid",
    NOT_SIGNED_IN: "the agent has not signed in",
    "100-007": "internal exception",
    HAS_SIGNED_OUT: "the agent has signed out",
    "100-009": "the agent's status is wrong, or it has no right to do this",
    NO_SKILL_QUEUE: "the agent does not have the skill queue of the channel",
}
"""Published meanings in our words; the page names 106-011 without a text, which is inferred from its description."""
