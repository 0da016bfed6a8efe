"""Whether a document is valid, and everything that is wrong with it when it is not.

Rules of this file: jsonschema-rs decides, since it takes milliseconds; jsonschema explains, since it can be told what
to say, and it is loaded only when there is something to explain. Neither ever fetches a schema. If the one refuses and
the other finds nothing to say, the first one's own words are reported: a refusal is never silent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import jsonschema_rs

from reconciler.desired.marks import YamlDocument
from reconciler.desired.wording import escape, shorten
from reconciler.model.diagnostic import Diagnostic
from reconciler.schemas import schema_text

_SECTIONS = ("agents", "profiles")
"""The mappings of a fleet file that may have a hundred thousand entries."""


class Validator:
    """One of the schemas, compiled."""

    def __init__(self, name: str) -> None:
        """Compile the schema called `name`."""
        self._schema: dict[str, Any] = json.loads(schema_text(name))
        self._gate = jsonschema_rs.Draft202012Validator(self._schema, offline=True)
        self._explainer: Any = None

    def accepts(self, value: Any) -> bool:
        """Tell whether `value` is valid, without a word about why not."""
        return self._gate.is_valid(value)

    def check(self, document: YamlDocument) -> list[Diagnostic]:
        """Return everything the schema has against `document`; nothing when it is valid."""
        if self.accepts(document.value):
            return []
        refusals = list(self._gate.iter_errors(document.value))
        suspects = _prune(document.value, refusals)
        return (
            self._explain(document, suspects)
            or self._explain(document, document.value)
            or list(_in_the_gates_words(document, refusals))
        )

    def _explain(self, document: YamlDocument, suspects: Any) -> list[Diagnostic]:
        if self._explainer is None:
            from reconciler.desired.explanation import Explainer  # noqa: PLC0415 - 120 ms that a valid file need not pay

            self._explainer = Explainer(self._schema)
        return list(self._explainer.explain(document, suspects))


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
