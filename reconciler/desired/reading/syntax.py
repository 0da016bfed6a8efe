"""libyaml's own complaints in plain sentences.

Rules of this file: a table of what libyaml says and what people need to hear; what is not in the table is passed on,
escaped. libyaml's marks count characters, as ours do.
"""

from __future__ import annotations

import yaml

from reconciler.desired.reading.source_file import SourceFile
from reconciler.desired.wording import escape, shorten
from reconciler.model.diagnostic import Diagnostic

_SENTENCES = {
    "mapping values are not allowed in this context": (
        "a ':' stands where no key can be; check the indentation, and quote text that holds ': '"
    ),
    "could not find expected ':'": "this line is neither 'key: value' nor the rest of a text; a ':' is missing",
    "did not find expected key": "a key is expected here; check the indentation of this line and the one above",
    "did not find expected ',' or '}'": "a ',' or '}' is expected here",
    "did not find expected ',' or ']'": "a ',' or ']' is expected here",
    "did not find expected '-' indicator": "an item beginning with '- ' is expected here; check the indentation",
    "did not find expected node content": "a value is expected here",
    "did not find expected <document start>": "something stands after the end of the document; remove it",
    "found unexpected end of stream": "a quoted text is not closed before the file ends",
    "found unexpected document indicator": "a quoted text is not closed before '---' or '...'",
    "found character that cannot start any token": "this character cannot begin a value; quote the text",
    "found undefined tag handle": "tags are not accepted; remove it",
    "found unknown escape character": "this backslash escape does not exist; use single quotes for plain backslashes",
    "found unknown directive name": "directives (%YAML, %TAG) are not accepted; remove this line",
    "block sequence entries are not allowed in this context": "a list cannot begin here; put '- ' on a line of its own",
    "block mapping keys are not allowed in this context": "a mapping cannot begin here; put the key on its own line",
}

_BRACKETED = {
    "while parsing a flow mapping": "the '{'",
    "while parsing a flow sequence": "the '['",
    "while scanning a quoted scalar": "the text",
}


def explain_syntax_error(file: SourceFile, error: yaml.YAMLError) -> Diagnostic:
    """Return what libyaml's `error` means for the person who wrote the file."""
    problem = str(getattr(error, "problem", None) or error)
    summary = _SENTENCES.get(problem) or f"this is not YAML: {escape(shorten(problem))}"
    place, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    what = _BRACKETED.get(str(getattr(error, "context", None)))
    if opened is not None and what is not None:
        line, column = file.position(opened.index)
        summary += f"; {what} begins at line {line}, column {column}"
    return file.problem("yaml-syntax", summary, mark=place.index if place is not None else 0)
