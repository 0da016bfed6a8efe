"""Environments built in a test's own directory."""

from __future__ import annotations

from pathlib import Path

from reconciler.desired import Loaded, load

SITE = "name: test\ngateway: {url: https://gateway.example:8043}\n"
AGENT = "agents: {1001: {total: 5, channels: {web_chat: 3}}}\n"


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in {"site.yaml": SITE, **files}.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def load_fleet(root: Path, text: str | bytes) -> Loaded:
    return load(write(root, {"fleet.yaml": text}))


def codes(loaded: Loaded) -> list[tuple[str, str]]:
    return [(found.path, found.code) for found in loaded.diagnostics]
