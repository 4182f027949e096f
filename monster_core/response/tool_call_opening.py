"""Find out whether text goes on to open a tool call, by the table of forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from monster_core.json_values import read_json, write_json
from monster_core.response.lenient_json import repaired
from monster_core.response.tool_call_forms import (
    ARGUMENT_KEYS,
    CALL_LIST_KEYS,
    CALL_TYPES,
    CODE_MARKS,
    FENCES,
    HEADS,
    LINE_HEADS,
    MARKING_FENCES,
    MARKS,
    MESSAGE_KEYS,
    NAME_KEYS,
    OTHER_KEYS,
    PREFIXES,
    SILENT_MARKS,
    Head,
)

__all__ = [
    "Opening",
    "Tools",
    "arguments_text",
    "begins_marked_call",
    "find_line_head",
    "find_opening",
    "longest",
    "skip_space",
]


class Tools:
    """Know the tools that can be called.

    Args:
        names: Their names.
        parameters: The JSON schemas of their parameters, by name, as far as they are known.
    """

    def __init__(self, names: Iterable[str], parameters: Mapping[str, Any]) -> None:
        self._names = frozenset(names)
        self._parameters = parameters
        self._by_plain_name: dict[str, list[str]] = {}
        for name in self._names:
            self._by_plain_name.setdefault(_plain(name), []).append(name)

    def fitting(self, written: str) -> str | None:
        """Return the one tool that a written name means, None if no or several tools fit.

        Upper and lower case, dashes and underscores, a prefix such as ``functions.`` and an index
        such as ``:0``, quotes and parentheses make no difference.

        Args:
            written: The name as the model wrote it.
        """
        if written in self._names:
            return written
        bare = _INDEX.sub("", _ENDING.sub("", written.strip(_AROUND_NAMES)))
        for candidate in (bare, _PREFIX.sub("", bare)):
            found = self._by_plain_name.get(_plain(candidate), ())
            if len(found) == 1:
                return found[0]
        return None

    def may_begin(self, written: str) -> bool:
        """Return whether a tool's name may begin so.

        Args:
            written: The beginning of a name.
        """
        prefix = _KNOWN_PREFIX.match(written)
        bare = _plain(_CALL_END.sub("", written[prefix.end() :] if prefix else written))
        if prefix is None and any(one.startswith(written) for one in PREFIXES):
            return True
        return any(name.startswith(bare) for name in self._by_plain_name)

    def fitting_bare(self, written: str) -> str | None:
        """Return the one tool that a name outside of JSON means; only known prefixes count.

        Args:
            written: The name as the model wrote it.
        """
        prefix = _KNOWN_PREFIX.match(written)
        bare = written[prefix.end() :] if prefix else written
        return None if _PREFIX.match(bare) and bare not in self._names else self.fitting(bare)

    def properties(self, name: str) -> Mapping[str, Any]:
        """Return the schemas of a tool's parameters by their names; empty if they are unknown."""
        properties = self._schema(name).get("properties")
        return properties if isinstance(properties, Mapping) else {}

    def needs_no_arguments(self, name: str) -> bool:
        """Return whether a tool is known to need no arguments."""
        return name in self._parameters and not self._schema(name).get("required")

    def is_definition(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Return whether what stands as a call's arguments is a schema: a definition is echoed."""
        return (
            isinstance(arguments.get("properties"), Mapping)
            and ("type" in arguments or "required" in arguments)
            and "properties" not in self.properties(name)
        )

    def _schema(self, name: str) -> Mapping[str, Any]:
        schema = self._parameters.get(name)
        return schema if isinstance(schema, Mapping) else {}

    def calls_of(self, value: Any, *, is_marked: bool) -> list[tuple[str, str]] | None:
        """Return the calls that a JSON object stands for: each one's name and arguments.

        Args:
            value: The object.
            is_marked: Whether a mark says that it is a call, whatever its name and its other keys.

        Returns:
            The calls, or None if the object is not one.
        """
        if not isinstance(value, dict):
            return None
        for key in CALL_LIST_KEYS:
            if key in value and not any(name in value for name in NAME_KEYS):
                return self._calls_of_list(value[key])
        inner = value.get("function")
        if isinstance(inner, dict):
            value = {**{key: one for key, one in value.items() if key != "function"}, **inner}
        call = self._call_of(value, is_marked)
        return None if call is None else [call]

    def _calls_of_list(self, value: Any) -> list[tuple[str, str]] | None:
        calls: list[tuple[str, str]] = []
        for one in value if isinstance(value, list) else [value]:
            found = self.calls_of(one, is_marked=True)
            if found is None:
                return None
            calls += found
        return calls or None

    def _call_of(self, value: dict[str, Any], is_marked: bool) -> tuple[str, str] | None:
        key = next((key for key in NAME_KEYS if isinstance(value.get(key), str)), None)
        if key is None:
            return self._call_by_key(value) if is_marked else None
        written = value[key].replace("\\", "")
        name = self.fitting(written)
        arguments_key = next((key for key in ARGUMENT_KEYS if key in value), None)
        arguments = value[arguments_key] if arguments_key else None
        if isinstance(arguments, dict) and self.is_definition(name or written, arguments):
            return None
        if not is_marked:
            if not self.is_plausible(value, key, name is not None):
                return None
            if name is None and not (isinstance(arguments, dict) and _NAME.fullmatch(written)):
                return None
            if arguments_key is None and (name is None or not self.needs_no_arguments(name)):
                return None
        if arguments_key is None:
            arguments = self._flat_arguments(value, key, name or written)
        text = arguments_text(arguments) if written else None
        return None if text is None else (name or written, text)

    def _flat_arguments(self, value: dict[str, Any], key: str, name: str) -> dict[str, Any]:
        """Return the arguments of a call that writes them beside its name: no member is lost."""
        own = self.properties(name)
        return {
            other: one
            for other, one in value.items()
            if other != key and (other in own or other not in OTHER_KEYS)
        }

    def _call_by_key(self, value: dict[str, Any]) -> tuple[str, str] | None:
        """Read ``{"get_weather": {"city": "Oslo"}}``."""
        [(key, arguments), *rest] = value.items() or [("", None)]
        name = self.fitting(key)
        if rest or name is None or not isinstance(arguments, dict):
            return None
        return name, write_json(arguments)

    def is_plausible(self, value: Mapping[str, Any], name_key: str, is_tool: bool) -> bool:
        """Return whether an object without a mark may be a call, by its keys.

        Args:
            value: The object, or its first members.
            name_key: The key of its name.
            is_tool: Whether the name is that of a tool.
        """
        beside = OTHER_KEYS if name_key else (*OTHER_KEYS, *MESSAGE_KEYS)
        keys = value.keys() - {*ARGUMENT_KEYS, *beside, name_key}
        if keys or (name_key == "method" and "jsonrpc" not in value):
            return False
        if not is_tool and (name_key == "action" or value.keys() & {*_THOUGHTS}):
            return False
        return "type" not in value or value["type"] in CALL_TYPES


def arguments_text(arguments: Any) -> str | None:
    """Return the arguments of a call as JSON text; None if they are nested too deeply.

    What is empty in any way (null, an empty list or text) is an empty object, and a text that holds
    an object is that object; anything else stays as it is.

    Args:
        arguments: The JSON value that stands for them.
    """
    if isinstance(arguments, str) and arguments.strip() in ("", "null", "None", "[]"):
        return "{}"
    if arguments is None or arguments == []:
        return "{}"
    try:
        if not isinstance(arguments, str):
            return write_json(arguments)
        inner = repaired(arguments.strip())
        return inner if isinstance(read_json(inner), dict) else write_json(arguments)
    except ValueError:
        return write_json(arguments)
    except TypeError:  # nested too deeply
        return None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "").replace("\\", "")


