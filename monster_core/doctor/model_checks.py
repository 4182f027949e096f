"""Check what the model and the server do with requests: whole, streamed, with tools, guided."""

from __future__ import annotations

import time
from typing import Any

import orjson

from monster_core.doctor.examination import Check, Examination
from monster_core.doctor.report import Finding
from monster_core.errors import StructuredAnswerError
from monster_core.request.builder import ChatRequest, build_request
from monster_core.request.messages import Message
from monster_core.response.structured import check_value
from monster_core.response.types import Completion, Usage
from monster_core.server_profiles import server_profile

__all__ = ["MODEL_CHECKS", "ask_for_a_token"]

_MAX_TEXT_SHOWN_CHARS = 40

_CITIES = ["Lima", "Oslo", "Rome"]


def _weather_tool(city: dict[str, Any]) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {"city": city},
        "required": ["city"],
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Look up the weather in a city.",
            "parameters": parameters,
        },
    }


_FORCED_TOOL = _weather_tool({"type": "string", "enum": _CITIES})
_OFFERED_TOOL = _weather_tool({"type": "string"})

# No model answers a question for a capital with these by itself: only a server that holds it to
# the schema makes it.
_ODD_VALUE = {"zq417": "kwx-903"}
_ODD_SCHEMA = {
    "type": "object",
    "properties": {"zq417": {"type": "string", "enum": ["kwx-903"]}},
    "required": ["zq417"],
    "additionalProperties": False,
}


def ask_for_a_token(examination: Examination) -> Completion:
    """Ask the model for a single token.

    Args:
        examination: The examination.

    Raises:
        MonsterError: The request failed.
    """
    return _complete(examination, "Hello", max_tokens=1)


def _check_completion(examination: Examination) -> Finding:
    completion = _complete(examination, "Say hello.", max_tokens=32)
    text = _text(completion)
    if not text.strip():
        return Finding(
            "note",
            f"an empty answer ({_counts(completion.usage)})",
            "The server's chat template may not be this model's: ask it in another way.",
        )
    return Finding("ok", f"{_shown(text)} ({_counts(completion.usage)})")


def _check_stream(examination: Examination) -> Finding:
    request = _request(examination, "Count from 1 to 10.", stream=True, max_tokens=48)
    begin, usage, reason = time.perf_counter(), None, None
    arrivals: list[float] = []
    for chunk in examination.client().stream(request):
        if chunk.text:
            arrivals.append(time.perf_counter() - begin)
        usage, reason = chunk.usage or usage, chunk.finish_reason or reason
    if not arrivals:
        return Finding("note", f"a stream without text, ended by {reason!r}")
    detail = f"{len(arrivals)} chunks, the first after {arrivals[0] * 1000:.0f} ms"
    if _was_collected(arrivals):
        return Finding(
            "note",
            f"{detail}, and all the others at once",
            "A proxy in between collects the stream: turn its buffering off (nginx: "
            "proxy_buffering off).",
        )
    if usage is None:
        return Finding("note", f"{detail}; no token counts", "The server ignores stream_options.")
    return Finding("ok", detail)


_LATE_SECONDS = 0.5
_FASTEST_CHUNK_SECONDS = 0.0005  # no model writes 2,000 tokens in a second


def _was_collected(arrivals: list[float]) -> bool:
    """Whether the chunks came too fast, after too long a wait, to have come as they were made."""
    spread = arrivals[-1] - arrivals[0]
    return (
        len(arrivals) >= 8
        and arrivals[0] > _LATE_SECONDS
        and spread / (len(arrivals) - 1) < _FASTEST_CHUNK_SECONDS
    )


