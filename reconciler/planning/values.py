"""What to send to an agent, given what is desired and what is recorded, and whether that changes anything.

Rules of this file: a call always carries the agent's complete channel list (whether the gateway keeps unlisted channels
is not documented), and a channel that is recorded and no longer desired is closed once, by a 0, or left out, as the
site says.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.gateway_settings import CallnumsKey
from reconciler.model.site import OnChannelRemoval, Site
from reconciler.model.state import AgentRecord, RecordStatus


def values_to_send(wanted: Concurrency, record: AgentRecord, site: Site) -> Concurrency:
    """Return what the next call carries for a recorded agent who is desired as `wanted`.

    A channel that is no longer desired needs no second 0 once its first was acknowledged. It was not if the record is
    in doubt, and it may as well not have been if it was sent under the other key spelling.
    """
    settled = record.status is RecordStatus.ACKNOWLEDGED and record.callnums_key is site.gateway.callnums_key
    to_close = (channel for channel, sessions in record.concurrency.channels if sessions > 0 or not settled)
    return _closing(wanted, to_close, site.on_channel_removal)


class Sending:
    """What to send and whether it changes anything, worked out once for each pair of values that meet.

    By identity: a fleet has few distinct values, each one object. Whoever asks keeps them alive meanwhile.
    """

    def __init__(self, site: Site) -> None:
        """Take the site, whose settings decide along."""
        self._site = site
        self._known: dict[tuple[int, int, RecordStatus, CallnumsKey], tuple[Concurrency, bool]] = {}

    def __call__(self, wanted: Concurrency, record: AgentRecord) -> tuple[Concurrency, bool]:
        """Return `values_to_send` for a recorded agent, and whether that `differs` from the record."""
        recorded = record.concurrency
        meeting = id(wanted), id(recorded), record.status, record.callnums_key
        known = self._known.get(meeting)
        if known is None:
            after = values_to_send(wanted, record, self._site)
            known = self._known[meeting] = after, differs(recorded, after)
        return known


def reset_values(recorded: Concurrency, site: Site) -> Concurrency:
    """Return what the last call of a removed agent carries: the site's reset values, and a 0 for what else is open."""
    return _closing(site.reset, (channel for channel, _ in recorded.channels), site.on_channel_removal)


def differs(recorded: Concurrency, sent: Concurrency) -> bool:
    """Tell whether sending `sent` changes a number. Equality alone decides; explaining is the work of `edits`."""
    return recorded.total != sent.total or open_channels(recorded, sent) != sent.channels


def open_channels(recorded: Concurrency, sent: Concurrency) -> tuple[tuple[Channel, int], ...]:
    """Return the recorded channels without those that are closed and not sent again: nothing happens to them."""
    kept = sent.as_mapping()
    return tuple((channel, sessions) for channel, sessions in recorded.channels if sessions > 0 or channel in kept)


def in_force(values: Concurrency) -> tuple[int, tuple[tuple[Channel, int], ...]]:
    """Return what two values share that mean the same to an agent: the total, and every channel above 0."""
    return values.total, tuple((channel, sessions) for channel, sessions in values.channels if sessions > 0)


def _closing(values: Concurrency, recorded: Iterable[Channel], policy: OnChannelRemoval) -> Concurrency:
    kept = values.as_mapping()
    zeros = {channel: 0 for channel in recorded if channel not in kept}
    if policy is OnChannelRemoval.OMIT or not zeros:
        return values
    return Concurrency.of(values.total, {**kept, **zeros})
