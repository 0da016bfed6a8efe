"""The section `guardrails` of a site.yaml that nothing is wrong with, in typed values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.model.agent import AgentRange
from reconciler.model.capacity import CapacityFloor
from reconciler.model.channel import Channel
from reconciler.model.site import GuardrailSettings

_AS_THEY_ARE = ("min_population", "max_changed_agents", "max_to_zero")
_TOTAL = "total"


def build_guardrails(value: dict[str, Any]) -> GuardrailSettings:
    """Return the limits of the section."""
    settings: dict[str, Any] = {key: value[key] for key in _AS_THEY_ARE if key in value}
    if "max_changed_percent" in value:
        percent = value["max_changed_percent"]
        settings["max_changed_percent"] = None if percent is None else float(percent)
    protected = value.get("protected", {})
    return GuardrailSettings(
        **settings,
        max_delta={place(key): limit for key, limit in value.get("max_delta", {}).items()},
        capacity_floor=tuple(_floors(value.get("capacity_floor", {}))),
        protected_agents=tuple(sorted(AgentRange.parse(str(span)) for span in protected.get("agents", ()))),
        protected_teams=tuple(protected.get("teams", ())),
    )


def place(key: str) -> Channel | None:
    """Return the channel called `key`, or `None` for the total, which stands beside the channels."""
    return None if key == _TOTAL else Channel.from_label(key)


def _floors(value: dict[str, Any]) -> Iterator[CapacityFloor]:
    sections = [(None, value.get("channels", {})), *sorted(value.get("teams", {}).items())]
    for team, floors in sections:
        for key, floor in floors.items():
            if isinstance(floor, int):
                yield CapacityFloor(team=team, channel=place(key), least=floor)
            else:
                drop = float(floor.removeprefix("-").removesuffix("%"))
                yield CapacityFloor(team=team, channel=place(key), max_drop_percent=drop)
