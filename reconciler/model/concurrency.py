"""How many sessions one agent handles at once: in all, and per channel.

Ranges are those of Tables 3 and 4 of "setcallnumsbymediatype". A value that exists is within them: the constructor
refuses everything else, so nothing behind it needs to look again.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.bounds import require_whole
from reconciler.model.channel import Channel
from reconciler.values import Struct

MIN_TOTAL = 1
MAX_TOTAL = 60
MIN_CHANNEL = 0
MAX_CHANNEL = 60


class Concurrency(Struct, frozen=True, order=True):
    """The numbers of one `setcallnumsbymediatype` call. Build it with `of`."""

    total: int
    """`totalCallNum`, 1 to 60: concurrent multimedia sessions over all channels."""

    channels: tuple[tuple[Channel, int], ...]
    """Each channel with its concurrent sessions, 0 to 60, sorted by channel, each channel once. Never empty."""

    def __post_init__(self) -> None:
        """Refuse what the gateway's reference does not allow."""
        require_whole("total", self.total, MIN_TOTAL, MAX_TOTAL)
        if not self.channels:
            raise ValueError("a concurrency needs at least one channel")
        previous = 0
        for channel, sessions in self.channels:
            if type(channel) is not Channel:
                raise ValueError(f"{channel!r} is not a Channel; use Channel.from_code or Channel.from_label")
            require_whole(channel.label, sessions, MIN_CHANNEL, MAX_CHANNEL)
            if channel <= previous:
                raise ValueError("channels must be sorted, each once; use Concurrency.of")
            previous = channel

    @classmethod
    def of(cls, total: int, channels: Mapping[Channel, int]) -> Concurrency:
        """Return the concurrency with these channels, in whatever order they come.

        Raises:
            ValueError: a number is outside its range, is not an `int`, or there is no channel.
        """
        return cls(total, tuple(sorted(channels.items())))

    def as_mapping(self) -> dict[Channel, int]:
        """Return the channels as a fresh mapping, in order of their codes."""
        return dict(self.channels)
