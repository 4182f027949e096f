"""Judge from its first members whether a JSON object is a tool call."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from monster_core.json_values import read_json, write_json

__all__ = ["Verdict", "inspect_call", "whole_call"]

_NAME_KEYS = ("name", "tool", "tool_name", "function")
_ARGUMENT_KEYS = ("parameters", "arguments", "args", "input")
_OTHER_KEYS = ("type", "id")
_KEYS = (*_NAME_KEYS, *_ARGUMENT_KEYS, *_OTHER_KEYS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what is known of an object of which only the beginning may have arrived.

    Args:
        kind: "call": its arguments begin; "held": it can only be judged when it is closed;
            "refused": it is no call; "undecided": more must arrive.
        name: The called tool, as soon as it is certain.
        arguments_at: Where the arguments begin, for "call".
        depth: How many braces are open around the arguments, for "call".
    """

    kind: Literal["call", "held", "refused", "undecided"]
    name: str = ""
    arguments_at: int = 0
    depth: int = 1


_REFUSED = Verdict("refused")
_HELD = Verdict("held")


def inspect_call(text: str, names: Collection[str], *, is_marked: bool) -> Verdict:
    """Judge an object by its first members; equal for any cut of the same text.

    Args:
        text: The text from the object's opening brace on.
        names: The tools that can be called.
        is_marked: Whether a mark before it says that it is a call, whatever its name.
    """
    tokens = _tokens(text)
    next(tokens)  # the opening brace
    return _Members(tokens, names, is_marked).judge()


def whole_call(text: str, names: Collection[str], *, is_marked: bool) -> tuple[str, str] | None:
    """Read a closed object as a call.

    Args:
        text: The whole object.
        names: The tools that can be called.
        is_marked: As in :func:`inspect_call`.

    Returns:
        The tool's name and its arguments as JSON text, or None if the object is no call.
    """
    try:
        value = read_json(text)
    except ValueError:
        return None
    inner = value.get("function")
    if isinstance(inner, dict):
        value = inner
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
    if name is None or not (is_marked or name in names):
        return None
    if not is_marked and not value.keys() <= set(_KEYS):
        return None
    arguments: Any = next((value[key] for key in _ARGUMENT_KEYS if key in value), {})
    try:
        return name, arguments if isinstance(arguments, str) else write_json(arguments)
    except TypeError:  # nested too deeply
        return None


class _Members:
    """Walk through the members of an object until one decides."""

    def __init__(
        self, tokens: Iterator[tuple[str, str, int]], names: Collection[str], is_marked: bool
    ) -> None:
        self._tokens = tokens
        self._names = names
        self._is_marked = is_marked
        self._name = ""
        self._depth = 1

    def judge(self) -> Verdict:
        while True:
            verdict = self._member()
            if verdict is not None:
                return verdict

    def _member(self) -> Verdict | None:
        kind, key, _ = next(self._tokens)
        if kind == "partial":
            return self._partial(key, _KEYS, _HELD if self._name else _REFUSED)
        if kind == "end":
            return self._undecided()
        if kind != "string":
            return _HELD if self._name and key == "}" else _REFUSED
        if key not in _KEYS:
            return _HELD if self._name or self._is_marked else _REFUSED
        colon, sign, _ = next(self._tokens)
        if colon == "end":
            return self._undecided()
        if (colon, sign) != ("sign", ":"):
            return _REFUSED
        verdict = self._value(key)
        return verdict if verdict is not None else self._separator()

    def _value(self, key: str) -> Verdict | None:
        kind, value, end = next(self._tokens)
        if kind == "end":
            return self._undecided()
        if key in _ARGUMENT_KEYS:
            if self._name and value == "{" and kind == "sign":
                return Verdict("call", self._name, end - 1, self._depth)
            return _HELD
        if key == "function" and value == "{" and kind == "sign" and self._depth == 1:
            self._depth = 2
            return None
        if kind == "partial":
            if key == "id":
                return self._undecided()
            return self._partial(value, ("function",) if key == "type" else self._names, _REFUSED)
        if kind != "string":
            return _HELD if self._is_marked else _REFUSED
        return self._text(key, value)

    def _text(self, key: str, value: str) -> Verdict | None:
        if key == "type":
            return None if value == "function" or self._is_marked else _REFUSED
        if key in _NAME_KEYS:
            if not self._is_marked and value not in self._names:
                return _REFUSED
            self._name = value
        return None

    def _separator(self) -> Verdict | None:
        if self._depth == 2 and not self._name:
            return None  # just inside the nested function object
        kind, sign, _ = next(self._tokens)
        if kind == "end":
            return self._undecided()
        if (kind, sign) == ("sign", ","):
            return None
        return _HELD if self._name and (kind, sign) == ("sign", "}") else _REFUSED

    def _partial(self, text: str, allowed: Collection[str], otherwise: Verdict) -> Verdict:
        known = text.partition("\\")[0]  # an escape means nothing before the string is whole
        if self._is_marked or any(word.startswith(known) for word in allowed):
            return self._undecided()
        return otherwise

    def _undecided(self) -> Verdict:
        return Verdict("undecided", self._name)


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign>[{}\[\]:,])
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<partial>"(?:[^"\\]|\\.)*\\?\Z)
      | (?P<other>[^\s{}\[\]:,"]+)
    )""",
    re.VERBOSE | re.DOTALL,
)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield each JSON token with its kind, its value and its end; "end" where the text ends."""
    position = 0
    while found := _TOKEN.match(text, position):
        position = found.end()
        kind: Any = found.lastgroup
        value = found[kind]
        if kind == "string":
            value = _unquoted(value)
        elif kind == "partial":
            value = value[1:]
        yield kind, value, position
    while True:
        yield "end", "", len(text)


def _unquoted(quoted: str) -> str:
    try:
        return str(orjson.loads(quoted))
    except ValueError:
        return quoted[1:-1]
