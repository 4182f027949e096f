"""Turn the near misses that an engine lets a model write into JSON, whole or while they stream.

lm-format-enforcer 0.10.1 keeps to a schema, but not to JSON's finer rules: a comma may stand before
the end of an object or after the opening of an array, a number may begin with zeros or with its
point, a string may hold a tab, and up to twelve characters of white space follow any token.
"""

from __future__ import annotations

import json
import re

from .restore_stream import StreamRestorer

__all__ = ["JsonMender", "MendingRestorer", "mended"]


def mended(text: str) -> str:
    """Return a whole text as JSON, without white space between its tokens.

    Args:
        text: The text; if it is not nearly JSON it comes out as it is.
    """
    mender = JsonMender()
    return mender.feed(text) + mender.flush()


class JsonMender:
    """Mend a JSON text, piece by piece.

    What comes out does not depend on where the text is cut into pieces. Held back are a comma until
    the next token, the beginning of a number until its first digit, and white space. From where the
    text is not nearly JSON it comes out as it is.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._last = ""  # the kind of the last token; "open" is that of a bracket
        self._held = ""  # a comma and white space, as they came
        self._number: str | None = None  # a sign and zeros, of which the next character decides
        self._in_string = self._is_escaped = self._is_broken = False
        self._out: list[str] = []

    def feed(self, text: str) -> str:
        """Take the next piece of the text, and return what can come out.

        Args:
            text: The piece.
        """
        position = 0
        while position < len(text) and not self._is_broken:
            position = self._read(text, position)
        self._out.append(text[position:])
        out, self._out = "".join(self._out), []
        return out

    def flush(self) -> str:
        """End the text, and return what was still held back."""
        self._end_number()
        is_whole = self._last and self._depth == 0 and "," not in self._held
        out = "".join(self._out) + ("" if is_whole else self._held)
        self._out, self._held = [], ""
        return out

    def _read(self, text: str, position: int) -> int:
        if self._in_string:
            return self._read_string(text, position)
        if self._number is not None:
            return self._read_number(text, position)
        found = _TOKEN.match(text, position)
        assert found is not None  # every character belongs to a token
        kind, token = found.lastgroup or "", found[0]
        if kind == "space":
            self._held += token
            return found.end()
        if kind == "word" and self._last == "word" and not self._held:
            self._out.append(token)  # it goes on from the piece before
            return found.end()
        if not self._may_follow(kind):
            self._is_broken = True
            self._out.append(self._held)
            self._held = ""
            return position
        if kind == "comma":
            if self._last == "open":
                return found.end()
            self._held += token
            self._last = "comma"
            return found.end()
        return self._take(kind, token, found.start(), found.end())

    def _take(self, kind: str, token: str, start: int, end: int) -> int:
        if "," in self._held and kind != "close":
            self._out.append(",")
        self._held, self._last = "", kind
        if kind == "word" and token[0] in "-.0":
            self._number = ""
            return start
        self._out.append(token)
        self._depth += (kind in _OPENINGS) - (kind == "close")
        self._in_string = kind == "quote"
        return end

    def _may_follow(self, kind: str) -> bool:
        """Return whether a token of this kind may stand here in what is nearly JSON."""
        if not self._last:
            return kind in _VALUES
        if self._depth == 0:
            return False
        return kind in _FOLLOWERS[self._last]

    def _read_string(self, text: str, position: int) -> int:
        if self._is_escaped:
            self._is_escaped = False
            self._out.append(text[position])
            return position + 1
        found = _IN_STRING.match(text, position)
        if found is not None:
            self._out.append(found[0])
            return found.end()
        character = text[position]
        if character == '"':
            self._in_string, self._last = False, "text"
        self._is_escaped = character == "\\"
        self._out.append(json.dumps(character)[1:-1] if character < " " else character)
        return position + 1

    def _read_number(self, text: str, position: int) -> int:
        character = text[position]
        if character in "-0" and not (character == "-" and self._number):
            self._number = (self._number or "") + character
            return position + 1
        self._end_number(character)
        return position

    def _end_number(self, following: str = "") -> None:
        """Write the beginning of a number, without needless zeros."""
        if self._number is not None:
            sign, zeros = self._number[:1].strip("0"), self._number.lstrip("-")
            needs_zero = following == "." or (zeros and not following.isdigit())
            self._out.append(sign + ("0" if needs_zero else ""))
        self._number = None


class MendingRestorer:
    """Mend a JSON text, piece by piece, and then restore it.

    Args:
        restorer: What restores the mended text.
    """

    def __init__(self, restorer: StreamRestorer) -> None:
        self._mender = JsonMender()
        self._restorer = restorer

    def feed(self, text: str) -> str:
        """Take the next piece of the text, and return what can come out.

        Args:
            text: The piece.
        """
        return self._restorer.feed(self._mender.feed(text))

    def flush(self) -> str:
        """End the text, and return what was still held back."""
        return self._restorer.feed(self._mender.flush()) + self._restorer.flush()


_TOKEN = re.compile(
    r"""(?P<space>\s+) | (?P<open>\[) | (?P<brace>\{) | (?P<close>[}\]]) | (?P<colon>:)
    | (?P<comma>,) | (?P<quote>") | (?P<word>[^\s{}\[\]:,"]+)""",
    re.VERBOSE,
)
_IN_STRING = re.compile(r'[^"\\\x00-\x1f]+')
_OPENINGS = frozenset({"brace", "open"})
_VALUES = _OPENINGS | {"quote", "word"}
_ENDS = frozenset({"close", "comma"})
_FOLLOWERS = {
    "open": _VALUES | _ENDS,
    "brace": frozenset({"quote", "close"}),
    "close": _ENDS,
    "colon": _VALUES,
    "comma": _VALUES | {"close"},
    "text": _ENDS | {"colon"},
    "word": _ENDS,
}
