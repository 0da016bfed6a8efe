"""Save a state some times over and tell how long each took: `python benchmarks/saved.py WAY STATE SITE`.

It is a process of its own because a run saves its state once or twice: only the first time is the memory for the
document fetched from the kernel. WAY is `ours`, or `bare` for the least that could be done: orjson, a write, an fsync.
Printed are the seconds, as a JSON array.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from reconciler.state import decode, encode, replace_file

TIMES = 6


def main() -> None:
    """Save the state of the file STATE beside it."""
    way, path, site = sys.argv[1:]
    state = Path(path)
    data, target = state.read_bytes(), state.with_name(f"{way}.json")
    save = {"ours": _ours, "bare": _bare}[way](data, target, site)
    print(json.dumps([_seconds(save) for _ in range(TIMES)]))


def _ours(data: bytes, target: Path, site: str) -> Callable[[], None]:
    state = decode(data, site=site)
    return lambda: replace_file(target, encode(state))


def _bare(data: bytes, target: Path, _: str) -> Callable[[], None]:
    plain = orjson.loads(data)

    def save() -> None:
        with target.open("wb") as file:
            file.write(orjson.dumps(plain))
            file.flush()
            os.fsync(file.fileno())

    return save


def _seconds(save: Callable[[], None]) -> float:
    begin = time.perf_counter()
    save()
    return round(time.perf_counter() - begin, 4)


if __name__ == "__main__":
    main()
