"""Read an answer as text or tool calls while it streams.

Text flows at once; what may be the beginning of a call is held back until it is known to be one.
Reads the ways in which models write calls: a JSON object ``{"name", "parameters" or
"arguments"}``, several of them or an array, ``<tool_call>``, ``[TOOL_CALLS]``, ``<|python_tag|>``
and fenced JSON. However the text is cut into pieces, the text and the calls are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum, auto

from monster_core.response.tool_call_header import Verdict, inspect_call, whole_call
from monster_core.response.tool_call_opening import CLOSING_MARKS, OPENERS, find_opening
from monster_core.response.types import ToolCallDelta

__all__ = ["ToolCallParser"]


class _State(Enum):
    TEXT = auto()  # what arrives is text until something opens
    OPENED = auto()  # the buffer begins with what may open a call
    ARGUMENTS = auto()  # inside the arguments of a call, which stream
    HELD = auto()  # inside an object that can only be judged when it is closed
    BEHIND = auto()  # right behind the arguments: the object goes on, unless its brace is missing
    CLOSING = auto()  # behind the arguments, before the call's object is closed
    BETWEEN = auto()  # behind a call: separators, closing marks, another call, or text


class ToolCallParser:
    """Separate text from calls, piece by piece.

    The deltas carry no id: an answer's id names its calls.

    Args:
        names: The tools that can be called; an object with another name is text, unless a mark
            such as ``<tool_call>`` says that it is a call.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._state = _State.TEXT
        self._buffer = ""
        self._held_at = 0  # where in the buffer a held object begins, behind what opened it
        self._looked = 0  # how much of the buffer is known not to end a held object
        self._depth = _Depth()
        self._outer = 0  # braces around the arguments of the present call
        self._space = ""  # white space before anything else: text follows, or it is dropped
        self._is_marked = False
        self._has_text = False
        self._calls = 0
        self._texts: list[str] = []
        self._deltas: list[ToolCallDelta] = []
        self._is_end = False

    def feed(self, text: str) -> tuple[str, list[ToolCallDelta]]:
        """Take the next piece of the answer.

        Args:
            text: The piece.

        Returns:
            What is certainly text, and the pieces of calls.
        """
        for start in range(0, len(text), _SLICE):
            self._buffer += text[start : start + _SLICE]
            self._go_on()
        return self._given()

    def flush(self) -> tuple[str, list[ToolCallDelta]]:
        """Take the end of the answer.

        Returns:
            What was still held back: text, or a call that was cut short.
        """
        self._is_end = True
        self._go_on()
        if self._space:  # there was nothing but white space
            self._texts.append(self._space)
            self._space = ""
        return self._given()

    def _go_on(self) -> None:
        while self._buffer and _STEPS[self._state](self):
            pass

    def _given(self) -> tuple[str, list[ToolCallDelta]]:
        given = "".join(self._texts), self._deltas
        self._texts, self._deltas = [], []
        return given

    # Each of these reads the beginning of the buffer, and returns whether to go on.

    def _read_text(self) -> bool:
        if not self._has_text:
            text = self._buffer.lstrip()
            self._space += self._buffer[: len(self._buffer) - len(text)]
            self._buffer = text
        opener = _OPENER.search(self._buffer)
        self._give(opener.start() if opener else len(self._buffer))
        if opener:
            self._state = _State.OPENED
        return opener is not None

    def _read_opened(self) -> bool:
        seen = self._buffer[:_LONGEST_HEADER]
        is_long = len(seen) == _LONGEST_HEADER
        opening = find_opening(seen)
        if opening.kind == "undecided" and not (self._is_end or is_long):
            return False
        if opening.kind != "open":
            return self._refuse(opening.length)
        is_marked = self._is_marked or opening.is_marked
        verdict = inspect_call(seen[opening.brace_at :], self._names, is_marked=is_marked)
        if verdict.kind == "undecided" and not (self._is_end or is_long):
            return False
        is_nameless = verdict.kind == "undecided" and (is_long or not verdict.name)
        if verdict.kind == "refused" or is_nameless:
            return self._refuse(opening.brace_at or 1 if opening.is_marked else 1)
        self._is_marked = is_marked
        self._open(verdict, opening.brace_at)
        return True

    def _open(self, verdict: Verdict, brace_at: int) -> None:
        if verdict.kind == "held":
            self._state, self._depth = _State.HELD, _Depth()
            self._held_at = self._looked = brace_at
        elif verdict.kind == "call":
            self._begin_call(verdict.name, "")
            self._buffer = self._buffer[brace_at + verdict.arguments_at :]
            self._state, self._depth, self._outer = _State.ARGUMENTS, _Depth(), verdict.depth
        else:  # cut behind its name: arguments that cannot be parsed, never none at all
            self._begin_call(verdict.name, "{")
            self._buffer = ""

    def _read_arguments(self) -> bool:
        end = self._depth.end_of(self._buffer)
        length = len(self._buffer) if end is None else end
        self._deltas.append(ToolCallDelta(self._calls - 1, None, None, self._buffer[:length]))
        self._buffer = self._buffer[length:]
        if end is not None:
            self._state, self._depth = _State.BEHIND, _Depth(self._outer)
        return end is not None

    def _read_held(self) -> bool:
        end = self._depth.end_of(self._buffer, self._looked)
        self._looked = len(self._buffer)
        if end is None:
            if self._is_end:
                self._refuse(len(self._buffer))
            return False
        call = whole_call(self._buffer[self._held_at : end], self._names, is_marked=self._is_marked)
        if call is None:
            return self._refuse(end)
        self._begin_call(*call)
        self._buffer, self._state = self._buffer[end:], _State.BETWEEN
        return True

    def _read_behind(self) -> bool:
        self._buffer = self._buffer.lstrip()
        if not self._buffer:
            return False
        self._state = _State.CLOSING if self._buffer[0] in ",}" else _State.BETWEEN
        return True

    def _read_closing(self) -> bool:
        end = self._depth.end_of(self._buffer)
        self._buffer = "" if end is None else self._buffer[end:]
        if end is not None:
            self._state = _State.BETWEEN
        return end is not None

    def _read_between(self) -> bool:
        skipped = _BETWEEN.match(self._buffer)
        self._buffer = self._buffer[skipped.end() :] if skipped else self._buffer
        if any(mark.startswith(self._buffer) for mark in CLOSING_MARKS):
            if self._is_end:
                self._buffer = ""
            return False
        self._state = _State.TEXT
        self._has_text = True
        return True

    def _begin_call(self, name: str, arguments: str) -> None:
        self._deltas.append(ToolCallDelta(self._calls, None, name, arguments))
        self._calls += 1
        self._space = ""

    def _refuse(self, length: int) -> bool:
        """Give out as text what opened nothing, and look for another opening behind it."""
        self._state = _State.TEXT
        self._give(length)
        return True

    def _give(self, length: int) -> None:
        if length:
            self._texts.append(self._space + self._buffer[:length])
            self._buffer, self._space = self._buffer[length:], ""
            self._has_text, self._is_marked = True, False


