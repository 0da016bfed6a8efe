"""The twelve channels a concurrency can be set for.

Codes are those of Table 4 of the page "setcallnumsbymediatype" of the CEC API reference; 54 and 55 do not exist there.
The names are ours: they are what people write in YAML and read in a plan.
"""

from __future__ import annotations

from enum import IntEnum


class Channel(IntEnum):
    """A media type of the gateway. The value is its `mediaType` code; order is by code."""

    EMAIL = 50
    WEB_CHAT = 51
    SMS = 52
    SOCIAL_CHAT = 53
    WECHAT = 56
    FACEBOOK = 57
    TWITTER = 58
    FIVE_G = 59
    LINE = 60
    WHATSAPP = 61
    INSTAGRAM = 62
    TELEGRAM = 63

    @property
    def label(self) -> str:
        """The channel's name in YAML, flags and reports, such as `web_chat` or `5g`."""
        return _LABELS[self]

    @property
    def code(self) -> str:
        """The channel's code as a key of JSON documents, such as `"51"`."""
        return str(int(self))

    @classmethod
    def from_label(cls, label: str) -> Channel:
        """Return the channel called `label` in YAML.

        Raises:
            ValueError: no channel has that name.
        """
        try:
            return _BY_LABEL[label]
        except KeyError:
            raise ValueError(f"{label!r} is not a channel; channels are {', '.join(_BY_LABEL)}") from None

    @classmethod
    def from_code(cls, code: str) -> Channel:
        """Return the channel whose code is the text `code`, such as `"51"`.

        Raises:
            ValueError: no channel has that code.
        """
        try:
            return _BY_CODE[code]
        except KeyError:
            raise ValueError(f"{code!r} is not a media type; media types are {', '.join(_BY_CODE)}") from None


_LABELS = {channel: "5g" if channel is Channel.FIVE_G else channel.name.lower() for channel in Channel}
_BY_LABEL = {label: channel for channel, label in _LABELS.items()}
_BY_CODE = {channel.code: channel for channel in Channel}
