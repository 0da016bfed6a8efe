"""The interface page "setcallnumsbymediatype", written down as tables.

Rules of this file: only what the page says, under the numbers of its tables, and the return codes' published meanings.
It is read from the page and from nothing of the client's, so that two readings of one page can be held against each
other. No decisions here; `message` and `gateway` walk these tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

METHOD: Final = "POST"
"""The only method that the interface supports."""

RESOURCE: Final = re.compile(r"/agentgateway/resource/mediacall/(?P<agentid>[^/]+)/setcallnumsbymediatype")
"""The path after the server's address and port."""

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

SUCCESS: Final = "0"
BAD_URL: Final = "000-002"
NO_PERMISSION: Final = "000-003"
BAD_MESSAGE: Final = "000-006"
OVERLAPPING: Final = "000-007"
NOT_SIGNED_IN: Final = "100-006"
NO_SKILL_QUEUE: Final = "106-011"

RETCODES: Final[Mapping[str, str]] = {
    SUCCESS: "success",
    "000-001": "the way of getting events is wrong",
    BAD_URL: "a parameter in the url is incorrect",
    NO_PERMISSION: "no permission, or the authentication has expired",
    "000-004": "switching to the disaster recovery site",
    BAD_MESSAGE: "a parameter in the message is incorrect",
    OVERLAPPING: "invoked again before the last call ended",
    "100-001": "a parameter of signing in is invalid",
    "100-002": "the agent has already signed in",
    "100-003": "a resource is unavailable",
    "100-004": "the user or the password is wrong",
    "100-005": "a parameter of signing out is invalid",
    NOT_SIGNED_IN: "the agent has not signed in",
    "100-007": "internal exception",
    "100-008": "the agent has signed out",
    "100-009": "the agent's status is wrong, or it has no right to do this",
    NO_SKILL_QUEUE: "the agent does not have the skill queue of the channel",
}
"""Published meanings in our words; the page names 106-011 without a text, which is inferred from its description."""
