"""From bytes to text: what nobody could see on the screen is refused, and nothing else is."""

from __future__ import annotations

import unicodedata

from reconciler.desired.reading.decoding import decode

LINE_ENDS = "\n\r"
OVERRIDES = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
NO_CHARACTERS = "\ufeff\ufffe\uffff"


def is_refused(char: str) -> bool:
    unseen = unicodedata.category(char) in {"Cc", "Zl", "Zp"} and char not in LINE_ENDS
    return unseen or unicodedata.bidirectional(char) in OVERRIDES or char in NO_CHARACTERS


def test_what_is_refused_are_the_control_characters_separators_and_overrides_of_unicode() -> None:
    everyday = [chr(number) for number in (*range(0x3000), *range(0xE000, 0x1_0000))]

    taken = [char for char in everyday if isinstance(decode("a.yaml", f"name: x{char}y\n".encode()), str)]

    assert taken == [char for char in everyday if not is_refused(char)]
