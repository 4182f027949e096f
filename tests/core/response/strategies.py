"""What hypothesis makes up for these tests: pieces of a text, JSON values, conversations."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from monster_core.request.messages import Message
from monster_core.response.types import ToolCall

__all__ = [
    "calls",
    "conversations",
    "few",
    "json_objects",
    "json_values",
    "many",
    "pieces_of",
    "prose",
]

few = settings(max_examples=20, deadline=None)
many = settings(max_examples=100, deadline=None)

prose = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

_leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | prose
json_values: st.SearchStrategy[Any] = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(prose | st.sampled_from(["name", "parameters"]), inner, max_size=3)
    ),
    max_leaves=6,
)
json_objects = st.dictionaries(prose, json_values, max_size=3)


@st.composite
def pieces_of(draw: st.DrawFn, text: str) -> list[str]:
    """Cut a text into pieces, at any places."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=12)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def calls(draw: st.DrawFn, names: list[str], most: int = 3) -> list[ToolCall]:
    """Make up calls of tools."""
    written = st.builds(
        lambda arguments, indent: json.dumps(arguments, indent=indent, ensure_ascii=bool(indent)),
        json_objects,
        st.sampled_from([None, 2]),
    )
    call = st.builds(ToolCall, st.uuids().map(str), st.sampled_from(names), written)
    return draw(st.lists(call, min_size=1, max_size=most))


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    """Make up a conversation, sensible or not; each text in it is another one."""
    messages: list[Message] = []
    asked: list[str] = ["nowhere"]
    for number in range(draw(st.integers(1, 8))):
        role = draw(st.sampled_from(["system", "user", "assistant", "calls", "tool"]))
        text: Any = f"<text {number}>"
        if draw(st.integers(0, 4)) == 0:
            text = [{"type": "text", "text": f"<text {number}>"}]
        if role == "calls":
            made = [
                ToolCall(f"id-{number}-{at}", f"tool_{at}", f'{{"x": "<argument {number}.{at}>"}}')
                for at in range(draw(st.integers(1, 2)))
            ]
            asked += [call.id for call in made]
            messages.append(Message("assistant", draw(st.sampled_from(["", text])), None, made))
        elif role == "tool":
            answered = draw(st.sampled_from([None, *asked]))
            is_error = draw(st.booleans())
            messages.append(Message("tool", text, tool_call_id=answered, is_error=is_error))
        else:
            messages.append(Message(role, text, draw(st.sampled_from([None, "Ann"]))))
    return messages