class _Depth:
    """Find where a JSON value ends, over any number of pieces, looking at each sign once."""

    __slots__ = ("_depth", "_in_string", "_is_escaped")

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._in_string = False
        self._is_escaped = False

    def end_of(self, piece: str, start: int = 0) -> int | None:
        """Read the next piece of the value; return where it ends in it, or None."""
        position = start
        if self._is_escaped and position < len(piece):
            self._is_escaped, position = False, position + 1
        while found := (_IN_STRING if self._in_string else _STRUCTURE).search(piece, position):
            position, sign = found.end(), found[0]
            if sign == '"':
                self._in_string = not self._in_string
            elif sign == "\\":
                self._is_escaped = position == len(piece)
                position += 1
            elif sign in "{[":
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth <= 0:
                    return position
        return None


_SLICE = 4096  # characters looked at together: the buffer stays short, however long the piece
_LONGEST_HEADER = 1000  # characters: what is not known to be a call by then is text
_OPENER = re.compile(f"[{re.escape(OPENERS)}]")
_BETWEEN = re.compile(r"(?:[\s;,\]]|</tool_call>|<\|eom_id\|>|```(?=[^a-z`]))+")
_STRUCTURE = re.compile(r'["{}\[\]]')
_IN_STRING = re.compile(r'["\\]')

_STEPS = {
    _State.TEXT: ToolCallParser._read_text,
    _State.OPENED: ToolCallParser._read_opened,
    _State.ARGUMENTS: ToolCallParser._read_arguments,
    _State.HELD: ToolCallParser._read_held,
    _State.BEHIND: ToolCallParser._read_behind,
    _State.CLOSING: ToolCallParser._read_closing,
    _State.BETWEEN: ToolCallParser._read_between,
}