_PREFIX = re.compile(r"^.*[./:]", re.DOTALL)
_KNOWN_PREFIX = re.compile(rf"(?:{'|'.join(PREFIXES)})[./:]")
_CALL_END = re.compile(r"\.(?:c(?:a(?:l(?:l)?)?)?)?$")
_INDEX = re.compile(r":\d+$")
_ENDING = re.compile(r"(?:\.call)?(?:\(\))?$")
_AROUND_NAMES = " \t\r\n\"'`"
_THOUGHTS = ("reason", "reasoning", "thought", "thoughts", "explanation", "rationale")


@dataclass(slots=True)
class Opening:
    """Hold what is known of a text that may open a call.

    Args:
        kind: "json": a JSON object begins that may be a call; "head": a call whose name stands
            outside of JSON; "refused": it opens nothing; "wait": more must arrive.
        position: Where the object or the arguments begin; for "refused", after the last mark.
        is_marked: Whether a mark says that a call follows.
        mark: The last mark.
        fence: The language of the code fence around it; None without one.
        is_inline: Whether it stands in inline code.
        is_list: Whether it stands in a list.
        name: The name as it is written, for "head".
        head: The form, for "head".
    """

    kind: Literal["json", "head", "refused", "wait"]
    position: int = 0
    is_marked: bool = False
    mark: str = ""
    fence: str | None = None
    is_inline: bool = False
    is_list: bool = False
    name: str = ""
    head: Head | None = None

    @property
    def is_notation(self) -> bool:
        """Whether anything but white space has been read."""
        return self.is_marked or self.fence is not None or self.is_inline or self.is_list


