"""Write the server's answers beforehand, byte for byte as vLLM 0.5.0 shapes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

__all__ = ["KINDS", "MODEL", "TOOL", "events", "events_as_json", "full_answer"]

MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct"
TOOL = "write_text"
KINDS = ("text", "tools", "openai-tools", "logprobs")
"""Text, a forced call as vLLM 0.5.0 streams it, one as OpenAI does (for the peers, which lose the
other), and text with log probabilities."""

_ANSWER = {"id": "cmpl-94ab1fb2ad6040ca80f74d579c4ab565", "created": 1795428641, "model": MODEL}
_WORDS = (" the", " token", " of", " a", " model", " is", " about", " five")


@cache
def events(kind: str, count: int) -> tuple[bytes, ...]:
    """Return the server-sent events of a stream, the first two and the last three joined.

    Args:
        kind: One of KINDS.
        count: Chunks that hold a piece of the answer; the role, the usage and the end come on top.
    """
    role, *pieces, usage = [b"data: %b\n\n" % _json(event) for event in events_as_json(kind, count)]
    pieces[0] = role + pieces[0]
    pieces[-1] += usage + b"data: [DONE]\n\n"
    return tuple(pieces)


def events_as_json(kind: str, count: int) -> list[dict[str, Any]]:
    """Return what the events of a stream hold; see events.

    Args:
        kind: One of KINDS.
        count: Chunks that hold a piece of the answer.
    """
    choices = [_choice({"delta": {"role": "assistant"}})]
    choices += [_choice(piece) for piece in _pieces(kind, count)]
    event = {**_ANSWER, "object": "chat.completion.chunk"}
    streamed = [{**event, "choices": [choice], "usage": None} for choice in choices]
    return [*streamed, {**event, "choices": [], "usage": _usage(count)}]


@cache
def full_answer(kind: str, count: int) -> bytes:
    """Return the body of an answer that is not streamed.

    Args:
        kind: One of KINDS; every one but text with log probabilities answers with plain text.
        count: How many tokens it holds.
    """
    message = {"role": "assistant", "content": _text(count), "tool_calls": []}
    content = [_logprob(_word(place)) for place in range(count)] if kind == "logprobs" else None
    choice = {
        "index": 0,
        "message": message,
        "logprobs": content and {"content": content},
        "finish_reason": "stop",
        "stop_reason": None,
    }
    return _json(
        {**_ANSWER, "object": "chat.completion", "choices": [choice], "usage": _usage(count)}
    )


def _pieces(kind: str, count: int) -> Iterator[dict[str, Any]]:
    for place in range(count):
        end = {"finish_reason": "stop", "stop_reason": None} if place == count - 1 else {}
        yield {**_piece(kind, place, is_last=bool(end)), **end}


def _piece(kind: str, place: int, *, is_last: bool) -> dict[str, Any]:
    word = _word(place)
    if kind == "text":
        return {"delta": {"content": word}}
    if kind == "logprobs":
        return {"delta": {"content": word}, "logprobs": {"content": [_logprob(word)]}}
    arguments = ('{"text": "' if place == 0 else "") + word + ('"}' if is_last else "")
    call: dict[str, Any] = {"function": {"name": TOOL, "arguments": arguments}}
    if kind == "openai-tools":
        first = {"id": "call_9f1c2b7d", "type": "function"}
        call = {"index": 0, **(first if place == 0 else {}), **call}
        call["function"] = call["function"] if place == 0 else {"arguments": arguments}
    return {"delta": {"tool_calls": [call]}}


def _choice(given: dict[str, Any]) -> dict[str, Any]:
    return {"index": 0, "delta": {}, "logprobs": None, "finish_reason": None, **given}


def _logprob(word: str) -> dict[str, Any]:
    candidates = [(word, -0.21), (" an", -1.98)]
    shown = [{"token": one, "logprob": p, "bytes": list(one.encode())} for one, p in candidates]
    return {**shown[0], "top_logprobs": shown}


def _usage(count: int) -> dict[str, int]:
    return {"prompt_tokens": 53, "total_tokens": 53 + count, "completion_tokens": count}


def _text(count: int) -> str:
    return "".join(_word(place) for place in range(count))


def _word(place: int) -> str:
    return _WORDS[place % len(_WORDS)]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
