"""Drop, while an answer streams, the nulls that stand in the place of absent properties.

The text of a member is held back from its comma to the first character of its value, so that a
member with such a null never comes out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from .ir import (
    Array,
    Map,
    Node,
    Object,
    Presence,
    Tuple,
    Union,
    admits_null,
    is_empty_array,
)


@dataclass(slots=True)
class _Frame:
    """Hold an open object or array, and the nodes it may have."""

    is_object: bool
    nodes: list[Node]
    is_empty: bool = False  # an array of no items: a null in it is none
    kept: int = 0  # members of an object that came out; items of an array that began
    key: str = ""
    awaits: str = "key"  # of an object: its next token is a "key", "colon", "value" or "end"
    head: str = ""  # a member's text before its value, held back

    @property
    def withheld(self) -> str:
        """The text of the member that is held back, with its comma if one is needed."""
        has_comma = self.is_object and self.kept > 0 and self.awaits != "end"
        return ("," if has_comma else "") + self.head


class StreamRestorer:
    """Drop from a JSON text, piece by piece, the nulls that stand for absent properties.

    Text that turns out not to be JSON comes out as it is.

    Args:
        node: The concrete node that guided the text.
    """

    def __init__(self, node: Node) -> None:
        self._root = [node]
        self._frames: list[_Frame] = []
        self._rest = ""  # what may be the beginning of a null, or of an escape
        self._in_string = False
        self._is_broken = False
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        """Take the next piece of the text, and return what can come out.

        Args:
            text: The piece.
        """
        text, self._rest = self._rest + text, ""
        position = 0
        while position < len(text) and not self._is_broken:
            found = (_IN_STRING if self._in_string else _TOKEN).match(text, position)
            if found is None or (found.end() == len(text) and "null".startswith(found[0])):
                self._rest = text[position:]
                break
            position = found.end()
            self._take(found.lastgroup or "", found[0])
        if self._is_broken:
            self._out.append(text[position:])
        out, self._out = "".join(self._out), []
        return out

    def flush(self) -> str:
        """End the text, and return what was still held back."""
        self._break("")
        out = "".join(self._out) + self._rest
        self._out, self._rest = [], ""
        return out

    def _break(self, token: str) -> None:
        """Let out what was held back, and everything that follows, as it is."""
        if self._frames and not self._is_broken:
            self._out.append(self._frames[-1].withheld)
        self._out.append(token)
        self._is_broken = True

    def _take(self, kind: str, token: str) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame is None or not frame.is_object:
            self._take_value(kind, token, frame)
        elif frame.awaits == "key" and self._in_string:
            self._take_key(kind, token, frame)
        elif self._in_string or (frame.awaits == "end" and kind in ("space", "word")):
            self._take_value(kind, token, frame)  # the rest of a string or a number
        elif token == "}":
            self._out.append(frame.head + token)
            self._close()
        elif token == "," and frame.awaits == "end":
            frame.awaits, frame.head = "key", ""
        else:
            self._take_member(kind, token, frame)

    def _take_key(self, kind: str, token: str, frame: _Frame) -> None:
        frame.head += token
        frame.key += token
        if kind == "end":
            self._in_string = False
            frame.key, frame.awaits = _unquoted(frame.key), "colon"

    def _take_member(self, kind: str, token: str, frame: _Frame) -> None:
        """Take the key, the colon, or the first token of the value."""
        if kind == "space":
            frame.head += token
        elif frame.awaits == "key" and kind == "quote":
            frame.key, frame.head, self._in_string = token, frame.head + token, True
        elif frame.awaits == "colon" and token == ":":
            frame.head, frame.awaits = frame.head + token, "value"
        elif frame.awaits != "value" or token in _NOT_A_VALUE:
            self._break(token)
        elif token == "null" and _means_absence(frame.nodes, frame.key):
            frame.awaits, frame.head = "end", ""
        else:
            self._out.append(frame.withheld)
            frame.kept, frame.head, frame.awaits = frame.kept + 1, "", "end"
            self._take_value(kind, token, frame)

    def _take_value(self, kind: str, token: str, frame: _Frame | None) -> None:
        if token == "null" and frame is not None and frame.is_empty and not self._in_string:
            return
        self._out.append(token)
        if self._in_string:
            self._in_string = kind != "end"
        elif token in ("{", "["):
            nodes = self._nodes_inside(frame)
            arrays = [node for node in nodes if isinstance(node, Array | Tuple)]
            is_empty = token == "[" and bool(arrays) and all(map(is_empty_array, arrays))
            self._frames.append(_Frame(token == "{", nodes, is_empty))
        elif token == "]":
            self._close()
        elif token == "," and frame is not None:
            frame.kept += 1
        elif kind == "quote":
            self._in_string = True

    def _nodes_inside(self, frame: _Frame | None) -> list[Node]:
        if frame is None:
            return list(_expanded(self._root))
        if frame.is_object:
            frame.nodes = _narrowed(frame.nodes, frame.key)
            return list(_expanded(_of_member(frame.nodes, frame.key)))
        return list(_expanded(_of_item(frame.nodes, frame.kept)))

    def _close(self) -> None:
        if self._frames:
            self._frames.pop()


def _expanded(nodes: Iterable[Node]) -> Iterable[Node]:
    for node in nodes:
        if isinstance(node, Union):
            yield from _expanded(node.options)
        else:
            yield node


def _narrowed(nodes: list[Node], key: str) -> list[Node]:
    """Leave out the objects without such a property, unless none has it."""
    named = [
        node
        for node in nodes
        if not isinstance(node, Object) or any(part.name == key for part in node.fields)
    ]
    return named or nodes


def _of_member(nodes: Iterable[Node], key: str) -> Iterable[Node]:
    for node in nodes:
        if isinstance(node, Object):
            yield from (part.node for part in node.fields if part.name == key)
        elif isinstance(node, Map):
            yield node.values


def _of_item(nodes: Iterable[Node], index: int) -> Iterable[Node]:
    for node in nodes:
        if isinstance(node, Array):
            yield node.items
        elif isinstance(node, Tuple) and index < len(node.items):
            yield node.items[index]


def _means_absence(nodes: list[Node], key: str) -> bool:
    """Return whether a member's null means absence in some node, and null itself in none."""
    parts = [
        part
        for node in _narrowed(nodes, key)
        if isinstance(node, Object)
        for part in node.fields
        if part.name == key
    ]
    if any(
        part.presence is not Presence.NULL_PLACEHOLDER and admits_null(part.node) for part in parts
    ):
        return False
    return any(part.presence is not Presence.REQUIRED for part in parts)


def _unquoted(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token


_NOT_A_VALUE = ("]", ",", ":")
_TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<punctuation>[{}\[\]:,]) | (?P<quote>") | (?P<word>[^\s{}\[\]:,"]+)""",
    re.VERBOSE,
)
_IN_STRING = re.compile(r'(?P<escape>\\.)|(?P<text>[^"\\]+)|(?P<end>")', re.DOTALL)
