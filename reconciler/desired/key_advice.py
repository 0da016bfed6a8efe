"""What else a key may mean that a mapping does not take, where the nearest name alone does not help.

Rule of this file: it looks at the key and at the schema of where it stands, and at nothing else of the document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.desired.wording import escape, listing, quote, shorten

SOME_CHANNEL = "web_chat"
"""What tells channels from other keys."""
_FLEET_KEYS = frozenset({"agents", "profiles", "team"})
_AGENTS = re.compile(r"[0-9]+(-[0-9]+)?")


def key_advice(key: str, known: Mapping[str, Any]) -> str:
    """Return what to do about `key`, which is none of `known`, the properties of a schema; at worst their names."""
    word, _, value = key.partition(":")
    if value and word in known:
        return f"a ':' ends a key only where a blank follows it: {word}: {escape(shorten(value))}"
    if "gateway" in known and key in _FLEET_KEYS:
        return "agents, profiles and team belong in a fleet file, not in site.yaml"
    if "agents" in known and _AGENTS.fullmatch(key):
        return "agents stand under 'agents': indent this line"
    if SOME_CHANNEL in known:
        return f"channels are {listing([name for name in known if name != 'total'], last='and')}"
    homes = [quote(name) for name, schema in known.items() if key in schema.get("properties", ())]
    if homes:
        return f"it belongs under {listing(homes)}"
    return f"keys here are {listing(list(known), last='and')}"
