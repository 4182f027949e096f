"""Undoes, while an answer streams, what lowering changed about the way values are represented.

A member whose null only stands for an absent property is dropped before anybody sees it: the text
of a member is held back from its comma to the first sign of its value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from .nodes import Dictionary, Listing, Node, Null, Presence, Record, Row, Union


@dataclass(slots=True)
class _Frame:
    """An open object or array, and the shapes it may have."""

    is_object: bool
    shapes: list[Node]
    kept: int = 0  # members of an object that were given out; items of an array that began
    key: str = ""
    awaits: str = "key"  # of an object: its next token is a "key", "colon", "value" or "end"
    head: str = field(default="")  # a member's text before its value, held back


class StreamRestorer:
    """Drop from a JSON text, piece by piece, the nulls that stand for absent properties.

    Args:
        node: The settled shape that guided the text.
    """

    def __init__(self, node: Node) -> None:
        self._root = [node]
        self._frames: list[_Frame] = []
        self._rest = ""  # the beginning of a token whose end has not arrived
        self._in_string = False
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        """Take the next piece of the text, and return what of it is certain.

        Args:
            text: The piece.
        """
        text, self._rest = self._rest + text, ""
        position = 0
        while position < len(text):
            found = self._pattern.match(text, position)
            if found is None or (found.lastgroup == "word" and found.end() == len(text)):
                self._rest = text[position:]
                break
            position = found.end()
            self._take(found.lastgroup or "", found[0])
        given = "".join(self._out)
        self._out = []
        return given

    def flush(self) -> str:
        """Take the end of the text, and return what was still held back."""
        given, self._rest = self._rest, ""
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.head:
            given = ("," if frame.kept else "") + frame.head + given
            frame.head = ""
        return given

    @property
    def _pattern(self) -> re.Pattern[str]:
        if self._in_string:
            return _IN_STRING
        is_key = self._frames and self._frames[-1].is_object and self._frames[-1].awaits == "key"
        return _KEY if is_key else _TOKEN

    def _take(self, kind: str, token: str) -> None:
        frame = self._frames[-1] if self._frames else None
        if self._in_string:
            self._out.append(token)
            if kind == "end":
                self._in_string = False
                self._end_value()
        elif frame is None or not frame.is_object:
            self._take_value(kind, token, frame)
        elif kind == "space" and frame.awaits == "end":
            self._out.append(token)
        elif token == "}":
            self._out.append(frame.head + token)
            self._close()
        else:
            self._take_member(kind, token, frame)

    def _take_member(self, kind: str, token: str, frame: _Frame) -> None:
        if token == ",":
            frame.awaits, frame.head = "key", ""
        elif kind == "space":
            frame.head += token
        elif frame.awaits == "key":
            frame.key, frame.head, frame.awaits = _unquoted(token), frame.head + token, "colon"
        elif frame.awaits == "colon":
            frame.head, frame.awaits = frame.head + token, "value"
        elif token == "null" and _stands_in(frame.shapes, frame.key):
            frame.awaits, frame.head = "end", ""
        else:
            self._out.append(("," if frame.kept else "") + frame.head)
            frame.kept, frame.head = frame.kept + 1, ""
            self._take_value(kind, token, frame)

    def _take_value(self, kind: str, token: str, frame: _Frame | None) -> None:
        self._out.append(token)
        if token in ("{", "["):
            self._frames.append(_Frame(token == "{", self._shapes_inside(frame)))
        elif token == "]":
            self._close()
        elif token == "," and frame is not None:
            frame.kept += 1
        elif kind == "quote":
            self._in_string = True
        elif kind == "word":
            self._end_value()

    def _shapes_inside(self, frame: _Frame | None) -> list[Node]:
        if frame is None:
            return list(_expanded(self._root))
        if frame.is_object:
            frame.shapes = _narrowed(frame.shapes, frame.key)
            return list(_expanded(_of_member(frame.shapes, frame.key)))
        return list(_expanded(_of_item(frame.shapes, frame.kept)))

    def _close(self) -> None:
        if self._frames:
            self._frames.pop()
        self._end_value()

    def _end_value(self) -> None:
        if self._frames and self._frames[-1].is_object:
            self._frames[-1].awaits = "end"


def _expanded(nodes: Iterable[Node]) -> Iterable[Node]:
    for node in nodes:
        if isinstance(node, Union):
            yield from _expanded(node.options)
        else:
            yield node


def _narrowed(shapes: list[Node], key: str) -> list[Node]:
    """Forget the objects that have no such property, unless none has it."""
    named = [
        shape
        for shape in shapes
        if not isinstance(shape, Record) or any(part.name == key for part in shape.fields)
    ]
    return named or shapes


def _of_member(shapes: Iterable[Node], key: str) -> Iterable[Node]:
    for shape in shapes:
        if isinstance(shape, Record):
            yield from (part.node for part in shape.fields if part.name == key)
        elif isinstance(shape, Dictionary):
            yield shape.values


def _of_item(shapes: Iterable[Node], index: int) -> Iterable[Node]:
    for shape in shapes:
        if isinstance(shape, Listing):
            yield shape.items
        elif isinstance(shape, Row) and index < len(shape.items):
            yield shape.items[index]


def _stands_in(shapes: list[Node], key: str) -> bool:
    """Whether a member's null means absence in some shape, and a value of its own in none."""
    parts = [
        part
        for shape in _narrowed(shapes, key)
        if isinstance(shape, Record)
        for part in shape.fields
        if part.name == key
    ]
    if any(part.presence is not Presence.STAND_IN and _takes_null(part.node) for part in parts):
        return False
    return any(part.presence is Presence.STAND_IN for part in parts)


def _takes_null(node: Node) -> bool:
    return any(isinstance(part, Null) for part in _expanded([node]))


def _unquoted(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token


_TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<sign>[{}\[\]:,]) | (?P<quote>") | (?P<word>[^\s{}\[\]:,"]+)""",
    re.VERBOSE,
)
_KEY = re.compile(
    r"""(?P<space>\s+) | (?P<sign>[{}\[\]:,]) | (?P<key>"(?:[^"\\]|\\.)*")""",
    re.VERBOSE | re.DOTALL,
)
_IN_STRING = re.compile(r'(?P<escape>\\.)|(?P<text>[^"\\]+)|(?P<end>")', re.DOTALL)
