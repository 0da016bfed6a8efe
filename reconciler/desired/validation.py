"""Whether a document is valid, and everything that is wrong with it when it is not.

Rules of this file: jsonschema-rs decides, since it takes milliseconds; jsonschema explains, since it can be told what
to say, and it is loaded only when there is something to explain. Neither ever fetches a schema. If the one refuses and
the other finds nothing to say, the first one's own words are reported: a refusal is never silent.
"""

from __future__ import annotations

from collections.abc import Iterator
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
"""Wrong entries that are explained before anybody looks whether those were enough."""


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
        for part in self._wrong_parts(document.value):
            if len(found) < MAX_PROBLEMS:
                found.extend(self._explained(document, part))
            else:
                beyond += sum(map(len, part.values()))
        if beyond:
            found.append(further(document.file.path, beyond, "entries with problems"))
        return found or self._explained(document, document.value)  # should no part be wrong by itself

    def _wrong_parts(self, value: Any) -> Iterator[Any]:
        """Yield the parts of `value` that are wrong: what is around the sections, then their entries, some at a time.

        No entry of a section knows of another, so each is wrong by itself or not at all. Those that are not are in no
        part, so that what is said, and what is beyond the bound, is the same whoever else is in the file.
        """
        sections = [key for key in _SECTIONS if isinstance(value, dict) and self._is_section(key, value.get(key))]
        around = {key: {} if key in sections else item for key, item in value.items()} if sections else value
        if not self.accepts(around):
            yield around
        for section in sections:
            wrong = [key for key, entry in value[section].items() if not self.accepts({section: {key: entry}})]
            for start in range(0, len(wrong), _AT_ONCE):
                yield {section: {key: value[section][key] for key in wrong[start : start + _AT_ONCE]}}

    def _is_section(self, key: str, section: Any) -> bool:
        """Tell whether the entries under `key` can be looked at one by one: not in site.yaml, where it is misplaced."""
        return isinstance(section, dict) and self.accepts({key: {}})

    def _explained(self, document: YamlDocument, part: Any) -> list[Diagnostic]:
        return self._explain(document, part) or self._in_the_gates_words(document, part)

    def _explain(self, document: YamlDocument, suspects: Any) -> list[Diagnostic]:
        if self._explainer is None:
            import json  # noqa: PLC0415 - a valid file need not pay for it

            from reconciler.desired.explanation import Explainer  # noqa: PLC0415 - nor for jsonschema

            self._explainer = Explainer(json.loads(self._schema))
        return list(self._explainer.explain(document, suspects))

    def _in_the_gates_words(self, document: YamlDocument, part: Any) -> list[Diagnostic]:
        return [
            document.file.problem(
                "invalid",
                f"the schema refuses this: {escape(shorten(error.message))}",
                mark=document.start,
                tokens=error.instance_path,
            )
            for error in self._gate.iter_errors(part)
        ]


@cache
def validator_for(name: str) -> Validator:
    """Return the validator of the schema called `name`, the same one each time: schemas do not change during a run."""
    return Validator(name)
