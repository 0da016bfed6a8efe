"""From the text of a file to plain values, in one pass over libyaml's events.

Rules of this file: no node objects, no constructors, no tags, so nothing in a file can run anything. What is not JSON
in YAML's clothes is refused with its place; reading goes on after a refusal wherever the rest still makes sense, and
stops at once where going on would cost time or memory (nesting, exploding aliases).
"""

from __future__ import annotations

from typing import Any

import yaml

from reconciler.desired.bounds import MAX_PROBLEMS, further
from reconciler.desired.reading.aliases import MAX_ALIASED_NODES, Anchored, Anchors
from reconciler.desired.reading.marks import SHIFT, Marks, YamlDocument
from reconciler.desired.reading.scalars import COMMON, Refused, resolve
from reconciler.desired.reading.source_file import SourceFile
from reconciler.desired.reading.syntax import explain_syntax_error
from reconciler.desired.wording import quote
from reconciler.model.diagnostic import Diagnostic

MAX_DEPTH = 32
"""Containers within containers."""
MAX_KEY_LENGTH = 256

_LIST: Any = object()
"""What stands for the key in the frame of a list."""


def read_yaml(path: str, text: str, *, file: SourceFile | None = None) -> YamlDocument:
    """Return what the decoded file called `path` holds; `file` if its lines are known already, or are others'."""
    reading = _Reading(SourceFile.of(path, text) if file is None else file)
    try:
        reading.run(yaml.CSafeLoader(text))
    except yaml.YAMLError as exc:
        reading.fail(explain_syntax_error(reading.file, exc))
    return reading.document()


class _Frame:
    """A container that is still open."""

    __slots__ = ("anchor", "drop", "is_key", "key", "node", "places", "start")

    def __init__(self, node: Any, places: Any, key: str | None, start: int) -> None:
        self.node = node
        self.places = places
        """The marks of the node, as `Marks` keeps them; a key that waits for its value has only its own mark."""
        self.key = key
        """The key whose value comes next; `None` when a key comes next. Lists always have one."""
        self.start = start
        self.anchor: str | None = None
        self.drop = False
        """The next value is thrown away, since its key was refused."""
        self.is_key = False
        """It stands where a key should: refused, read to its end and thrown away."""


