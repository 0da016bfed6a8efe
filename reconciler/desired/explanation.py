"""What the schema has against a document, in sentences for people.

Rules of this file: one sentence maker per schema keyword, in a table; a keyword without one is reported in jsonschema's
words. An unknown key is shown at the key, a wrong value at the value, a missing key at the key of what lacks it.
The registry is empty, so no reference is ever looked up outside the schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry

from reconciler.desired.key_advice import SOME_CHANNEL, key_advice
from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.wording import NearestNames, escape, listing, quote, shorten, show
from reconciler.model.diagnostic import Diagnostic
from reconciler.values import Struct, field

_NOUNS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}

_LOOKS_WHOLE = re.compile(r"[-+]?[0-9][0-9_,. ]*|0[xob][0-9a-fA-F]+")


class _Finding(Struct, frozen=True):
    """One thing that is wrong, before its place is known."""

    code: str
    summary: str
    tokens: tuple[str | int, ...]
    at_key: bool = False
    detail: str = ""


class _Hints(Struct):
    """Names like those that are unknown: looked for only so often in one explanation, however many are unknown."""

    _of: dict[tuple[str, ...], NearestNames] = field(default_factory=dict)

    def hint(self, name: str, names: Sequence[str]) -> str:
        """Return which one of `names` was probably meant, as `NearestNames` does."""
        known = tuple(names)
        return self._of.setdefault(known, NearestNames(known)).hint(name)


class _Refusal(Struct, frozen=True):
    """One error of jsonschema's, as far as sentences need it."""

    keyword: str
    wanted: Any
    """What the keyword asks for."""
    value: Any
    schema: dict[str, Any]
    message: str
    tokens: tuple[str | int, ...]
    hints: _Hints


_Findings = Iterator[_Finding]


class Explainer:
    """Explains refusals of one schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        """Prepare to explain refusals of `schema`."""
        self._validator = Draft202012Validator(_with_python_patterns(schema), registry=Registry())

    def explain(self, document: YamlDocument, value: Any) -> Iterator[Diagnostic]:
        """Say what is wrong with `value`, which is `document`'s value or a part of it under the same keys."""
        findings: dict[_Finding, None] = {}
        hints = _Hints()
        for error in self._validator.iter_errors(value):
            refusal = _refusal(error, hints)
            findings.update(dict.fromkeys(_SENTENCES.get(refusal.keyword, _in_its_own_words)(refusal)))
        unknown = {finding.tokens for finding in findings if finding.code == "unknown-key"}
        for finding in findings:
            if finding.code != "misplaced-key" or finding.tokens not in unknown:
                yield _placed(document, finding)


def _refusal(error: ValidationError, hints: _Hints) -> _Refusal:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    path = tuple(error.absolute_path)
    return _Refusal(
        str(error.validator), error.validator_value, error.instance, dict(schema), error.message, path, hints
    )


def _placed(document: YamlDocument, finding: _Finding) -> Diagnostic:
    mark = (document.key_mark if finding.at_key else document.value_mark)(finding.tokens)
    return document.file.problem(finding.code, finding.summary, mark=mark, tokens=finding.tokens, detail=finding.detail)