def find_opening(
    text: str, tools: Tools, *, is_alone: bool, is_end: bool, block: Opening | None = None
) -> Opening:
    """Judge the beginning of a text; equal for any cut of the same text.

    Args:
        text: The text.
        tools: The tools that can be called.
        is_alone: Whether nothing but notation precedes it, so that a bare name may open a call.
        is_end: Whether nothing follows.
        block: What opened the block of calls that it follows; its mark holds for all of its calls.
    """
    found = Opening("refused")
    if block is not None:
        found.mark = block.mark or (block.fence or "")
        found.is_marked = block.is_marked or block.fence in MARKING_FENCES
    for _ in range(_MAX_MARKS):
        found.position = skip_space(text, found.position)
        rest = text[found.position : found.position + _MAX_HEAD_CHARS]
        if not rest:
            return _with(found, "refused" if is_end else "wait")
        step = _mark(rest, found, is_end) or _wrapping(rest, found, is_end)
        if step == 0:
            break
        if step < 0:
            return _with(found, "wait")
        found.position += step
    else:
        return _with(found, "refused")
    if rest.startswith("{{"):  # as templates escape it
        found.position += 1
        rest = rest[1:]
    if rest[0] == "{":
        after = rest[1:].lstrip(_SPACE)[:1]
        if not after and not is_end:
            return _with(found, "wait")
        is_key = after in ('"', "'") or (found.is_marked and after.isalpha())
        return _with(found, "json" if is_key else "refused")
    return _head(rest, found, tools, is_alone or found.is_notation, is_end)


def _with(found: Opening, kind: Literal["json", "refused", "wait"]) -> Opening:
    found.kind = kind
    return found


def _mark(rest: str, found: Opening, is_end: bool) -> int:
    """Return how long the mark is that begins here: 0 for none, -1 if more must arrive."""
    marks = _MARKS_BY_FIRST.get(rest[0], ())
    mark = longest(marks, rest)
    if not is_end and any(other.startswith(rest) for other in marks if other != mark):
        return -1
    if mark == "functools" and rest[9:10] != "[":
        return -1 if len(rest) == len(mark) and not is_end else 0
    if mark and mark not in SILENT_MARKS:
        found.is_marked, found.mark = True, mark
    return len(mark)


def _wrapping(rest: str, found: Opening, is_end: bool) -> int:
    """Read a fence, a backtick or a bracket; the result is that of :func:`_mark`."""
    if rest.startswith("`"):
        fence = _FENCE.match(rest)
        if fence is None or (fence.end() == len(rest) and not is_end):
            return -1 if not is_end and len(fence[0] if fence else rest) == len(rest) else 0
        ticks, language = fence["ticks"], fence["language"].lower()
        if ticks == "```" and found.fence is None and language in FENCES:
            found.fence = language
            return len(fence[0])
        if ticks == "`" and not found.is_notation:
            found.is_inline = True
            return 1
        return 0
    if rest.startswith("["):
        after = rest[1:].lstrip(_SPACE)[:1]
        if not after:
            return 0 if is_end else -1
        if after in "{[" or after.isalpha() or after == "_":
            found.is_list = True
            return 1
    return 0


def _head(rest: str, found: Opening, tools: Tools, may_be_name: bool, is_end: bool) -> Opening:
    waits = False
    is_marked = found.is_marked or found.fence in MARKING_FENCES
    for head in HEADS:
        if (is_marked or not head.needs_mark) and (head.before or may_be_name):
            step = _match(head, rest, found, tools)
            if step > 0:
                found.kind, found.head = "head", head
                found.is_marked = found.is_marked or head.marks_itself
                found.position += step
                return found
            waits = waits or step < 0
    return _with(found, "wait" if waits and not is_end else "refused")


