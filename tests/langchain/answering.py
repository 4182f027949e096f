"""Write the bodies that a server answers with, ask in every way, and collect the answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal

import pytest
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import add_ai_message_chunks

from tests.core.scripted_server import Reply, ScriptedServer, events, reply

__all__ = [
    "TOOLS",
    "USAGE",
    "Way",
    "asked",
    "call_piece",
    "called",
    "collected",
    "delta",
    "every_way",
    "logprobs",
    "sent",
    "streamed",
    "summed",
    "tool",
    "whole",
]

Way = Literal["sync", "async"]
every_way = pytest.mark.parametrize("way", ["sync", "async"])

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def tool(name: str, **properties: dict[str, Any]) -> dict[str, Any]:
    """Return a tool's definition."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    function = {"name": name, "description": f"{name} it", "parameters": parameters}
    return {"type": "function", "function": function}


TOOLS = [tool("add", a={"type": "integer"}), tool("tell", text={"type": "string"})]


def logprobs(token: str) -> dict[str, Any]:
    """Return the log probabilities of one token."""
    return {"content": [{"token": token, "logprob": -0.5, "bytes": None, "top_logprobs": []}]}


def called(name: str, arguments: str) -> dict[str, Any]:
    """Return a call, or a piece of one, as vLLM 0.5.0 sends it."""
    return {"function": {"name": name, "arguments": arguments}}


def call_piece(
    index: int, arguments: str, name: str | None = None, call_id: str | None = None
) -> dict[str, Any]:
    """Return a piece of a call, as today's servers stream it."""
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"index": index, "function": function, **({"id": call_id} if call_id else {})}


def delta(
    content: str | None = None,
    *,
    reasoning: str | None = None,
    calls: list[dict[str, Any]] | None = None,
    finish: str | None = None,
    **choice: Any,
) -> dict[str, Any]:
    """Return one event of a stream."""
    said = {"content": content, "reasoning_content": reasoning, "tool_calls": calls}
    given = {name: value for name, value in said.items() if value is not None}
    told = {"index": 0, "delta": given, "finish_reason": finish, "logprobs": None, **choice}
    return {"id": "cmpl-7", "model": "served", "choices": [told]}


def streamed(*deltas: dict[str, Any]) -> Reply:
    """Return a whole stream: these events, the usage and the end mark."""
    usage = {"id": "cmpl-7", "model": "served", "choices": [], "usage": USAGE}
    return events(delta(), *deltas, usage, "[DONE]")


def whole(
    *messages: dict[str, Any],
    finish: str = "stop",
    answer_id: str | None = "cmpl-7",
    **choice: Any,
) -> Reply:
    """Return a full answer of these messages."""
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": "", "tool_calls": [], **message},
            "finish_reason": finish,
            "stop_reason": None,
            "logprobs": None,
            **choice,
        }
        for index, message in enumerate(messages)
    ]
    return reply(200, {"id": answer_id, "model": "served", "choices": choices, "usage": USAGE})


async def asked(llm: Any, way: Way, question: Any = "Hi", **given: Any) -> Any:
    """Return what a model or a chain answers."""
    return llm.invoke(question, **given) if way == "sync" else await llm.ainvoke(question, **given)


async def collected(llm: Any, way: Way, question: Any = "Hi", **given: Any) -> list[Any]:
    """Return the chunks of a stream, or what a chain makes of them."""
    if way == "sync":
        return list(llm.stream(question, **given))
    return [chunk async for chunk in llm.astream(question, **given)]


def summed(chunks: Iterable[Any]) -> AIMessage:
    """Return what the chunks of a stream add up to."""
    first, *rest = chunks
    return add_ai_message_chunks(first, *rest)


def sent(server: ScriptedServer, number: int = 0) -> dict[str, Any]:
    """Return the body of a request that a server received."""
    body: dict[str, Any] = json.loads(server.received[number].body)
    return body
