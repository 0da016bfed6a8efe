"""Apply an environment and tell what sending cost: `python benchmarks/applied.py DIRECTORY [--without-durability]`.

It is a process of its own so that its figures are of nothing else. Printed is one JSON object: `seconds` from the
first call to the last outcome, `cpu` seconds of the processor in that time, `syncs` and `bytes` of the journal, `rss`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from reconciler.applying import ApplyReport, ApplyRequest, Stop, Surroundings, apply
from reconciler.desired import load
from reconciler.gateway import open_access, open_source
from reconciler.model.desired import Desired
from reconciler.model.plan import PlanOptions
from reconciler.state import LockHolder, OsFiles, open_local_store

NOON = "2026-01-31T12:00:00Z"
_HOLDER = LockHolder(id="run-1", who="bench@here", operation="apply", since=NOON)


class CountingDisk(OsFiles):
    """The machine's disk, or one whose syncs cost nothing and promise nothing; it counts those of the journal."""

    def __init__(self, *, durable: bool) -> None:
        self._durable = durable
        self._journals: set[int] = set()
        self.syncs = self.bytes = 0

    def open_append(self, path: Path) -> int:
        """Open a journal, and know it."""
        handle = super().open_append(path)
        self._journals.add(handle)
        return handle

    def write(self, handle: int, data: bytes) -> int:
        """Count what goes into a journal."""
        self.bytes += len(data) if handle in self._journals else 0
        return super().write(handle, data)

    def fsync(self, handle: int) -> None:
        """Count it, and do it if it is to be done."""
        self.syncs += handle in self._journals
        if self._durable:
            super().fsync(handle)

    def close(self, handle: int) -> None:
        """Know the journal no more."""
        self._journals.discard(handle)
        super().close(handle)


class Meter:
    """Stands where signals are watched, which is from just before the first call to just after the last outcome."""

    seconds = cpu = 0.0

    @contextlib.contextmanager
    def around(self, _: Stop) -> Iterator[None]:
        """Measure what happens inside."""
        begin, busy = time.perf_counter(), time.process_time()
        yield
        self.seconds, self.cpu = time.perf_counter() - begin, time.process_time() - busy


def run(root: Path, desired: Desired, disk: CountingDisk, meter: Meter) -> ApplyReport:
    """Apply what is desired."""
    site = desired.site
    around = Surroundings(
        store=open_local_store(
            root / "state.json",
            site=site.name,
            clock=lambda: NOON,
            new_lineage=lambda: str(uuid.uuid4()),
            files=disk,
        ),
        holder=_HOLDER,
        source=open_source(site.sessions, root=root, environ=os.environ),
        access=open_access(site.gateway, root=root, environ=os.environ),
        now=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        monotonic=time.monotonic,
        chance=random.random,
        session_keys=lambda _: {},
        approve=lambda _: True,
        on_outcome=lambda _: None,
        watch_signals=meter.around,
        rescue_directory=root,
    )
    return apply(ApplyRequest(desired=desired, options=PlanOptions()), around)


def main() -> None:
    """Apply once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--without-durability", action="store_true", help="a disk that does not sync")
    options = parser.parse_args()
    desired = load(options.directory).desired
    if desired is None:
        parser.error("not a valid environment")
    disk, meter = CountingDisk(durable=not options.without_durability), Meter()
    report = run(options.directory, desired, disk, meter)
    if report.error is not None or {str(each.result) for each in report.outcomes} != {"applied"}:
        parser.error("not every agent was applied")
    figures = {
        "agents": len(report.outcomes),
        "seconds": meter.seconds,
        "cpu": meter.cpu,
        "syncs": disk.syncs,
        "bytes": disk.bytes,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
