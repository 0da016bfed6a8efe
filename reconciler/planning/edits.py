"""Why two concurrencies differ, number by number.

DeepDiff explains; it never decides (equality does, in `values`). It is slow, and a thousand agents often share one
difference, so each distinct pair is explained once, and given its causes once for each object of origins, which the
agents of a range or profile share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.model.channel import Channel
from reconciler.model.concurrency import Concurrency
from reconciler.model.desired import Source
from reconciler.model.plan import Edit, EditKind
from reconciler.model.site import OnChannelRemoval
from reconciler.planning.values import open_channels
from reconciler.values import replace

if TYPE_CHECKING:
    from deepdiff.model import DiffLevel

_TOTAL = "total"
_PREFIX = "channels."
_FIELDS = (_TOTAL, *(_PREFIX + channel.label for channel in Channel))
"""Every field an edit can have, in the order edits are listed."""

_Pair = tuple[Concurrency | None, Concurrency, Concurrency]
_Edits = tuple[Edit, ...]
_Numbers = dict[str, int]


class EditExplainer:
    """Explains differences for one plan, remembering those it has seen."""

    def __init__(self, policy: OnChannelRemoval) -> None:
        """Take the site's policy, which is the reason why a number disappears."""
        self._policy = policy
        self._seen: dict[_Pair, _Edits] = {}
        self._finished: dict[tuple[_Pair, int], tuple[_Edits, Mapping[str, Source]]] = {}
        """By pair and identity of the origins, which are kept along: an id is theirs only as long as they live."""

    def explain(
        self, before: Concurrency | None, after: Concurrency, *, wanted: Concurrency, origins: Mapping[str, Source]
    ) -> _Edits:
        """Return the edits from `before` (`None`: nothing recorded) to `after`, the total first, then by channel code.

        Args:
            before: what is recorded. A closed channel that is not sent again is no edit.
            after: what will be sent, closing zeros included.
            wanted: what was desired, so that a closing zero can be told from a desired one.
            origins: where each desired number was written; see `DesiredAgent.origins`.
        """
        pair = (before, after, wanted)
        finished = self._finished.get((pair, id(origins)))
        if finished is None:
            finished = self._finished[pair, id(origins)] = self._finish(pair, origins), origins
        return finished[0]

    def _finish(self, pair: _Pair, origins: Mapping[str, Source]) -> _Edits:
        if pair not in self._seen:
            self._seen[pair] = _explain(*pair, self._policy)
        return tuple(replace(edit, cause=origins.get(edit.field.removeprefix(_PREFIX))) for edit in self._seen[pair])


def _explain(before: Concurrency | None, after: Concurrency, wanted: Concurrency, policy: OnChannelRemoval) -> _Edits:
    old: _Numbers = {} if before is None else _numbers(before.total, open_channels(before, after))
    new, desired = _numbers(after.total, after.channels), _numbers(wanted.total, wanted.channels)
    named = _differing(old, new)
    return tuple(
        Edit(name, _kind(name, old, desired, policy), old.get(name), new.get(name)) for name in _FIELDS if name in named
    )


def _differing(old: _Numbers, new: _Numbers) -> set[str]:
    # Where no field comes or goes there is nothing to explain, and loading DeepDiff takes as long as all else.
    if not old or old.keys() == new.keys():
        return {name for name, number in new.items() if old.get(name) != number}
    return explained(old, new)


def explained(old: Mapping[str, int], new: Mapping[str, int]) -> set[str]:
    """Return the fields that differ, as DeepDiff finds them."""
    from deepdiff import DeepDiff  # noqa: PLC0415 - most plans do not need it

    # threshold_to_diff_deeper: by default DeepDiff reports two mappings with few common keys as one replaced value.
    tree = DeepDiff(old, new, view="tree", threshold_to_diff_deeper=0)
    return {_field(level) for levels in tree.values() for level in levels}


def _kind(name: str, old: _Numbers, desired: _Numbers, policy: OnChannelRemoval) -> EditKind:
    if name not in desired:
        return EditKind.CLOSED if policy is OnChannelRemoval.ZERO else EditKind.OMITTED
    return EditKind.CHANGED if name in old else EditKind.ADDED


def _field(level: DiffLevel) -> str:
    (name,) = level.path(output_format="list")
    return str(name)


def _numbers(total: int, channels: tuple[tuple[Channel, int], ...]) -> _Numbers:
    return {_TOTAL: total, **{_PREFIX + channel.label: sessions for channel, sessions in channels}}
