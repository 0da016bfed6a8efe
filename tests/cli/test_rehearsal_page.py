"""The example of docs/rehearsal.md does what the page says, run by a shell."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rehearsal.md"
EXAMPLE = re.compile(r"<!-- runs in [^\n]*test_rehearsal_page.py -->\n```sh\n(.*?)```", re.DOTALL)


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def test_the_example_of_scenarios_applies_all_but_for_those_who_have_left(tmp_path: Path) -> None:
    [example] = EXAMPLE.findall(PAGE.read_text())
    port = _free_port()
    shutil.copytree(
        ROOT / "desired" / "demo",
        tmp_path / "desired" / "demo",
        ignore=shutil.ignore_patterns("*.json*", "*.pem", "*.lock", "rollback*", "journal*"),
    )
    site = tmp_path / "desired" / "demo" / "site.yaml"
    site.write_text(site.read_text().replace("8043", port))
    command = tmp_path / "reconciler"
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m reconciler "$@"\n')
    command.chmod(0o755)

    ended = subprocess.run(
        ["bash", "-eu", "-c", example.replace("8043", port)],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert re.search(
        r"^Apply: \d+ applied, [1-9]\d* deferred, 0 failed, 0 in doubt, 0 skipped,", ended.stdout, re.MULTILINE
    )
    assert "exit code 9" in ended.stdout
    assert json.loads(ended.stdout.splitlines()[0])["port"] == int(port)
