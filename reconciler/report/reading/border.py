"""The border at which what is wrong in a file becomes an error with a remedy, whatever kind of file it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from reconciler.errors import InputError, StalePlanError
from reconciler.model.printable import printable
from reconciler.report.reading.envelope import NewerFormatError
from reconciler.report.reading.lines import parse_lines
from reconciler.report.reading.values import ContradictionError, parse_json
from reconciler.values import Struct

_T = TypeVar("_T")


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of file, and what to do about one that cannot be read."""

    noun: str
    """With its article, such as `a plan`."""
    advice: str
    """When it is something else, or damaged."""
    altered: str
    """When one part of it contradicts another."""
    upgrade: str
    """When a newer version wrote it."""


def read_file_of(kind: Kind, data: bytes, decode: Callable[[object], _T], *, name: str) -> _T:
    """Return what `decode` makes of the JSON in `data`.

    Args:
        kind: what the file has to be.
        data: the bytes of the file.
        decode: takes the JSON value apart; raises `ValueError` with the field that is wrong.
        name: the file's name as the user wrote it, for messages.

    Raises:
        InputError: it is no such file, or one of another format version; the message names the field.
        StalePlanError: one part of it contradicts another: somebody edited it.
    """
    where = printable(name)
    unreadable = f"{where}: not {kind.noun} this version can read"
    with contextlib.suppress(ValueError, RecursionError):
        return decode(parse_lines(data))
    try:
        return decode(parse_json(data))
    except ContradictionError as error:
        raise StalePlanError(f"{where}: {error}: the file was altered after it was made", hint=kind.altered) from error
    except NewerFormatError as error:
        raise InputError(f"{where}: {error}", hint=kind.upgrade) from error
    except ValueError as error:
        raise InputError(f"{unreadable}: {error}", hint=kind.advice) from error
    except RecursionError as error:  # within what JSON itself allows, and beyond what can be looked into
        raise InputError(f"{unreadable}: nested too deep", hint=kind.advice) from error
