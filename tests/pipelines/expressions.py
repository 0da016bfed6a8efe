"""GitHub's expressions, as far as our workflows use them: names, texts, six marks and a few functions.

What is not understood is an error, so that a workflow that says more than this is not tested by half.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w.-]*)|(?P<mark>==|!=|&&|\|\||[!(),]))")
_INSERTED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Context = Mapping[str, Any]


def evaluate(expression: str, context: Context) -> Any:
    """Return what an expression comes to."""
    reader = _Reader(expression, context)
    value = reader.either()
    assert reader.at_end, f"not understood: {expression!r} after {reader.rest!r}"
    return value


def filled_in(text: str, context: Context) -> str:
    """Return a text with what stands in `${{ }}` put in."""
    return _INSERTED.sub(lambda match: as_text(evaluate(match[1], context)), text)


def as_text(value: Any) -> str:
    """Return a value as the host writes it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


class _Reader:
    """One expression, from left to right."""

    def __init__(self, expression: str, context: Context) -> None:
        self.rest = expression.strip()
        self._context = context

    @property
    def at_end(self) -> bool:
        return not self.rest.strip()

    def either(self) -> Any:
        value = self._both()
        while self._took("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._took("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._one()
        if self._took("=="):
            return as_text(value) == as_text(self._one())
        if self._took("!="):
            return as_text(value) != as_text(self._one())
        return value

    def _one(self) -> Any:
        if self._took("!"):
            return not self._one()
        if self._took("("):
            value = self.either()
            assert self._took(")"), self.rest
            return value
        match = _TOKEN.match(self.rest)
        assert match is not None, f"not understood: {self.rest!r}"
        assert match["mark"] is None, f"not understood: {self.rest!r}"
        self.rest = self.rest[match.end() :]
        if match["text"] is not None:
            return match["text"][1:-1].replace("''", "'")
        return self._call(match["name"]) if self._took("(") else self._value(match["name"])

    def _call(self, name: str) -> Any:
        arguments: list[Any] = []
        while not self._took(")"):
            arguments.append(self.either())
            self._took(",")
        function: Callable[..., Any] = self._context["functions"][name]
        return function(*arguments)

    def _value(self, name: str) -> Any:
        if name in {"true", "false", "null"}:
            return json.loads(name)
        value: Any = self._context
        for part in name.split("."):
            assert value is None or isinstance(value, Mapping), name
            value = None if value is None else value.get(part)
        return value

    def _took(self, mark: str) -> bool:
        rest = self.rest.lstrip()
        if not rest.startswith(mark):
            return False
        self.rest = rest[len(mark) :]
        return True
