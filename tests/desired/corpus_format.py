"""How the corpus writes down what `load` said."""

from __future__ import annotations

from typing import Any

from reconciler.desired import Loaded
from reconciler.model.desired import Desired
from reconciler.model.diagnostic import Diagnostic


def diagnostic_line(found: Diagnostic) -> str:
    place = f"{found.path}:{found.line}:{found.column}"
    return f"{place}: {found.severity}[{found.code}]: {found.summary}  ({found.pointer})"


def diagnostic_text(loaded: Loaded) -> str:
    return "".join(f"{diagnostic_line(found)}\n" for found in loaded.diagnostics)


def resolved_json(desired: Desired) -> dict[str, Any]:
    return {
        str(agent): {
            "total": wanted.concurrency.total,
            "channels": {channel.label: number for channel, number in wanted.concurrency.channels},
            "team": wanted.team,
            "protected": wanted.protected,
            "source": str(desired.declared[agent].source),
            "origins": {name: str(source) for name, source in desired.declared[agent].origins.items()},
        }
        for agent, wanted in desired.agents.items()
    }
