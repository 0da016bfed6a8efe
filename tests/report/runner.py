"""What a GitHub runner makes of a line of a log, as its own parser does: of two kinds of commands, the newer first."""

from __future__ import annotations

from dataclasses import dataclass, field

_UNESCAPED = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


@dataclass(frozen=True)
class Command:
    name: str
    message: str
    properties: dict[str, str] = field(default_factory=dict)


def obeyed(log: str) -> list[Command]:
    """Every command in `log`, in order. A runner takes any of these for the end of a line."""
    lines = log.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [command for line in lines if (command := _command(line)) is not None]


def _command(line: str) -> Command | None:
    stripped = line.lstrip()
    if stripped.startswith("::") and "::" in stripped[2:]:
        head, _, message = stripped[2:].partition("::")
        name, _, told = head.partition(" ")
        pairs = [each.partition("=") for each in told.split(",") if "=" in each]
        return Command(name, _unescaped(message), {key.strip(): _unescaped(value) for key, _, value in pairs})
    if "##[" in line and "]" in line.partition("##[")[2]:
        name, _, message = line.partition("##[")[2].partition("]")
        return Command(name.split(" ")[0], message)
    return None


def _unescaped(text: str) -> str:
    for token, char in _UNESCAPED.items():
        text = text.replace(token, char)
    return text
