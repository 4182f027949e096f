"""Separate the tool calls in a response's text from the text, while it streams.

The forms of calls are a table: ``tool_call_forms.py``. Here is how a text is read, whatever forms
it uses. However the text is cut into pieces, the text and the calls that come out are the same.

Text is given at once, except for what may open a call: it is held back until that is known. A call
is certain, and its arguments are given as they arrive, if a mark such as ``<tool_call>`` announces
it or if the response begins with it. Any other call is held back until it is known what follows it:

* In a text that goes on after it, a call without a mark is an example: it stays text, and so do
  further ones. So does a marked call in the middle of a sentence, or before the end of thoughts
  (``</think>``).
* A call without a mark after ``=``, ``(``, a quote or ``>`` is a part of code, or quoted: text.
* A call in inline code, or of a tool that does not exist, is one only if it stands alone.
* A JSON object that has other members than a call, the definition of a tool, code in a fence of
  another language, a call in a ``<think>`` block, and a JSON value that contains a call are text.

What is held back is dropped only where it is the notation of calls that were read: marks, fences,
separators, end tokens, and white space around them. In a ``<think>`` block before calls, too, the
marks of drafted calls are dropped. A turn of the user or of a tool that the model makes up after
its calls is dropped. Everything else comes out as text.

A call that is cut comes out with arguments that are not JSON, so that it is never run.
"""

from __future__ import annotations

import logging
import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from monster_core.json_values import read_json, write_json
from monster_core.response.lenient_json import LenientJson
from monster_core.response.tool_call_forms import (
    ARGUMENT_KEYS,
    CALL_LIST_KEYS,
    CLOSERS,
    ID_END,
    ID_MARK,
    MARKS,
    NAME_KEYS,
    SPECIAL_MARKS,
    THOUGHTS,
    TURNS,
    XML_CLOSERS,
    XML_PARAMETERS,
)
from monster_core.response.tool_call_opening import (
    Opening,
    Tools,
    find_line_head,
    find_opening,
    longest,
    skip_space,
)
from monster_core.response.types import ToolCallDelta

