"""Read what models write for a JSON object into strict JSON, while it arrives.

Repaired are: Python's ``True``, ``False`` and ``None``, strings in single quotes, raw line ends and
other control characters in strings, escapes that JSON does not know, keys without quotes, comments,
commas before a closing bracket, and the arguments of a Python call. Strict JSON passes through
character for character. What cannot be repaired with certainty is passed on as it is, so that it is
not JSON afterwards either.

The JSON text is given token by token and never taken back: however the text is cut into pieces, the
JSON is the same. Each character is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from monster_core.json_values import write_json

__all__ = ["LenientJson", "repaired"]


def repaired(text: str) -> str:
    """Return a whole object as strict JSON, as far as it can be repaired; other text as it is.

    Args:
        text: The object's text.
    """
    if not text.startswith("{"):
        return text
    reader = LenientJson()
    position = reader.read(text, 0, is_end=True)
    return reader.take() + text[position:]


class LenientJson:
    """Read one object, or the arguments of one Python call, piece by piece.

    Args:
        parameter_names: The names of a Python call's parameters, for arguments without a name.
    """

    __slots__ = (
        "_comma",
        "_escape",
        "_expects",
        "_frames",
        "_json",
        "_parameter_names",
        "_position_of_argument",
        "_quote",
        "is_broken",
        "is_closed",
        "is_stray",
        "last",
    )

    def __init__(self, parameter_names: Sequence[str] = ()) -> None:
        self._parameter_names = parameter_names
        self._position_of_argument = 0
        self._frames: list[str] = []  # the opening bracket of each open container
        self._expects = "value"  # "value", "key", "colon" or "separator"
        self._quote = ""  # of the string that is open
        self._comma = ""  # a comma, and what follows it until the next member begins
        self._json: list[str] = []
        self.is_broken = False  # something was found that cannot be repaired
        self._escape = ""  # while broken: a backslash whose character has not arrived
        self.is_closed = False
        self.is_stray = False  # the next token cannot follow the last one
        self.last = ""  # the kind of the last token that was not white space

    @property
    def depth(self) -> int:
        """How many brackets are open."""
        return len(self._frames)

    @property
    def may_end(self) -> bool:
        """Whether the last token, but for a comma, ended a text or a container."""
        is_between = self._expects == "separator" or self._comma[:1] == ","
        return is_between and not self._quote and self.last in ("close", "string")

    def is_plain(self, text: str) -> bool:
        """Return whether a text is a part of the open string as it is.

        Args:
            text: The text that follows what has been read.
        """
        return self._quote == '"' and not self.is_broken and bool(_PLAIN.fullmatch(text))

    def take(self) -> str:
        """Return the JSON text that has been read since the last time."""
        json, self._json = "".join(self._json), []
        return json

    def read(self, text: str, position: int, *, is_end: bool = False) -> int:
        """Read until the object is closed or the text ends.

        Args:
            text: The text.
            position: Where to begin in it.
            is_end: Whether nothing follows.

        Returns:
            How far the text has been read; the rest is needed again.
        """
        while not self.is_closed and position < len(text):
            after = self.step(text, position, is_end=is_end)
            if self.is_stray:
                self.break_off()
            elif after == position:
                break
            position = after
        return position

    def step(self, text: str, position: int, *, is_end: bool = False) -> int:
        """Read one token, or a part of a string; the arguments are those of :meth:`read`."""
        if self.is_broken:
            return self._skim(text, position)
        if self._quote:
            return self._read_string(text, position, is_end)
        found = _TOKEN.match(text, position)
        if found is None:
            return self._unknown(text, position, is_end)
        kind, token, end = found.lastgroup or "", found[0], found.end()
        if kind == "space":
            self._give_space(token)
        elif kind == "comment":
            pass
        elif kind == "bracket":
            self._take_bracket(token)
        elif kind == "comma":
            self._take_comma()
        elif kind == "colon":
            self._take_colon(token)
        elif kind == "quote":
            return self._open_string(text, position, token, is_end)
        else:
            return self._read_word(text, position, token, end, is_end)
        return position if self.is_stray else end

    def close(self) -> None:
        """Close the object in spite of its missing brackets."""
        self._json.append("".join(_CLOSING[frame] for frame in reversed(self._frames)))
        self._comma, self._frames, self.is_closed, self.is_stray = "", [], True, False

    def break_off(self) -> None:
        """Pass on the rest as it is: it cannot be repaired."""
        self._json.append(self._comma)
        self._comma, self.is_broken, self.is_stray = "", True, False
        self._quote = self._quote and '"'

    def _unknown(self, text: str, position: int, is_end: bool) -> int:
        """Handle what begins no token: the beginning of a comment, or what cannot be repaired."""
        rest = text[position : position + _MAX_COMMENT_CHARS + 1]
        if text[position] in "/#" and len(rest) <= _MAX_COMMENT_CHARS:
            is_line = rest.startswith(("//", "#"))
            if is_end and is_line:
                return len(text)
            if not is_end and (is_line or rest == "/" or rest.startswith("/*")):
                return position
        self.is_stray = True
        return position

    def _give(self, token: str, last: str, expects: str) -> None:
        self._json.append(self._comma + token)
        self._comma, self.last, self._expects = "", last, expects

    def _give_space(self, space: str) -> None:
        if self._comma[:1] == ",":
            self._comma += space
        else:
            self._json.append(space)

    def _take_bracket(self, token: str) -> None:
        if token == "(" and not self._frames:
            self._frames.append("call")
            self._comma, self.last, self._expects = "{", "open", "key"
            return
        if token in "{[(":
            if token == "{" and self._frames == ["call"] and self.last == "open":
                self._frames, self._comma, self._expects = ["object"], "", "value"
            if not self._may_begin_value():
                self.is_stray = True
                return
            opening = "{" if token == "{" else "["
            self._frames.append(token)
            self._give(opening, "open", "value" if opening == "[" else "key")
            return
        frame = self._frames[-1]
        if token != _CLOSING_SIGN[frame] or not self._may_close():
            self.is_stray = True
            return
        self._comma = "" if self._comma[:1] == "," else self._comma
        self._frames.pop()
        self._give(_CLOSING[frame], "close", "separator")
        self.is_closed = not self._frames

    def _may_begin_value(self) -> bool:
        """Return whether a value may begin here; name it if it is an argument without a name."""
        if self._expects == "key" and self._frames[-1] == "call":
            if self._position_of_argument >= len(self._parameter_names):
                return False
            name = self._parameter_names[self._position_of_argument]
            self._position_of_argument += 1
            self._give(f"{write_json(name)}: ", "colon", "value")
        return self._expects == "value"

    def _may_close(self) -> bool:
        return self._expects in ("separator", "key") or (
            self._expects == "value" and self._frames[-1] in ("[", "(") and self.last != "colon"
        )

    def _take_comma(self) -> None:
        if self._expects != "separator":
            self.is_stray = True
            return
        self._comma = ","
        self._expects = "key" if self._frames[-1] in ("{", "call") else "value"
        self.is_stray = self._frames[-1] == "object"

    def _take_colon(self, token: str) -> None:
        if self._expects != "colon" or (token == "=") != (self._frames[-1] == "call"):
            self.is_stray = True
            return
        self._give(":", "colon", "value")

    def _open_string(self, text: str, position: int, quote: str, is_end: bool) -> int:
        if self._frames and self._frames[0] == "call":
            seen = text[position : position + 3]
            if len(seen) < 3 and seen == quote * len(seen) and not is_end:
                return position  # it may become a string in three quotes
            quote = seen if seen == quote * 3 else quote
        is_key = self._expects == "key" and self._frames[-1] == "{"
        if not is_key and not self._may_begin_value():
            self.is_stray = True
            return position
        self._give('"', "quote", "key" if is_key else "separator")
        self._quote = quote
        return position + len(quote)

    def _read_string(self, text: str, position: int, is_end: bool) -> int:
        content, quote = _CONTENT[self._quote[0]], self._quote
        while position < len(text):
            found = content.match(text, position)
            if found is not None:
                kind, token = found.lastgroup, found[0]
                self._json.append(token if kind == "plain" else _escaped(token))
                position = found.end()
            elif text.startswith(quote, position):
                self._end_string()
                return position + len(quote)
            elif quote.startswith(text[position:]) and not is_end:
                break  # the first of three quotes that end the string
            elif text[position] == quote[0]:  # a quote inside three quotes
                self._json.append(_escaped(quote[0]))
                position += 1
            elif text[position] == "\\" and len(text) - position < _MAX_ESCAPE_CHARS:
                break
            else:
                self.break_off()
                break
        return position

    def _end_string(self) -> None:
        self._json.append('"')
        self._quote = ""
        self.last = "string"
        if self._expects == "key":
            self._expects = "colon"

    def _read_word(self, text: str, position: int, word: str, end: int, is_end: bool) -> int:
        if end == len(text) and not is_end and self._may_become_value(word):
            return position
        if self._expects == "key" and self._frames[-1] in ("call", "{") and word.isidentifier():
            after = _SPACE.match(text, end)
            next_at = after.end() if after else end
            if next_at == len(text) and not is_end and len(word) <= _MAX_WORD_CHARS:
                return position
            if text[next_at : next_at + 1] == ("=" if self._frames[-1] == "call" else ":"):
                self._give(write_json(word), "key", "colon")
                return end
        value = _WORDS.get(word, word if _NUMBER.fullmatch(word) else None)
        if value is None or not self._may_begin_value():
            self.is_stray = True
            return position
        self._give(value, "word", "separator")
        return end

    def _may_become_value(self, word: str) -> bool:
        if len(word) > _MAX_WORD_CHARS:
            return False
        is_number = word[0] in "-0123456789"
        return (
            is_number or self._frames[:1] == ["call"] or any(one.startswith(word) for one in _WORDS)
        )

    def _skim(self, text: str, position: int) -> int:
        """Pass on text that cannot be repaired, and look for its end by its brackets alone."""
        begin = position
        if self._escape and position < len(text):
            self._escape, position = "", position + 1
        while position < len(text) and not self.is_closed:
            found = (_IN_STRING if self._quote else _STRUCTURE).search(text, position)
            if found is None:
                position = len(text)
                break
            character, position = found[0], found.end()
            if character == "\\":
                self._escape = "\\" if position == len(text) else ""
                position += 1
            elif character == '"':
                self._quote = "" if self._quote else '"'
            elif character in "{[(":
                self._frames.append(character)
            else:
                del self._frames[-1:]
                self.is_closed = not self._frames
                if len(self._frames) == 1:
                    break  # a member of the object has ended
        position = min(position, len(text))
        self._json.append(text[begin:position])
        return position


def _escaped(token: str) -> str:
    """Return one character or escape of a string as JSON writes it."""
    if token in _ESCAPES:
        return _ESCAPES[token]
    if token.startswith("\\x"):
        return f"\\u00{token[2:]}"
    if token[0] != "\\":
        return f"\\u{ord(token):04x}"
    return f"\\\\{token[1:]}"  # Python, too, keeps the backslash of an escape it does not know


_MAX_WORD_CHARS = 5000  # of a number: Python reads 4,300 digits
_MAX_COMMENT_CHARS = 1000
_MAX_ESCAPE_CHARS = 6  # of \uXXXX
# "call" is the bracket of a Python call, "object" one whose only argument is an object
_CLOSING = {"{": "}", "[": "]", "(": "]", "call": "}", "object": ""}
_CLOSING_SIGN = {"{": "}", "[": "]", "(": ")", "call": ")", "object": ")"}
_WORDS = {
    "true": "true",
    "false": "false",
    "null": "null",
    "True": "true",
    "False": "false",
    "None": "null",
}
_ESCAPES = {
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    '"': '\\"',
    "'": "'",
    "\\'": "'",
    "\\_": "_",  # as Markdown escapes it
    "\\\n": "",  # Python goes on in the next line
}
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<comment>(?://|\#)[^\n]{0,1000}(?=\n)|/\*(?:[^*]|\*(?!/)){0,1000}\*/)
      | (?P<bracket>[{}\[\]()])
      | (?P<comma>,)
      | (?P<colon>[:=])
      | (?P<quote>["'])
      | (?P<word>[\w.+-]+)""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SPACE = re.compile(r"[ \t\r\n]*")
_ODD = r"""
    | (?P<odd>[\x00-\x1f]|\\x[0-9a-fA-F]{2}|\\[^"\\/bfnrtux\x00-\x1f]|\\\n)
"""
_VALID_ESCAPE = r'\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}'
_CONTENT = {
    '"': re.compile(rf'(?P<plain>[^"\\\x00-\x1f]+|{_VALID_ESCAPE}){_ODD}', re.VERBOSE),
    "'": re.compile(
        rf"""(?P<plain>[^'"\\\x00-\x1f]+|{_VALID_ESCAPE}){_ODD}|(?P<quote>")""", re.VERBOSE
    ),
}
_PLAIN = re.compile(r'[^"\\\x00-\x1f]+')
_STRUCTURE = re.compile(r'["{}\[\]()]')
_IN_STRING = re.compile(r'["\\]')
