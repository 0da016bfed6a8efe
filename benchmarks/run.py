"""What `make bench` runs: every benchmark there is, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = ("whole_way.py",)


def main() -> int:
    """Run them in turn; stop at the first that fails, with its exit code."""
    here = Path(__file__).parent
    codes = [
        subprocess.run([sys.executable, here / name, *sys.argv[1:]], check=False).returncode for name in BENCHMARKS
    ]
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
