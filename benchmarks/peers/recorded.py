"""A provider of octoDNS's that knows its records from one JSON file: the twin of a plan against a recorded state.

Runs inside octoDNS's own environment.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from octodns.provider.base import BaseProvider  # type: ignore[import-not-found]  # the peer's own
from octodns.record import Record  # type: ignore[import-not-found]  # the peer's own


class RecordedProvider(BaseProvider):  # type: ignore[misc]  # its base is unknown where types are checked
    """What a zone holds, as `{name: data}`; it is planned against and never written to."""

    SUPPORTS_GEO = False
    SUPPORTS_DYNAMIC = False
    SUPPORTS_ROOT_NS = False
    SUPPORTS = frozenset({"A"})

    def __init__(self, id: str, path: str) -> None:  # noqa: A002 - octoDNS names it so
        """Take the file."""
        self.log = logging.getLogger(f"RecordedProvider[{id}]")
        super().__init__(id)
        self._path = Path(path)

    def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> bool:  # noqa: FBT001, FBT002 - the same
        """Add the records."""
        del target, lenient
        for name, data in json.loads(self._path.read_bytes()).items():
            zone.add_record(Record.new(zone, name, data, source=self, lenient=True), lenient=True)
        return True

    def _apply(self, _plan: Any) -> None:
        raise NotImplementedError
