"""Bodies and events as no server should send them: values of the wrong kind, anywhere."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

__all__ = ["answers", "event_streams"]

_NAMES = """arguments choices code content created delta error finish_reason function id index
    logprobs message model name object prompt_tokens completion_tokens reasoning_content role
    stop_reason text token tool_calls total_tokens type usage prompt_tokens_details
    cached_tokens""".split()  # noqa: SIM905

_ODD_NUMBERS = [0, -1, 1, 2, 10**12, 2**53, 2**63 - 1, -(2**63), 2**64 - 1, 1e308, -0.0, 0.5]
_ODD_TEXTS = [
    "",
    " ",
    "\0",
    "\u2028",
    "\ufeff",
    "\x1b[2J",
    "stop",
    "length",
    "lookup",
    "null",
    "{}",
    '{"a": 1}',
    '{"a": ',
    "[[[[",
    '{"name": "lookup", "parameters": {"city": "Rome"}}',
    '<tool_call>{"name": "l\u043eokup", "arguments": {}}</tool_call>',
    '[TOOL_CALLS] [{"name": "lookup", "arguments": [1]}]',
]

_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
    | st.sampled_from(_ODD_NUMBERS)
    | st.sampled_from(_ODD_TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)

_CALL = {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": '{"city":""}'}}
_LOGPROB = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
_USAGE = {
    "prompt_tokens": 3,
    "total_tokens": 5,
    "completion_tokens": 2,
    "prompt_tokens_details": {"cached_tokens": 1},
}
_ANSWER = {
    "id": "cmpl-7",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi", "tool_calls": [_CALL]},
            "logprobs": {"content": [_LOGPROB]},
            "finish_reason": "stop",
            "stop_reason": 0,
        }
    ],
    "usage": _USAGE,
}


def _event(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None, "logprobs": None, **more}
    return {"id": "cmpl-7", "model": "m", "choices": [choice], "usage": None}


_STREAM = [
    _event({"role": "assistant"}),
    _event({"content": "Hi"}, logprobs={"content": [_LOGPROB]}),
    _event({"tool_calls": [{**_CALL, "index": 0}]}),
    _event({"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]}),
    _event({"content": "!", "reasoning_content": "so"}, finish_reason="stop", stop_reason=2),
    {"id": "cmpl-7", "model": "m", "choices": [], "usage": _USAGE},
]


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(data, (dict, list)):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            found += _paths(value, (*path, key))
    return found


@st.composite
def _mutated(draw: st.DrawFn, original: Any) -> Any:
    data = copy.deepcopy(original)
    for _ in range(draw(st.integers(0, 3))):
        paths = _paths(data)
        if not paths:
            break
        *way, last = draw(st.sampled_from(paths))
        place = data
        for key in way:
            place = place[key]
        change = draw(st.sampled_from(["replace", "replace", "remove", "repeat"]))
        if change == "replace":
            place[last] = draw(_ANY)
        elif change == "remove":
            del place[last]
        elif isinstance(place, list):
            place.append(copy.deepcopy(place[last]))
    return data


answers = _mutated(_ANSWER) | _ANY
"""Bodies of full answers: real ones with a few odd values, and any JSON at all."""

event_streams = _mutated(_STREAM).map(lambda data: data if isinstance(data, list) else [data]) | (
    st.lists(_ANY, max_size=4)
)
"""The events of streams, likewise."""
