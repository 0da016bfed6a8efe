"""Start a program and tell what it cost: `python benchmarks/launch.py FILE PROGRAM ARGUMENT…`.

In a process of its own, and a small one: the kernel counts as a program's memory what the process had that
started it. FILE gets the figures, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Run the program to its end."""
    file, *words = sys.argv[1:]
    begin = time.perf_counter()
    process = subprocess.Popen(words)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    code = process.returncode = os.waitstatus_to_exitcode(status)
    figures = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "kib": usage.ru_maxrss, "code": code}
    Path(file).write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
