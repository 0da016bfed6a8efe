"""The published JSON Schemas, by name.

Rules of this file: a schema is read from the installed package (`reconciler/_schemas/`, put there by the build) or, in
a checkout, from the top-level `schemas/`. It is never fetched. One that is not there is an error only when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import InputError, UsageError

SCHEMA_NAMES = ("site", "fleet", "state", "plan", "outcome", "rollback", "probe", "environments")
"""What there are schemas for, in the order in which a newcomer meets them."""


def schema_text(name: str) -> str:
    """Return the text of the schema called `name`, one of `SCHEMA_NAMES`.

    Raises:
        UsageError: there is no schema of that name.
        InputError: the schema's file is missing or unreadable: the installation is damaged.
    """
    if name not in SCHEMA_NAMES:
        raise UsageError(f"unknown schema {name!r}", hint=_hint(name))
    for folder in _folders():
        source = folder / f"{name}.schema.json"
        if source.is_file():
            return _read(source, name)
    raise InputError(f"the schema {name!r} is not part of this installation", hint="install the package again")


def _folders() -> Iterator[Path]:
    # Not importlib.resources, which takes longer to load than a schema takes to be found and read.
    package = Path(__file__).resolve().parent
    yield package / "_schemas"
    yield package.parent / "schemas"


def _read(source: Path, name: str) -> str:
    try:
        return source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"the schema {name!r} cannot be read", hint="install the package again") from exc


def _hint(name: str) -> str:
    import difflib  # noqa: PLC0415 - only a slip of the keyboard needs it

    near = difflib.get_close_matches(name.lower(), SCHEMA_NAMES, n=1)
    choices = f"schemas are {', '.join(SCHEMA_NAMES)}"
    return f"did you mean {near[0]!r}? {choices}" if near else choices
