"""Whether a document is valid, and everything that is wrong with it when it is not.

Rules of this file: jsonschema-rs decides, since it takes milliseconds; jsonschema explains, since it can be told what
to say, and it is loaded only when there is something to explain. Neither ever fetches a schema. If the one refuses and
the other finds nothing to say, the first one's own words are reported: a refusal is never silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import jsonschema_rs

from reconciler.desired.bounds import MAX_PROBLEMS, further
from reconciler.desired.reading.marks import YamlDocument
from reconciler.desired.wording import escape, shorten
from reconciler.model.diagnostic import Diagnostic
from reconciler.schemas import schema_text

_SECTIONS = ("agents", "profiles")
"""The mappings of a fleet file that may have a hundred thousand entries."""
_AT_ONCE = 1000


class Validator:
    """One of the schemas, compiled."""

    def __init__(self, name: str) -> None:
        """Compile the schema called `name`."""
        self._schema = schema_text(name)
        self._gate = jsonschema_rs.Draft202012Validator(self._schema, offline=True)
        self._explainer: Any = None

    def accepts(self, value: Any) -> bool:
        """Tell whether `value` is valid, without a word about why not."""
        return self._gate.is_valid(value)

    def check(self, document: YamlDocument) -> list[Diagnostic]:
        """Return everything the schema has against `document`; nothing when it is valid."""
        if self.accepts(document.value):
            return []
        found: list[Diagnostic] = []
        beyond = 0
        for part in _parts(document.value):
            if not self.accepts(part):
                if len(found) < MAX_PROBLEMS:
                    found.extend(self._explained(document, part))
                else:
                    beyond += sum(not self.accepts(entry) for entry in _entries(part))
        return [*found, further(document.file.path, beyond, "entries with problems")] if beyond else found

    def _explained(self, document: YamlDocument, part: Any) -> list[Diagnostic]:
        refusals = list(self._gate.iter_errors(part))
        return (
            self._explain(document, _prune(part, refusals))
            or self._explain(document, part)
            or list(_in_the_gates_words(document, refusals))
        )

    def _explain(self, document: YamlDocument, suspects: Any) -> list[Diagnostic]:
        if self._explainer is None:
            import json  # noqa: PLC0415 - a valid file need not pay for it

            from reconciler.desired.explanation import Explainer  # noqa: PLC0415 - nor for jsonschema

            self._explainer = Explainer(json.loads(self._schema))
        return list(self._explainer.explain(document, suspects))


def _parts(value: Any) -> Iterator[Any]:
    """Yield `value` in parts that are valid or not each for itself: no entry of a large section knows of another.

    The gate notes all errors of what it is given before it tells the first, so it is given a thousand entries at most.
    """
    large = [key for key in _SECTIONS if isinstance(value, dict) and _is_large(value.get(key))]
    yield {key: {} if key in large else item for key, item in value.items()} if large else value
    for section in large:
        keys = list(value[section])
        for start in range(0, len(keys), _AT_ONCE):
            yield {section: {key: value[section][key] for key in keys[start : start + _AT_ONCE]}}


def _is_large(section: Any) -> bool:
    return isinstance(section, dict) and len(section) > _AT_ONCE


def _entries(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return ({section: {key: entry}} for section, entries in part.items() for key, entry in entries.items())


def _prune(value: Any, refusals: Sequence[jsonschema_rs.ValidationError]) -> Any:
    """Return `value` with only those entries of the large sections that something is wrong with."""
    if not isinstance(value, dict):
        return value
    blamed = {section: _blamed_entries(section, refusals) for section in _SECTIONS}
    return {
        key: _prune_section(entries, blamed[key]) if key in blamed and isinstance(entries, dict) else entries
        for key, entries in value.items()
    }


def _blamed_entries(section: str, refusals: Sequence[jsonschema_rs.ValidationError]) -> set[str]:
    blamed: set[str] = set()
    for error in refusals:
        if error.instance_path[:1] != [section]:
            continue
        blamed.update(str(token) for token in error.instance_path[1:2])
        if len(error.instance_path) == 1:
            blamed.update(getattr(error.kind, "unexpected", ()))
    return blamed


def _prune_section(entries: dict[str, Any], blamed: set[str]) -> dict[str, Any]:
    # The gate makes a number of a key that looks like one, so `007` comes back as 7: those are kept unasked.
    return {key: entry for key, entry in entries.items() if key in blamed or key.startswith("0")}


def _in_the_gates_words(document: YamlDocument, refusals: Sequence[Any]) -> Iterator[Diagnostic]:
    for error in refusals:
        summary = f"the schema refuses this: {escape(shorten(error.message))}"
        yield document.file.problem("invalid", summary, mark=document.start, tokens=error.instance_path)


@cache
def validator_for(name: str) -> Validator:
    """Return the validator of the schema called `name`, the same one each time: schemas do not change during a run."""
    return Validator(name)
