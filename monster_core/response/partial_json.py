"""Parse JSON while it arrives: each piece is looked at once, however long the text grows."""

from __future__ import annotations

import re
from typing import Any

import orjson

from monster_core.json_values import read_json

__all__ = ["PartialJson"]


class PartialJson:
    """Build the value of a JSON text piece by piece.

    Strings grow as they arrive; numbers, words and keys count once they are complete.
    """

    def __init__(self) -> None:
        self._root: list[Any] = []
        self._stack: list[Any] = [self._root]  # open containers, the innermost last
        self._keys: list[str | None] = [None]  # the key of each open object that awaits a value
        self._token = ""  # the beginning of a token whose end has not arrived
        self._string: list[str] | None = None  # a string value that grows
        self._is_broken = False
        self.is_complete = False

    @property
    def value(self) -> Any:
        """The value so far, None before any has begun; a container is the parser's own."""
        if self._string:
            self._string = ["".join(self._string)]  # joined once: a value is asked for often
            self._put_string(self._string[0])
        return self._root[0] if self._root else None

    def feed(self, text: str) -> bool:
        """Take the next piece.

        Args:
            text: The piece.

        Returns:
            Whether the value has changed.
        """
        text, self._token = self._token + text, ""
        position, changed = 0, False
        while position < len(text) and not (self.is_complete or self._is_broken):
            if self._string is not None:
                position, grew = self._read_string(text, position)
                changed = changed or grew
                continue
            found = _TOKEN.match(text, position)
            if found is None or (found.end() == len(text) and found.lastgroup == "other"):
                self._token = text[found.end(1) :] if found else ""  # separators mean nothing
                self._is_broken = len(self._token) > _LONGEST_WORD
                break
            position = found.end()
            changed = self._take(found.lastgroup or "", found[found.lastgroup or 0]) or changed
        return changed

    def _take(self, kind: str, token: str) -> bool:
        if kind == "sign":
            return self._take_sign(token)
        if kind == "quote":
            self._string = []
            if not self._awaits_key:
                self._put("")
            return not self._awaits_key
        try:
            self._put(read_json(token))
        except ValueError:
            self._is_broken = True
        return not self._is_broken

    @property
    def _awaits_key(self) -> bool:
        return isinstance(self._stack[-1], dict) and self._keys[-1] is None

    def _take_sign(self, sign: str) -> bool:
        if sign in "{[":
            container: Any = {} if sign == "{" else []
            if len(self._stack) > _DEEPEST:
                self._is_broken = True
                return False
            self._put(container, closes=False)
            self._stack.append(container)
            self._keys.append(None)
            return True
        if sign in "}]":
            if len(self._stack) == 1:
                self._is_broken = True
                return False
            self._stack.pop()
            self._keys.pop()
            self._close_value()
        return False

    def _put(self, value: Any, *, closes: bool = True) -> None:
        container = self._stack[-1]
        if isinstance(container, dict):
            key = self._keys[-1]
            if key is None:
                self._is_broken = True
                return
            container[key] = value
        else:
            container.append(value)
        if closes and self._string is None:
            self._close_value()

    def _put_string(self, value: str) -> None:
        """Give the string that grows its present text; a key is given once it is complete."""
        if self._awaits_key:
            return
        container = self._stack[-1]
        if isinstance(container, dict):
            container[self._keys[-1] or ""] = value
        else:
            container[-1] = value

    def _close_value(self) -> None:
        self._keys[-1] = None
        self.is_complete = len(self._stack) == 1

    def _read_string(self, text: str, position: int) -> tuple[int, bool]:
        pieces = self._string if self._string is not None else []
        found = _PLAIN.match(text, position)
        if found and found.end() > position:
            pieces.append(found[0])
            return found.end(), not self._awaits_key
        if text[position] == '"':
            whole, is_key = "".join(pieces), self._awaits_key
            self._string = None
            if is_key:
                self._keys[-1] = whole
            else:
                self._put_string(whole)
                self._close_value()
            return position + 1, False
        escape = _ESCAPE.match(text, position)
        if escape is None:
            self._token = text[position:]
            self._is_broken = len(self._token) >= _LONGEST_ESCAPE
            return len(text), False
        pieces.append(_unescaped(escape[0]))
        return escape.end(), not self._awaits_key


_TOKEN = re.compile(
    r"""([\s,:]*)(?:
        (?P<sign>[{}\[\]]) | (?P<quote>") | (?P<other>[^\s,:{}\[\]"]+)
    )""",
    re.VERBOSE,
)
_PLAIN = re.compile(r'[^"\\]*')
_ESCAPE = re.compile(
    r'\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'
    r"|u(?![dD][89abAB])[0-9a-fA-F]{4}"
    r"|u[dD][89abAB][0-9a-fA-F]{2}(?=[^\\]|\\(?:[^u]|u(?:[^dD]|[dD][^c-fC-F]))))"
)
_DEEPEST = 200  # open containers: copying and writing what is deeper fails in Python
_LONGEST_WORD = 1000  # characters of a number, true, false or null: each piece reads it again
_LONGEST_ESCAPE = len(r"\ud83d\ude00")


def _unescaped(escape: str) -> str:
    try:
        return str(orjson.loads(f'"{escape}"'))
    except ValueError:
        return "\ufffd"