def _check_forced_tool(examination: Examination) -> Finding:
    completion = _complete(
        examination,
        "Say hello.",
        max_tokens=100,
        tools=[_FORCED_TOOL],
        tool_choice="get_weather",
    )
    calls = completion.choices[0].tool_calls
    if not calls:
        return Finding(
            "failed",
            f"The server did not call the tool that it was told to: {_shown(_text(completion))}.",
            _not_obeyed("a named tool_choice", examination),
        )
    call = calls[0]
    if call.problem is not None:
        return Finding(
            "failed",
            f"The arguments are not a whole JSON object: {_shown(call.arguments)}.",
            _not_obeyed("a tool's schema", examination),
        )
    try:
        check_value(orjson.loads(call.arguments), _FORCED_TOOL["function"]["parameters"])
    except (StructuredAnswerError, ValueError):
        return Finding(
            "failed",
            f"The arguments do not fit the tool's schema: {_shown(call.arguments)}.",
            _not_obeyed("a tool's schema", examination),
        )
    return Finding("ok", f"{call.name}({_shown(call.arguments)})")


def _check_guided(examination: Examination) -> Finding:
    try:
        completion = _complete(
            examination,
            "What is the capital of France?",
            max_tokens=100,
            guided_json=_ODD_SCHEMA,
        )
        text = _text(completion)
    except StructuredAnswerError as error:
        text = str(error)
    try:
        is_kept = orjson.loads(text) == _ODD_VALUE
    except ValueError:
        is_kept = False
    if is_kept:
        return Finding("ok", "the server holds the answer to its schema")
    return Finding(
        "failed",
        f"The answer is not held to its schema: {_shown(text)}.",
        _not_obeyed("guided_json", examination),
    )


def _not_obeyed(what: str, examination: Examination) -> str:
    named, found = server_profile(examination.model.server), examination.release
    if found is not None and server_profile(found) == named:
        return f"What stands before the server may drop {what}: ask who runs it."
    return (
        f"{found or 'The server'} ignores {what} in the form of {named.name}: set MONSTER_SERVER"
        f"{f'={found}' if found else ' to its release, such as vllm for the present one'}."
    )


def _check_offered_tool(examination: Examination) -> Finding:
    completion = _complete(
        examination, "What is the weather in Rome?", max_tokens=128, tools=[_OFFERED_TOOL]
    )
    calls = completion.choices[0].tool_calls
    if calls and calls[0].problem is None:
        return Finding("ok", f"the model called {calls[0].name}({_shown(calls[0].arguments)})")
    if calls:
        return Finding("note", f"a call that cannot be used: {calls[0].problem}", _FORCE_IT)
    return Finding("note", f"the model answered in text: {_shown(_text(completion))}", _FORCE_IT)


_FORCE_IT = (
    "Name the model's format (family= or tool_format=) if its name does not tell it, or force "
    "calls with tool_choice."
)


def _request(
    examination: Examination, question: str, *, stream: bool, **fields: Any
) -> ChatRequest:
    call = {"model": examination.model_name, "temperature": 0, **fields}
    known, _ = examination.model._request_fields(call, stream=stream)
    return build_request([Message("user", question)], known, stream=stream)


def _complete(examination: Examination, question: str, **fields: Any) -> Completion:
    return examination.client().complete(_request(examination, question, stream=False, **fields))


def _text(completion: Completion) -> str:
    return completion.choices[0].text if completion.choices else ""


def _shown(text: str) -> str:
    short = text if len(text) <= _MAX_TEXT_SHOWN_CHARS else f"{text[:_MAX_TEXT_SHOWN_CHARS]}..."
    return ascii(short) if not short.isprintable() else repr(short)


def _counts(usage: Usage | None) -> str:
    if usage is None:
        return "no token counts"
    return f"{usage.prompt_tokens} + {usage.completion_tokens} tokens"


MODEL_CHECKS = (
    Check("completion", _check_completion, ("model",)),
    Check("stream", _check_stream, ("completion",)),
    Check("forced tool", _check_forced_tool, ("completion",)),
    Check("guided answer", _check_guided, ("completion",)),
    Check("offered tool", _check_offered_tool, ("completion",)),
)
