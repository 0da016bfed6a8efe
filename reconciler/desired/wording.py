"""How names and values of the user's files appear in messages.

Rules of this file: the YAML comes from pull requests of strangers, so whatever is quoted is shortened, and control,
bidirectional and other invisible characters are escaped; text that may hold a password is not quoted at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.values import Struct, field

MAX_SHOWN = 60
"""Characters of a name or value that a message shows."""

_MAX_CANDIDATES = 20
_MAX_LOOKUPS = 200


def escape(text: str) -> str:
    r"""Return `text` with every character that would not be seen as itself written as `\u….`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == " " else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"  # noqa: PLR2004 - the BMP ends there


def shorten(text: str) -> str:
    """Return `text`, cut with an ellipsis when it is longer than a message should show."""
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def quote(name: str) -> str:
    """Write a name as messages do: escaped, shortened, between single quotes."""
    return f"'{escape(shorten(name))}'"


def show(value: object) -> str:
    """Write a value of a file as messages do: text between double quotes, containers by kind only."""
    if isinstance(value, str):
        return _show_text(value)
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence):
        return "a list"
    import json  # noqa: PLC0415 - valid files need no words

    return shorten(json.dumps(value))


def _show_text(text: str) -> str:
    if "@" in text and ":" in text:
        return "(not shown: it may hold a password)"
    return f'"{escape(shorten(text))}"'


def pointer(tokens: Iterable[str | int]) -> str:
    """Return the RFC 6901 pointer of a place; characters that cannot be seen are escaped as in messages."""
    return "".join(f"/{escape(shorten(str(token))).replace('~', '~0').replace('/', '~1')}" for token in tokens)


def listing(words: Sequence[str], *, last: str = "or") -> str:
    """Return `a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def describe_character(char: str) -> str:
    """Return the code point with its Unicode name, such as `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    import unicodedata  # noqa: PLC0415 - as above

    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()


class NearestNames(Struct):
    """Finds the name that was probably meant; remembers, and gives up after many misses, so that it stays cheap."""

    names: Sequence[str]
    _found: dict[str, str] = field(default_factory=dict)

    def hint(self, name: str) -> str:
        """Return `; did you mean 'x'?` for a name that is not among `names`, or nothing."""
        if name not in self._found:
            if len(self._found) >= _MAX_LOOKUPS:
                return ""
            self._found[name] = nearest(name, self.names)
        return self._found[name]


def nearest(name: str, names: Sequence[str]) -> str:
    """Return `; did you mean 'x'?` with the one of `names` most like `name`, or nothing when none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - as above
    from heapq import nlargest  # noqa: PLC0415

    wanted = _folded(name)
    candidates = {_folded(known): known for known in names}
    likely = nlargest(_MAX_CANDIDATES, candidates, key=lambda known: _shared_ends(wanted, known))
    match = get_close_matches(wanted, likely, n=1, cutoff=0.65)
    return f"; did you mean {quote(candidates[match[0]])}?" if match else ""


def _shared_ends(one: str, other: str) -> int:
    """Count the characters in which both begin and end alike: cheap, and right for most slips of a finger."""
    return _shared_start(one, other) + _shared_start(one[::-1], other[::-1])


def _shared_start(one: str, other: str) -> int:
    differing = (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


def _folded(name: str) -> str:
    return name[:MAX_SHOWN].casefold().replace("-", "_").replace(" ", "_")
