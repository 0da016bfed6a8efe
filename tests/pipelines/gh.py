"""GitHub's program `gh`, as far as our workflows use it, over a directory that stands in for the host."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(folder: Path, arguments: list[str]) -> None:
    """Carry out one command."""
    match arguments:
        case ["api", path, "--jq", expression]:
            answer = json.dumps(json.loads((folder / "api.json").read_text())[path])
            subprocess.run(["jq", "-r", expression], input=answer, text=True, check=True)
        case ["label", "create", *_]:
            pass
        case ["issue", "list", *rest] if option(rest, "--state") == "open":
            shown = [{"number": each["number"], "title": each["title"]} for each in issues(folder) if each["open"]]
            sys.stdout.write(json.dumps(shown))
        case ["issue", "create", *rest]:
            known = issues(folder)
            issue = {"number": len(known) + 1, "title": option(rest, "--title"), "open": True, "body": body(rest)}
            keep(folder, [*known, issue])
        case ["issue", "edit", number, *rest]:
            keep(folder, [changed(each, number, body=body(rest)) for each in issues(folder)])
        case ["issue", "close", number, *_]:
            keep(folder, [changed(each, number, open=False) for each in issues(folder)])
        case _:
            sys.exit(f"gh: not played here: {arguments}")


def option(words: list[str], name: str) -> str:
    """Return the value of an option that must be there."""
    return words[words.index(name) + 1]


def body(words: list[str]) -> str:
    """Return the text in the file that an option names."""
    return Path(option(words, "--body-file")).read_text()


def issues(folder: Path) -> list[dict[str, Any]]:
    """Return the issues there are."""
    file = folder / "issues.json"
    known: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return known


def keep(folder: Path, known: list[dict[str, Any]]) -> None:
    """Keep the issues."""
    (folder / "issues.json").write_text(json.dumps(known))


def changed(issue: dict[str, Any], number: str, **values: object) -> dict[str, Any]:
    """Return the issue, changed if it is the one."""
    return {**issue, **values} if str(issue["number"]) == number else issue


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
