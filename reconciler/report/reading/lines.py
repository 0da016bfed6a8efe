"""A document laid out as ours are, an entry a line, taken apart without looking into every line.

Thousands of agents share all but their id and their line, so whoever reads the entries can take what it has read of one
for all others that have the same text. The rules that make it safe:

 1. a raw line break is in no string of JSON, so whatever stands between two of them here is no part of a text;
 2. an array of objects is taken out and the rest read as any JSON is; where that and each of the objects are JSON, so
    is the whole, and means the same;
 3. whoever finds anything amiss reads everything the plain way, `parse_json`, which knows the place of every mistake.
"""

from __future__ import annotations

from reconciler.report.reading.values import Members, parse_json

_ARRAYS = ("changes", "outcomes")
"""What has an entry for every agent."""


def parse_lines(data: bytes) -> object:
    """Return the value of the JSON text `data`, of whose long arrays the objects are `Members`.

    Raises:
        ValueError: as `parse_json`, or it is not laid out like this.
    """
    text = data.decode("utf-8")
    for name in _ARRAYS:
        before, opening, rest = text.partition(f'\n  "{name}": [\n    {{')
        inside, closing, after = rest.partition("}\n  ]")
        if opening and closing:
            document = parse_json(f'{before}\n  "{name}": []{after}'.encode())
            if isinstance(document, dict) and document.get(name) == []:
                return document | {name: list(map(Members, inside.split("},\n    {")))}
    raise ValueError("it has no array of lines")