class _Reading:
    """The state of one pass."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._problems: list[Diagnostic] = []
        self._further = 0
        """Problems beyond those that are told one by one."""
        self._marks = Marks()
        self._frames: list[_Frame] = []
        self._frame: _Frame | None = None
        self._root: Any = None
        self._start = 0
        self._documents = 0
        self._done = False
        self._anchors = Anchors()

    def run(self, parser: yaml.CSafeLoader) -> None:
        """Walk the events until the file ends or is refused as a whole."""
        handlers = {
            yaml.MappingStartEvent: self._open_mapping,
            yaml.SequenceStartEvent: self._open_list,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._open_document,
            yaml.DocumentEndEvent: _ignore,
            yaml.StreamStartEvent: _ignore,
            yaml.StreamEndEvent: self._end,
        }
        next_event, scalar = parser.get_event, self._scalar
        while not self._done:
            event = next_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                scalar(event)
            else:
                handlers[kind](event)

    def fail(self, problem: Diagnostic) -> None:
        """Refuse the file as a whole."""
        self._problems.append(problem)
        self._root = None
        self._done = True

    def document(self) -> YamlDocument:
        """Return what was read."""
        if self._further:
            self._problems.append(further(self.file.path, self._further, "slips of YAML"))
        return YamlDocument(
            file=self.file,
            value=self._root,
            start=self._start,
            marks=self._marks,
            problems=tuple(self._problems),
        )

    def _problem(self, code: str, summary: str, mark: int, detail: str = "", key: str | None = None) -> Diagnostic:
        tokens = [len(frame.node) if frame.key is _LIST else frame.key for frame in self._frames]
        known = [token for token in (*tokens, key) if token is not None]
        return self.file.problem(code, summary, mark=mark, tokens=known, detail=detail)

    def _report(self, code: str, summary: str, mark: int, *, key: str | None = None) -> None:
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(self._problem(code, summary, mark, key=key))
        else:
            self._further += 1

    def _open_document(self, event: Any) -> None:
        self._documents += 1
        mark = event.start_mark.index
        if self._documents > 1:
            self._report("several-documents", "a second document begins here; a file holds one", mark)
            self._done = True
        elif event.version or event.tags:
            self._report("directive", "directives (%YAML, %TAG) are not accepted; remove this line", mark)

    def _end(self, _event: Any) -> None:
        self._done = True
        if self._root is None:
            self.fail(
                self.file.problem("empty-file", "the file is empty; write what it should hold or delete it", mark=0)
            )

    def _scalar(self, event: Any) -> None:
        # The hot path of the room: a key or a value of a mapping with nothing odd about it, in one call.
        frame = self._frame
        if frame is None or frame.key is _LIST or frame.drop or event.tag is not None or event.anchor is not None:
            self._odd_scalar(event)
            return
        value, mark, key = event.value, event.start_mark.index, frame.key
        if key is None:
            self._take_key(frame, value, mark, event.style)
            return
        if not event.style:
            value = COMMON[value] if value in COMMON else self._plain(value, mark)
        frame.node[key] = value
        frame.places[key] = frame.places[key] << SHIFT | mark
        frame.key = None

    def _odd_scalar(self, event: Any) -> None:
        value: Any = event.value
        mark, frame = event.start_mark.index, self._frame
        if event.tag is not None:
            self._refuse_tag(event.tag, mark)
        if frame is not None and frame.key is None:
            self._take_key(frame, value, mark, event.style)
        else:
            value = value if event.style else self._plain(value, mark)
            self._put(value, mark)
        if event.anchor is not None:
            self._anchors.define(event.anchor, value)

    def _plain(self, text: str, mark: int) -> Any:
        value = resolve(text)
        if type(value) is Refused:
            self._report(value.code, value.summary, mark)
            return value.stand_in
        return value

    def _refuse_tag(self, tag: str, mark: int) -> None:
        short = tag.replace("tag:yaml.org,2002:", "!!")
        self._report("tag", f"the tag {quote(short)} is not accepted; remove it", mark)

    def _take_key(self, frame: _Frame, key: str, mark: int, style: str) -> None:
        if key in frame.places or len(key) > MAX_KEY_LENGTH or (key == "<<" and not style):
            self._refuse_key(frame, key, mark)
        else:
            frame.places[key] = mark
        frame.key = key

    def _refuse_key(self, frame: _Frame, key: str, mark: int) -> None:
        frame.drop = True
        if key in frame.places:
            line, column = self.file.position(frame.places[key] >> SHIFT)
            code, summary = "duplicate-key", f"the key {quote(key)} is already given at line {line}, column {column}"
        elif key == "<<":
            code, summary = "merge-key", "merge keys (<<) are not accepted; use a profile with 'extends'"
        else:
            code, summary = "key-too-long", f"the key {quote(key)} has more than {MAX_KEY_LENGTH} characters"
        self._report(code, summary, mark, key=key)

    def _put(self, value: Any, mark: int) -> None:
        frame = self._frame
        if frame is None:
            self._root, self._start = value, mark
            return
        key = frame.key
        if key is _LIST:
            frame.node.append(value)
            frame.places.append(mark)
            return
        if frame.drop:
            frame.drop = False
        else:
            frame.node[key] = value
            frame.places[key] = frame.places[key] << SHIFT | mark
        frame.key = None

    def _open_mapping(self, event: Any) -> None:
        self._open(_Frame({}, {}, None, event.start_mark.index), event)

    def _open_list(self, event: Any) -> None:
        self._open(_Frame([], [], _LIST, event.start_mark.index), event)

    def _open(self, frame: _Frame, event: Any) -> None:
        if len(self._frames) >= MAX_DEPTH:
            self._fail_nesting(frame.start)
            return
        if event.tag is not None:
            self._refuse_tag(event.tag, frame.start)
        parent = self._frame
        if parent is not None and parent.key is None:
            frame.is_key = True
            self._report("key-not-text", "a key must be plain text, not a mapping or a list", frame.start)
        if event.anchor is not None:
            self._anchors.hide(event.anchor)
            frame.anchor = event.anchor
        self._frame = frame
        self._frames.append(frame)

    def _close(self, _event: Any) -> None:
        frame = self._frames.pop()
        parent = self._frame = self._frames[-1] if self._frames else None
        self._marks.of[id(frame.node)] = frame.places
        if frame.anchor is not None:
            self._anchors.define(frame.anchor, frame.node)
        if parent is not None and frame.is_key:
            parent.key, parent.drop = "", True
        else:
            self._put(frame.node, frame.start)

    def _fail_nesting(self, mark: int) -> None:
        self.fail(self._problem("nesting-too-deep", f"values are nested more than {MAX_DEPTH} deep here", mark))

    def _alias(self, event: Any) -> None:
        mark = event.start_mark.index
        frame = self._frame
        if frame is not None and frame.key is None:
            self._report("key-not-text", "a key must be plain text, not an alias", mark)
            frame.key, frame.drop = "", True
            return
        anchor = self._anchors.find(event.anchor)
        if anchor is None:
            self._refuse_alias(event.anchor, mark)
        elif self._affordable(anchor, mark):
            self._put(anchor.value, mark)

    def _refuse_alias(self, name: str, mark: int) -> None:
        if any(frame.anchor == name for frame in self._frames):
            self._report("alias-to-itself", f"the alias {quote('*' + name)} stands inside the value it refers to", mark)
        else:
            self._report("unknown-alias", f"no anchor {quote('&' + name)} comes before this alias", mark)
        self._put(None, mark)

    def _affordable(self, anchored: Anchored, mark: int) -> bool:
        if not self._anchors.afford(anchored):
            summary = f"the aliases of this file stand for more than {MAX_ALIASED_NODES} values"
            self.fail(self._problem("aliases-explode", summary, mark, "write the values out, or use a profile"))
        elif len(self._frames) + anchored.height > MAX_DEPTH:
            self._fail_nesting(mark)
        return not self._done


def _ignore(_event: Any) -> None:
    """Do nothing: the event carries nothing."""