def _match(head: Head, rest: str, found: Opening, tools: Tools) -> int:
    """Match one form; the result is that of :func:`_mark`, and the name is noted."""
    if not rest.startswith(head.before):
        return -1 if head.before.startswith(rest) else 0
    name = _NAME.match(rest, len(head.before))
    if name is None:
        return -1 if len(rest) == len(head.before) else 0
    word, end = name[0], name.end()
    if head.after == ".call" and word.endswith(".call"):
        word, end = word[: -len(".call")], end - len(".call")
    if end == len(rest):
        is_begun = head.marks_itself or found.is_marked or tools.may_begin(word)
        return -1 if is_begun else 0
    after = rest[end:] if head.after[0] in " \n" else rest[end:].lstrip(" ")
    is_whole = after.startswith(head.after)
    if not is_whole and not head.after.startswith(after):
        return 0
    is_bracket = head.after in ("(", "{")
    has_space = is_bracket and len(after) < len(rest) - end
    may_be_code = head.after == "(" and found.mark in CODE_MARKS and not found.is_list
    may_be_unknown = head.marks_itself or (found.is_marked and not has_space and not may_be_code)
    if not may_be_unknown and tools.fitting_bare(word) is None:
        return 0
    found.name = word
    return len(rest) - len(after) + len(head.after) - is_bracket if is_whole else -1


def find_line_head(text: str, tools: Tools, *, is_end: bool) -> Opening:
    """Judge the beginning of a line that may open a call in the middle of a text.

    Args:
        text: The text from the line's beginning on.
        tools: The tools that can be called.
        is_end: Whether nothing follows.
    """
    for head, pattern, begun in _LINE_PATTERNS:
        found = pattern.match(text)
        if found is not None:
            if tools.fitting(found["name"]) is None:
                return Opening("refused")
            return Opening(
                "head", found.end(), is_marked=True, name=found["name"].strip(), head=head
            )
        if not is_end and begun.fullmatch(text):
            return Opening("wait")
    return Opening("refused")


def begins_marked_call(text: str) -> bool:
    """Return whether a text begins with a mark that says that calls follow, or with part of one.

    Args:
        text: The text.
    """
    text = text.lstrip()
    marks = (mark for mark in MARKS if mark[0] in "<[" and mark not in SILENT_MARKS)
    return any(
        text.startswith(mark) or (len(text) >= _MIN_MARK_CHARS and mark.startswith(text))
        for mark in marks
    )


_MIN_MARK_CHARS = 5  # fewer characters of a mark may begin anything else


def longest(literals: Iterable[str], text: str) -> str:
    """Return the longest of some literals that a text begins with; empty if it does with none."""
    return max((one for one in literals if text.startswith(one)), key=len, default="")


def skip_space(text: str, position: int) -> int:
    """Return where white space ends.

    Args:
        text: The text.
        position: Where to begin.
    """
    found = _SPACES.match(text, position)
    return found.end() if found else position


_MARKS_BY_FIRST = {first: [mark for mark in MARKS if mark[0] == first] for first in "".join(MARKS)}
_SPACE = " \t\r\n"
_SPACES = re.compile(r"[ \t\r\n]*")
_NAME = re.compile(r"[\w.\-/:\\]{1,64}")
_FENCE = re.compile(r"(?P<ticks>`{1,3})(?P<language>(?<=```)[\w+-]{0,20}|)")
_MAX_HEAD_CHARS = 200
_MAX_MARKS = 10  # marks, fences and brackets before one call


def _prefixes(literal: str, then: str = "") -> str:
    """Return a pattern of every beginning of a literal, or all of it and what a pattern matches."""
    pattern = then
    for character in reversed(literal):
        pattern = f"(?:{re.escape(character)}{pattern})?"
    return pattern


_LINE_NAME = r"[ \t]*(?P<name>[\w.\-/][\w.\-/ ]{0,63}?)[ \t\r]*"
_LINE_PATTERNS = tuple(
    (
        head,
        re.compile(f"{re.escape(head.before)}{_LINE_NAME}{re.escape(head.after)}[ \t]*"),
        re.compile(_prefixes(head.before, rf"[\w.\-/ \t\r]{{0,80}}{_prefixes(head.after)}")),
    )
    for head in LINE_HEADS
)