def _with_python_patterns(schema: Any) -> Any:
    r"""Return `schema` with `$` written `\Z`: Python's `$` would accept a newline at the end, the gate's does not."""
    if isinstance(schema, list):
        return [_with_python_patterns(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    python = {key: _with_python_patterns(item) for key, item in schema.items()}
    if isinstance(schema.get("pattern"), str):
        python["pattern"] = _python_pattern(schema["pattern"])
    if "patternProperties" in schema:
        python["patternProperties"] = {_python_pattern(k): v for k, v in python["patternProperties"].items()}
    return python


def _python_pattern(pattern: str) -> str:
    return f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern


def _name(tokens: tuple[str | int, ...]) -> str:
    match tokens:
        case ():
            return "the file"
        case ("agents", key):
            return f"agent {escape(shorten(str(key)))}"
        case ("profiles", key):
            return f"profile {quote(str(key))}"
        case (*_, parent, int(index)):
            return f"item {index + 1} of {parent}"
    return escape(shorten(str(tokens[-1])))


def _unknown_keys(refusal: _Refusal) -> _Findings:
    known = refusal.schema.get("properties", {})
    patterns = refusal.schema.get("patternProperties", {})
    for key in refusal.value:
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            yield _unknown_key(key, known, (*refusal.tokens, key), refusal.hints)


def _unknown_key(key: str, known: Mapping[str, Any], tokens: tuple[str | int, ...], hints: _Hints) -> _Finding:
    if not known and tokens[0] == "agents":
        summary = f"{quote(key)} is not an agent id (101 to 999999) or a range of them (1003-1050)"
        return _Finding("invalid-agent-id", summary, tokens, at_key=True)
    if not known and tokens[0] == "retcodes":
        summary = f"{quote(key)} is not a retcode such as 106-011, a family such as 106-*, or a 4xx such as http-401"
        return _Finding("invalid-retcode", summary, tokens, at_key=True)
    if not known and tokens[0] == "guardrails":
        summary = f"{quote(key)} is not a team name: 1 to 64 letters, digits, spaces, '.', '_' or '-'"
        return _Finding("wrong-format", summary, tokens, at_key=True)
    if not known:
        summary = f"{quote(key)} is not a profile name: 1 to 63 letters, digits, '.', '_' or '-'"
        return _Finding("invalid-profile-name", summary, tokens, at_key=True)
    hint, detail = hints.hint(key, tuple(known)), key_advice(key, known)
    if SOME_CHANNEL in known:
        return _Finding("unknown-channel", f"unknown channel {quote(key)}{hint}", tokens, at_key=True, detail=detail)
    return _Finding("unknown-key", f"unknown key {quote(key)}{hint}", tokens, at_key=True, detail=detail)


def _misplaced_key(refusal: _Refusal) -> _Findings:
    summary = f"{quote(refusal.value)} does not go with {refusal.schema['title']}"
    detail = f"keys that do are {listing(refusal.wanted, last='and')}"
    yield _Finding("misplaced-key", summary, (*refusal.tokens, refusal.value), at_key=True, detail=detail)


def _missing_keys(refusal: _Refusal) -> _Findings:
    for key in refusal.wanted:
        if key not in refusal.value:
            yield _Finding(
                "missing-key", f"{_name(refusal.tokens)} lacks the key {quote(key)}", refusal.tokens, at_key=True
            )


def _wrong_type(refusal: _Refusal) -> _Findings:
    noun, name = _noun(refusal.schema), _name(refusal.tokens)
    if refusal.value is None:
        yield _Finding("wrong-type", f"{name} is empty; it must be {noun}", refusal.tokens)
    else:
        yield _Finding(
            "wrong-type", f"{name}: {_shown(refusal)} is not {noun}", refusal.tokens, detail=_quotes_hint(refusal)
        )


def _shown(refusal: _Refusal) -> str:
    # `writeOnly` is JSON Schema's word for what may be given and is never shown.
    return "what stands here" if refusal.schema.get("writeOnly") else show(refusal.value)


def _noun(schema: dict[str, Any]) -> str:
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if "title" in schema and "string" in types:
        return str(schema["title"])
    return listing([_NOUNS[kind] for kind in types])


def _quotes_hint(refusal: _Refusal) -> str:
    if not refusal.tokens and "agents" in refusal.schema.get("properties", ()):
        return "every YAML file in and below an environment's directory is read as a fleet file; keep others elsewhere"
    if "title" in refusal.schema:
        return ""  # the sentence has named an example already
    if refusal.wanted == "string" and isinstance(refusal.value, bool | int | float):
        return f'to mean text, write "{show(refusal.value)}" in quotes'
    if isinstance(refusal.value, str) and "integer" in refusal.wanted and _LOOKS_WHOLE.fullmatch(refusal.value):
        return "write the number in plain digits: no quotes, no leading zero, nothing between the digits"
    if isinstance(refusal.value, str) and "number" in refusal.wanted and refusal.value.endswith("%"):
        return "write the number alone, without a percent sign"
    return ""


def _out_of_range(refusal: _Refusal) -> _Findings:
    schema = refusal.schema
    high = schema["maximum"]
    wanted = f"from {schema['minimum']} to {high}" if "minimum" in schema else f"above 0 and at most {high}"
    if "string" in schema["type"] and refusal.value < 0:
        wanted += f": {_noun(schema)}"  # whose % was forgotten
    yield _Finding(
        "out-of-range", f"{_name(refusal.tokens)} is {show(refusal.value)}; it must be {wanted}", refusal.tokens
    )


def _unknown_value(refusal: _Refusal) -> _Findings:
    if refusal.schema.get("title", "").startswith(("source ", "backend ")):
        yield from _misplaced_key(refusal)
        return
    choices = refusal.wanted
    hint = refusal.hints.hint(refusal.value, choices) if isinstance(refusal.value, str) else ""
    wanted = listing([quote(choice) for choice in choices])
    shown = "empty" if refusal.value is None else show(refusal.value)
    yield _Finding("unknown-value", f"{_name(refusal.tokens)} is {shown}; it must be {wanted}{hint}", refusal.tokens)


def _wrong_format(refusal: _Refusal) -> _Findings:
    yield _Finding(
        "wrong-format",
        f"{_name(refusal.tokens)}: {_shown(refusal)} is not {refusal.schema['title']}",
        refusal.tokens,
    )


def _empty(refusal: _Refusal) -> _Findings:
    yield _Finding("empty", f"{_name(refusal.tokens)} is empty; fill it in or remove it", refusal.tokens, at_key=True)


def _too_long(refusal: _Refusal) -> _Findings:
    what = "characters" if refusal.keyword == "maxLength" else "items"
    yield _Finding("too-long", f"{_name(refusal.tokens)} has more than {refusal.wanted} {what}", refusal.tokens)


def _in_its_own_words(refusal: _Refusal) -> _Findings:
    yield _Finding("invalid", f"{_name(refusal.tokens)} is refused: {escape(shorten(refusal.message))}", refusal.tokens)


_SENTENCES: dict[str, Callable[[_Refusal], _Findings]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "type": _wrong_type,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "exclusiveMinimum": _out_of_range,
    "enum": _unknown_value,
    "pattern": _wrong_format,
    "minProperties": _empty,
    "minItems": _empty,
    "minLength": _empty,
    "maxLength": _too_long,
    "maxItems": _too_long,
}