__all__ = ["ToolCallParser"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Block:
    """Hold the block of calls that is being read.

    Attributes:
        opening: What opened it, and with it its first call.
        in_sentence: Whether it stands in a line that is not a whole sentence.
        goes_on: Whether the sentence before it has not ended, though its line may have.
        is_certain: Whether its calls are certainly calls.
        is_example: Whether it is text if any text follows.
        is_fenced: Whether a code fence has not been closed.
        has_calls: Whether a call of it has ended.
        raw: Its text up to the present call, while it is not certain.
        held: Its calls, while it is not certain.
        between: What has been skipped since its last call.
    """

    opening: Opening
    in_sentence: bool = False
    goes_on: bool = False
    is_certain: bool = False
    is_example: bool = False
    is_fenced: bool = False
    has_calls: bool = False
    raw: list[str] = field(default_factory=list)
    held: list[tuple[str, str]] = field(default_factory=list)
    between: str = ""


@dataclass(slots=True)
class _Call:
    """Hold the call that is being read.

    Attributes:
        own: Its text, while its arguments do not stream.
        json: What reads its object, or its arguments.
        pieces: The JSON of these.
        length: How long the pieces are.
        name: Its name, once it is known.
        after_name: What follows the name where it stands outside of JSON.
        members: The members of its object so far.
        arguments_at: Where the arguments begin in the object's JSON.
        arguments_end: Where they end in it.
        streams: Whether its arguments are given as they arrive.
        is_streamed: Whether all of its arguments have been given so.
        is_judged: Whether it has been decided if they stream.
        is_first: Whether its first XML parameter has not been given.
        searched: How much of the buffer is known not to end an XML parameter.
    """

    own: list[str] = field(default_factory=list)
    json: LenientJson = field(default_factory=LenientJson)
    pieces: list[str] = field(default_factory=list)
    length: int = 0
    name: str | None = None
    after_name: str = ""
    members: dict[str, Any] = field(default_factory=dict)
    arguments_at: int | None = None
    arguments_end: int | None = None
    streams: bool = False
    is_streamed: bool = False
    is_judged: bool = False
    is_first: bool = True
    searched: int = 0


class ToolCallParser:
    """Separate text from calls, piece by piece. The deltas carry no id.

    Args:
        names: The tools that can be called.
        parameters: The JSON schemas of the tools' parameters, by the tools' names, where they are
            known: forms without names or without quotes need them.
    """

    def __init__(self, names: Iterable[str], parameters: Mapping[str, Any] | None = None) -> None:
        self._tools = Tools(names, parameters or {})
        self._buffer = ""
        self._is_end = False
        self._step: Callable[[], bool] = self._read_text
        self._texts: list[str] = []
        self._deltas: list[ToolCallDelta] = []
        self._calls = 0
        # the text that has been given
        self._space = ""  # white space before anything else: text follows, or it is dropped
        self._has_text = False
        self._last_text = ""  # its last piece that is more than spaces
        self._last_character = ""  # its last one that is not white space
        self._has_examples = False  # a call without a mark turned out to be text
        self._flows = False  # what arrives is text unless something opens in it
        self._draft = ""  # thoughts from a drafted call on: given once it is known what follows
        self._closing = ""  # what ends the code or the thoughts that the text is in
        self._value = LenientJson()  # the JSON value that the text is in
        # the block of calls, and its call, that are being read
        self._block = _Block(Opening("refused"))
        self._call = _Call()

    @property
    def tools(self) -> Tools:
        """The tools that can be called."""
        return self._tools

    def feed(self, text: str) -> tuple[str, list[ToolCallDelta]]:
        """Take the next piece of the text.

        Args:
            text: The piece.

        Returns:
            What is certainly text, and the pieces of calls.
        """
        if self._flows and not _OPENER.search(text):
            self._note(text)
            return text, []
        is_open = self._call.streams and not (self._call.is_streamed or self._buffer)
        if is_open and self._call.json.is_plain(text):
            return "", [ToolCallDelta(self._calls - 1, None, None, text)]
        if len(text) <= _SLICE_CHARS:
            self._buffer += text
            self._go_on()
        else:
            for start in range(0, len(text), _SLICE_CHARS):
                self._buffer += text[start : start + _SLICE_CHARS]
                self._go_on()
        if self._buffer or not self._has_text or self._draft:
            self._flows = False
        else:
            self._flows = self._step == self._read_text
        return self._given()

    def flush(self) -> tuple[str, list[ToolCallDelta]]:
        """Take the end of the text.

        Returns:
            What was still held back: text, or calls.
        """
        self._is_end = True
        self._go_on()
        self._give_draft(is_kept=True)
        if self._space:  # there was nothing but white space
            self._texts.append(self._space)
            self._space = ""
        return self._given()

    def _go_on(self) -> None:
        while self._step():
            pass

    def _given(self) -> tuple[str, list[ToolCallDelta]]:
        given = "".join(self._texts), self._deltas
        self._texts, self._deltas = [], []
        return given

    # Text. Each step reads the beginning of the buffer, and returns whether to go on.

    def _read_text(self) -> bool:
        if not self._has_text:
            text = self._buffer.lstrip(_LEADING)
            self._space += self._buffer[: len(self._buffer) - len(text)]
            self._buffer = text
            if _BEGINNING.match(text):
                return self._open()
        opener = _OPENER.search(self._buffer)
        self._give(opener.start() if opener else len(self._buffer))
        return self._open() if opener else False

    def _open(self) -> bool:
        """Begin a block of calls, thoughts or code if one begins here."""
        if not self._has_text:
            opening = longest(THOUGHTS, self._buffer)
            if opening:
                self._closing, self._step = THOUGHTS[opening], self._read_thoughts
                self._give(len(opening))
                return True
            if not self._is_end and any(one.startswith(self._buffer) for one in THOUGHTS):
                return False
        found = self._find_line_head()
        if found.kind == "refused" and self._buffer[0] != "\n":
            found = self._find_opening(is_alone=not self._has_text)
        if found.kind == "wait":
            return False
        if found.kind == "refused":
            return self._refuse(0 if _JSON_VALUE.match(self._buffer) else None)
        line = self._last_text.rpartition("\n")[2].rstrip()
        if line and line[-1] in _CODE_BEFORE and not found.is_marked:
            return self._refuse(0 if _JSON_VALUE.match(self._buffer) else None)
        self._block = _Block(
            found,
            in_sentence=bool(line) and line[-1] not in _SENTENCE_ENDS,
            goes_on=self._last_character.isalnum() or self._last_character == ",",
        )
        self._begin_call(found)
        return True

    def _find_opening(self, *, is_alone: bool, block: Opening | None = None) -> Opening:
        seen = self._buffer[:_MAX_UNDECIDED_CHARS]
        is_end = self._is_end or len(seen) == _MAX_UNDECIDED_CHARS
        return find_opening(seen, self._tools, is_alone=is_alone, is_end=is_end, block=block)

    def _find_line_head(self) -> Opening:
        """Judge whether a call begins that may begin in any line of a text."""
        start = self._buffer.startswith("\n")
        if not start and self._has_text:
            return Opening("refused")
        seen = self._buffer[start:_MAX_UNDECIDED_CHARS]
        is_end = self._is_end or len(self._buffer) >= _MAX_UNDECIDED_CHARS
        found = find_line_head(seen, self._tools, is_end=is_end)
        found.position += start
        return found

    def _refuse(self, value_at: int | None) -> bool:
        """Give as text what opens no call, and go on after its beginning.

        Args:
            value_at: Where a JSON value begins in it; None if none does.
        """
        text, self._step = self._buffer, self._read_text
        code = _CODE.match(text)
        special = "" if self._has_text or value_at else longest(SPECIAL_MARKS, text)
        if code:
            if code.end() == len(text) and not self._is_end:
                return False  # there may be more backticks
            self._closing, self._step = code[0], self._read_code
            self._give(code.end())
        elif special and text[len(special) :].strip():
            self._space, self._buffer = "", text[len(special) :].lstrip()
        elif value_at is not None:
            self._value, self._step = LenientJson(), self._read_value
            self._give(value_at)
        else:
            word = _WORD.match(text)
            self._give(word.end() if word else max(len(longest(MARKS, text)), 1))
        return True

    def _read_code(self) -> bool:
        """Give code as text: up to the fence that closes it, or up to the end of the line."""
        is_inline = len(self._closing) < 3
        closing = self._closing if is_inline else "```"
        found = re.search(rf"{closing}|\n" if is_inline else closing, self._buffer)
        if found is not None:
            self._give(found.start() if found[0] == "\n" else found.end())
            self._step = self._read_text
            return True
        kept = 0 if self._is_end else _begun(self._buffer, (closing,))
        self._give(len(self._buffer) - kept)
        return False

    def _read_value(self) -> bool:
        """Give a JSON value as text: a call in it is a part of the value."""
        position = 0
        while position < len(self._buffer) and not self._value.is_closed:
            after = self._value.step(self._buffer, position, is_end=self._is_end)
            if self._value.is_stray or self._value.is_broken:
                self._value.is_closed = True
            elif after == position:
                break
            position = after
        self._value.take()
        if self._is_end and not self._value.is_closed:
            position = len(self._buffer)
        self._give(position)
        if self._value.is_closed:
            self._step = self._read_text
        return self._value.is_closed

    def _read_thoughts(self) -> bool:
        """Give thoughts as text; from the draft of a call on, hold them."""
        end = self._buffer.find(self._closing)
        limit = end if end >= 0 else len(self._buffer)
        draft = None if self._draft else _DRAFT.search(self._buffer, 0, limit)
        if draft is not None:
            self._give(draft.start())
            self._draft, self._buffer = self._buffer[: len(draft[0])], self._buffer[len(draft[0]) :]
            return True
        if end >= 0 or self._is_end:
            self._give_thoughts(len(self._buffer) if end < 0 else end + len(self._closing))
            self._step, self._has_text, self._last_text = self._read_text, False, ""
            return end >= 0
        begun = _begun(self._buffer, (self._closing,) if self._draft else (self._closing, *MARKS))
        fence = None if self._draft else _FENCE_BEGUN.search(self._buffer)
        self._give_thoughts(
            min(len(self._buffer) - begun, fence.start() if fence else _SLICE_CHARS)
        )
        return False

    def _give_thoughts(self, length: int) -> None:
        if self._draft:
            self._draft += self._buffer[:length]
            self._buffer = self._buffer[length:]
        else:
            self._give(length)

    def _give_draft(self, *, is_kept: bool) -> None:
        if self._draft:
            self._texts.append(self._draft if is_kept else _NOTATION.sub("", self._draft))
            self._draft = ""

    def _give(self, length: int) -> None:
        text, self._buffer = self._buffer[:length], self._buffer[length:]
        self._give_text(text)

    def _give_text(self, text: str) -> None:
        if text:
            self._give_draft(is_kept=True)
            self._texts.append(self._space + text)
            self._space, self._has_text = "", True
            self._note(text)

    def _note(self, text: str) -> None:
        said = text.rstrip()
        if said:
            self._last_text, self._last_character = text, said[-1]
        elif "\n" in text:
            self._last_text = text

    # A call of a block

    def _begin_call(self, found: Opening) -> None:
        self._block.is_fenced = self._block.is_fenced or found.fence is not None
        self._block.opening.is_marked = self._block.opening.is_marked or found.is_marked
        self._call = _Call()
        self._take(found.position)
        if found.head is None:
            self._step = self._read_object
            return
        name = self._tools.fitting(found.name) or found.name.replace("\\", "")
        self._call.name, self._call.after_name = name, found.head.after
        if found.head.arguments == "python":
            self._call.json = LenientJson([*self._tools.properties(name)])
        is_xml = found.head.arguments == "xml"
        self._step = self._read_elements if is_xml else self._read_arguments

    def _take(self, length: int) -> None:
        """Take a part of the buffer as a part of the call."""
        call = self._call
        if not call.streams:
            call.own.append(self._buffer[:length])
        self._buffer = self._buffer[length:]

    def _decide(self, *, is_tool: bool) -> bool:
        """Decide whether the block is certain, now that a call of it is known."""
        if not self._block.has_calls and not self._block.is_certain:
            found = self._block.opening
            if found.is_marked and found.fence is None and not found.is_inline:
                self._block.is_certain = not (self._block.in_sentence or self._block.goes_on)
            else:
                is_bare = found.head is not None and not found.is_marked
                self._block.is_certain = is_tool and not (
                    self._has_text or found.is_inline or is_bare
                )
        return self._block.is_certain

    def _stream(self, arguments: str) -> None:
        """Begin to give a call's arguments as they arrive."""
        call = self._call
        call.streams, call.own = True, []
        self._begin_deltas(call.name or "", arguments)

    def _begin_deltas(self, name: str, arguments: str) -> None:
        self._give_draft(is_kept=False)
        self._space = ""
        self._deltas.append(ToolCallDelta(self._calls, None, name, arguments))
        self._calls += 1

    def _add(self, json: str) -> None:
        """Add a piece of the JSON of the call's object or arguments."""
        call = self._call
        if not call.streams:
            call.pieces.append(json)
            call.length += len(json)
        elif json and not call.is_streamed:
            self._deltas.append(ToolCallDelta(self._calls - 1, None, None, json))

    def _end_call(self, calls: Iterable[tuple[str, str]] = ()) -> bool:
        """Go on after a call.

        Args:
            calls: The calls that have not been streamed, each with its name and its arguments.
        """
        call = self._call
        for name, arguments in calls:
            if self._block.is_certain:
                self._begin_deltas(name, arguments)
            else:
                self._block.held.append((name, arguments))
        if not self._block.is_certain:
            self._block.raw += call.own
        call.own, self._block.between, call.streams = [], "", False
        self._block.has_calls, self._step = True, self._read_between
        return True

    def _refuse_call(self) -> bool:
        """Give back what is not a call."""
        call = self._call
        value_at = None
        if self._block.opening.head is None:
            before = call.own[0]
            value_at = len(before.rstrip(" \t\r\n[")) if "[" in before else len(before)
        self._buffer = "".join(call.own) + self._buffer
        call.own = []
        return self._end_block() if self._block.has_calls else self._refuse(value_at)

    # After a call

    def _read_between(self) -> bool:
        is_inside = self._block.in_sentence and not (
            self._block.opening.is_marked or self._block.between
        )
        if is_inside and self._buffer.startswith(_CODE_AFTER):
            return self._end_block()
        skipped = _SEPARATORS.match(self._buffer)
        if skipped is not None:
            self._skip(skipped.end())
        text = self._buffer
        if not text:
            return self._end_block() if self._is_end else False
        closer = longest(CLOSERS, text)
        begun = (one for one in (*CLOSERS, *TURNS) if one != closer and one.startswith(text))
        if not self._is_end and any(begun):
            return False
        if closer:
            self._skip(len(closer))
        elif (
            text[0] in _STRAY
            and len(self._block.between) < 8
            and not self._block.between.strip(_STRAY)
        ):
            self._skip(1)
        elif longest(TURNS, text):
            self._release()
            self._step = self._drop
            _log.debug("The model went on as another speaker after its calls: this is dropped.")
        elif text.startswith("`") and (self._block.is_fenced or self._block.opening.is_inline):
            return self._close_code()
        else:
            return self._read_next()
        return True

    def _skip(self, length: int) -> None:
        skipped, self._buffer = self._buffer[:length], self._buffer[length:]
        self._block.between += skipped
        if not self._block.is_certain:
            self._block.raw.append(skipped)

    def _close_code(self) -> bool:
        if self._block.opening.is_inline:
            self._skip(1)
            return True
        if "```".startswith(self._buffer) and len(self._buffer) < 3 and not self._is_end:
            return False
        if not self._buffer.startswith("```"):
            return self._end_block()
        self._block.is_fenced = False
        self._skip(3)
        return True

    def _drop(self) -> bool:
        self._buffer = ""
        return False

    def _read_next(self) -> bool:
        """Go on with another call of the block, or end the block."""
        found = self._find_opening(is_alone=True, block=self._block.opening)
        if found.kind == "wait":
            return False
        if found.kind != "refused":
            self._begin_call(found)
        elif self._is_end and found.position >= len(self._buffer):
            self._skip(len(self._buffer))  # a mark that opens nothing more
        else:
            return self._end_block()
        return True

    def _end_block(self) -> bool:
        """End the block, at the end or before text, and decide whether it was one of calls."""
        found = self._block.opening
        is_quoted = self._has_text and found.is_inline
        is_further = self._has_examples and not found.is_marked
        if self._block.held and (is_quoted or is_further or (self._buffer and self._is_text())):
            self._has_examples = self._has_examples or not (found.is_inline or found.is_marked)
            self._block.held = []
            self._give_text("".join(self._block.raw))
        self._release()
        self._step = self._read_text
        return bool(self._buffer)

    def _release(self) -> None:
        for name, arguments in self._block.held:
            self._begin_deltas(name, arguments)
        if self._block.held or self._block.is_certain:
            self._has_text, self._last_text = True, ""
        self._block.held, self._block.raw = [], []

    def _is_text(self) -> bool:
        """Return whether a block that is not certain is text, since text follows it."""
        found, is_same_line = self._block.opening, "\n" not in self._block.between
        if self._block.is_example or self._buffer.startswith(tuple(THOUGHTS.values())):
            return True
        if found.is_inline:
            return is_same_line
        if found.is_marked and found.fence is None:
            return is_same_line or (self._block.goes_on and self._buffer[0].islower())
        is_link = self._block.between[-1:] == "]" and self._buffer[0] == "("  # of Markdown
        return self._has_text or (found.head is not None and (is_link or not found.is_list))

    # A call that is a JSON object

    def _read_object(self) -> bool:
        position, json = 0, self._call.json
        while position < len(self._buffer) and not json.is_closed:
            after = json.step(self._buffer, position, is_end=self._is_end)
            if after == position and not json.is_stray:
                break
            position = after
            is_call = self._take_stray() if json.is_stray else self._take_token()
            if not is_call or (self._call.length > _MAX_UNDECIDED_CHARS and self._is_unknown):
                self._take(position)
                return self._refuse_call()
        self._take(position)
        if json.is_closed:
            return self._end_object()
        return self._cut_object() if self._is_end else False

    @property
    def _is_unknown(self) -> bool:
        """Whether neither a name nor arguments have arrived."""
        return self._call.name is None and self._call.arguments_at is None and not self._holds_calls

    @property
    def _holds_calls(self) -> bool:
        return any(key in self._call.members for key in CALL_LIST_KEYS)

    def _take_stray(self) -> bool:
        """Handle what cannot follow; return whether the object may still be a call."""
        call = self._call
        json, is_marked = call.json, self._block.opening.is_marked
        has_none = is_marked and call.name is not None and call.arguments_at is None
        is_whole = call.is_streamed or call.arguments_end is not None or has_none
        if json.depth == 1 and json.may_end and is_whole:
            json.close()  # only the closing brace is missing
            self._add(json.take())
        elif is_marked or (call.name is not None and call.arguments_at is not None):
            call.name = call.name or self._name_of_cut("".join(call.pieces))
            if call.name is None:
                return False
            json.break_off()
        else:
            return False
        return True

    def _take_token(self) -> bool:
        """Look at the token that has been read; return whether the object may still be a call."""
        call = self._call
        json = call.json
        piece = json.take()
        self._add(piece)
        if call.streams:
            call.is_streamed = call.is_streamed or json.depth <= 1
        elif piece == ":" and json.last == "colon" and not json.is_broken:
            if json.depth == 1:
                return self._take_key()
            if json.depth == 2 and self._may_stream():
                self._stream("".join(call.pieces)[call.arguments_at :].lstrip())
        elif json.depth == 1 and call.arguments_at is not None and call.arguments_end is None:
            call.arguments_end = call.length if json.last == "close" else None
        return True

    def _take_key(self) -> bool:
        """Judge the object by its members up to the key that has arrived."""
        call = self._call
        if len(call.members) > _MAX_MEMBERS:
            return True
        text = "".join(call.pieces)
        try:
            call.members = read_json(text + "null}")
        except ValueError:
            return False
        key = next(reversed(call.members))
        if key in ARGUMENT_KEYS and call.arguments_at is None:
            call.arguments_at = len(text)
        known = {one: value for one, value in call.members.items() if one != key}
        call.name = self._name_of(known)
        if self._block.opening.is_marked or self._holds_calls:
            return True
        is_tool = call.name is None or self._tools.fitting(call.name) is not None
        if not is_tool and (self._has_text or self._block.opening.is_inline):
            return False
        name_key = next((one for one in NAME_KEYS if one in call.members), "")
        known.setdefault(key, "function")
        return self._tools.is_plausible(known, name_key, is_tool)

    def _name_of(self, members: Mapping[str, Any]) -> str | None:
        named = (members[key] for key in NAME_KEYS if isinstance(members.get(key), str))
        name = next(named, "").replace("\\", "")
        return self._tools.fitting(name) or name or None

    def _may_stream(self) -> bool:
        """Return whether the arguments can be given as they arrive, by their first key."""
        call = self._call
        is_argument = next(reversed(call.members), None) in ARGUMENT_KEYS
        if call.is_judged or call.name is None or not is_argument:
            return False
        call.is_judged = True
        try:
            arguments = read_json("".join(call.pieces)[call.arguments_at :] + "null}")
        except ValueError:  # there are arguments twice
            return False
        key = next(iter(arguments), "")
        if key in _SCHEMA_KEYS and key not in self._tools.properties(call.name):
            return False  # it may be the definition of a tool
        return self._decide(is_tool=self._tools.fitting(call.name) is not None)

    def _end_object(self) -> bool:
        call = self._call
        if call.streams:
            return self._end_call()
        text, is_marked = "".join(call.pieces), self._block.opening.is_marked
        try:
            calls = self._tools.calls_of(read_json(text), is_marked=is_marked)
        except ValueError:
            calls = self._broken_call(text)
        if not calls:
            return self._refuse_call()
        written = text[call.arguments_at : call.arguments_end].strip()
        if call.arguments_end is not None and len(calls) == 1 and written.startswith("{"):
            calls = [(calls[0][0], written)]  # as the model wrote them
        is_tool = all(self._tools.fitting(name) is not None for name, _ in calls)
        self._decide(is_tool=is_tool)
        self._block.is_example = self._block.is_example or not (is_tool or is_marked)
        return self._end_call(calls)

    def _broken_call(self, text: str) -> list[tuple[str, str]]:
        """Return the call of an object that is not JSON: it must not be run."""
        call = self._call
        if call.name is None or not (
            call.arguments_at is not None or self._block.opening.is_marked
        ):
            return []
        return [(call.name, text[call.arguments_at or 0 :].strip())]

    def _cut_object(self) -> bool:
        """End an object that ends before it is closed."""
        call = self._call
        json, text = call.json, "".join(call.pieces)
        if call.streams:
            return self._end_call()
        lacks_brace = json.depth == 1 and json.may_end
        if lacks_brace and call.arguments_end is not None:
            json.close()
            self._add(json.take())
            return self._end_object()
        if self._holds_calls:
            return self._cut_list(text)
        name = call.name or self._name_of_cut(text)
        is_tool = name is not None and self._tools.fitting(name) is not None
        if name is None or not (is_tool or self._block.opening.is_marked):
            return self._refuse_call()
        arguments = "" if call.arguments_at is None else text[call.arguments_at :].strip()
        self._decide(is_tool=is_tool)
        return self._end_call([(name, arguments or "{")])

    def _cut_list(self, text: str) -> bool:
        """End an object of calls that ends before it is closed: its last call must not be run."""
        try:
            members = from_json(text, allow_partial="trailing-strings")
        except ValueError:
            members = {}
        calls = self._tools.calls_of(members, is_marked=self._block.opening.is_marked)
        if not calls:
            return self._refuse_call()
        self._decide(is_tool=all(self._tools.fitting(name) is not None for name, _ in calls))
        return self._end_call([*calls[:-1], (calls[-1][0], "{")])

    def _name_of_cut(self, text: str) -> str | None:
        """Return the name of an object that ends after its name."""
        try:
            members = from_json(text, allow_partial=True)
        except ValueError:
            return None
        key = next((one for one in NAME_KEYS if one in members), "")
        is_plausible = self._block.opening.is_marked or self._tools.is_plausible(members, key, True)
        return self._name_of(members) if is_plausible else None

    # A call whose name stands outside of JSON

    def _read_arguments(self) -> bool:
        """Read the arguments of a Python call, or those that follow a name as JSON."""
        call = self._call
        if call.json.depth == 0:
            if call.after_name == ID_MARK and not self._take_id():
                return False
            start = _BEFORE_ARGUMENTS.match(self._buffer)
            position = start.end() if start else 0
            if position == len(self._buffer) and not self._is_end:
                return False
            if self._buffer[position : position + 1] not in ("{", "("):
                return self._end_head(self._buffer[position:])
            self._block.is_fenced = self._block.is_fenced or "`" in self._buffer[:position]
            self._take(position)
            self._begin_named()
        position = call.json.read(self._buffer, 0, is_end=self._is_end)
        self._take(position)
        self._add(call.json.take())
        if not call.json.is_closed:
            if not self._is_end:
                return False
            self._add(self._buffer)
            self._take(len(self._buffer))
        return self._end_named()

    def _take_id(self) -> bool:
        """Skip the id that precedes the arguments; return whether they may begin."""
        end = self._buffer.find(ID_END)
        if end < 0 and not self._is_end and len(self._buffer) < _MAX_ELEMENT_CHARS:
            return False
        self._take(end + len(ID_END) if end >= 0 else 0)
        self._call.after_name = ""
        return True

    def _begin_named(self) -> None:
        if not self._call.streams and self._decide(is_tool=True):
            self._stream("")

    def _end_head(self, text: str) -> bool:
        """End a call whose name no object follows; after a mark, it may have no arguments.

        Args:
            text: What follows, without white space.
        """
        if not self._block.opening.is_marked:
            return self._refuse_call()
        nothing = longest(_NOTHING, text)
        if not (nothing or self._is_end) and any(one.startswith(text) for one in _NOTHING):
            return False
        rest = text[len(nothing) :].lstrip(" \t\r\n")
        if rest and not nothing and not longest(CLOSERS, rest):
            return self._refuse_call()
        is_cut = not rest and not nothing and self._tools.properties(self._call.name or "")
        self._take(len(self._buffer) - len(text) + len(nothing))
        self._begin_named()
        self._add("{" if is_cut else "{}")
        return self._end_named()

    def _end_named(self) -> bool:
        call = self._call
        if call.streams:
            return self._end_call()
        text = "".join(call.pieces)
        if not self._block.opening.is_marked:
            if not call.json.is_closed or not _is_object(text):
                return self._refuse_call()
            self._block.is_example = self._block.is_example or not self._block.opening.is_list
        return self._end_call([(call.name or "", text)])

    def _read_elements(self) -> bool:
        """Read parameters that are XML elements; a JSON object may stand in their place."""
        call = self._call
        self._take(skip_space(self._buffer, 0))
        text = self._buffer
        if not text:
            return self._cut_elements() if self._is_end else False
        if call.is_first and text[0] in "{(`":
            self._step = self._read_arguments
            return True
        nothing = longest(_NOTHING, text) if call.is_first else ""
        if nothing:
            self._take(len(nothing))
            return True
        for opening, closing in XML_PARAMETERS:
            found = opening.match(text)
            if found is not None:
                return self._read_element(found, opening, closing)
        if longest(XML_CLOSERS, text):
            self._begin_named()
            self._add("{}" if call.is_first else "}")
            return self._end_named()
        is_begun = text[0] == "<" and (">" not in text or text.startswith("<arg_key>"))
        is_begun = is_begun or (call.is_first and any(one.startswith(text) for one in _NOTHING))
        if is_begun and len(text) < _MAX_ELEMENT_CHARS and not self._is_end:
            return False
        return self._cut_elements()

    def _cut_elements(self) -> bool:
        """End a call whose parameters are not closed: it must not be run."""
        return self._refuse_call() if self._call.is_first else self._end_named()

    def _read_element(self, found: re.Match[str], opening: re.Pattern[str], closing: str) -> bool:
        call = self._call
        start = max(found.end(), call.searched - len(closing))
        end = self._buffer.find(closing, start)
        properties = self._tools.properties(call.name or "")
        following = opening.search(self._buffer, found.end(), max(end, 0))
        if following is not None and following[1] in properties.keys() - {found[1]}:
            end, closing = following.start(), ""  # it was not closed
        if end < 0 and not self._is_end:
            call.searched = len(self._buffer)
            return False
        self._begin_named()
        self._add("{" if call.is_first else ", ")
        if end >= 0:
            name = found[1].strip()
            value = _element_value(self._buffer[found.end() : end], properties.get(name))
            self._add(f"{write_json(name)}: {value}")
            self._take(end + len(closing))
        else:
            self._take(len(self._buffer))
        call.is_first, call.searched = False, 0
        return True


def _element_value(text: str, schema: Any) -> str:
    """Return the text of an XML parameter as JSON.

    Args:
        text: The text.
        schema: The parameter's schema; None if it is not known.
    """
    text = text.removeprefix("\n").removesuffix("\n")
    types = schema.get("type") if isinstance(schema, Mapping) else None
    if types in ("string", ["string"]):
        return write_json(text)
    try:
        value = read_json(text)
    except ValueError:
        return _PYTHON_WORDS.get(text.strip(), write_json(text))
    return text.strip() if not isinstance(value, str) else write_json(value)


def _is_object(text: str) -> bool:
    try:
        return isinstance(read_json(text), dict)
    except ValueError:
        return False


def _begun(text: str, literals: Iterable[str]) -> int:
    """Return how many characters at the end of a text may be the beginning of a literal."""
    longest_begun = 0
    for literal in literals:
        for length in range(min(len(literal) - 1, len(text)), longest_begun, -1):
            if text.endswith(literal[:length]):
                longest_begun = length
                break
    return longest_begun


_SLICE_CHARS = 4096  # looked at together: the buffer stays short, however long the piece
_MAX_UNDECIDED_CHARS = 1000  # what is not known to be a call by then is text
_MAX_MEMBERS = 20  # of an object that is judged by its members while it arrives
_MAX_ELEMENT_CHARS = 500
_LEADING = f"{string.whitespace}\u00a0\ufeff\u200b"  # white space, and what is as invisible
_CODE_BEFORE = "=(\"'>|/#"  # what ends the text of a line in which a JSON value is not a call
_CODE_AFTER = (";", ")", '"', "'")  # what follows such a value at once
_SENTENCE_ENDS = ".!?\u3002\uff01\uff1f\u2026"
_SCHEMA_KEYS = ("type", "properties", "required", "$schema", "$defs", "title", "description")
_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}
_OPENER = re.compile(
    r"""`|\{\{?(?=[\s"']|\Z)|\[(?=[\s\w\[{]|\Z)(?![0-9])|<(?=[\w|\uff5c]|\Z)|>>>|>{1,2}\Z|\n(?=A|\Z)"""
)
_BEGINNING = re.compile(r"[\w.\-/<\[]")
_WORD = re.compile(r"[\w.\-/]+")
_CODE = re.compile(r"`+")
_JSON_VALUE = re.compile(r"""\{[ \t\r\n]*["'}]|\[[ \t\r\n]*[{\["]""")
_BEFORE_ARGUMENTS = re.compile(r"[ \t\r\n]*(?:`{1,2}\Z|```j(?:so?)?\Z|```(?:json)?[ \t\r\n]*)?")
_SEPARATORS = re.compile(r"[ \t\r\n,;\]}]*")
_NOTHING = ("null", "None", "[]")  # what models write where there are no arguments
_STRAY = "]})\"'"  # what may stand right after a call and means nothing
_DRAFT = re.compile("|".join(map(re.escape, MARKS)) + r"|```[\w+-]*\s*\[?\s*\{")
_FENCE_BEGUN = re.compile(r"`{1,3}(?:(?<=```)[\w+-]*\s*\[?\s*)?\Z")
_NOTATION = re.compile("|".join(map(re.escape, (*MARKS, *CLOSERS))) + r"|```\w*\n?")
