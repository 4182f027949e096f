"""Hold responses as plain values: whole completions, and the chunks of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monster_core.json_schema import LoweredSchema

__all__ = [
    "Choice",
    "Chunk",
    "Completion",
    "ResponseSpec",
    "ToolCall",
    "ToolCallDelta",
    "Usage",
    "add_usage",
    "new_call_id",
]


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """Hold what must be known of a request to read its response.

    Args:
        tool_names: The tools whose calls are read from the text.
        max_tool_calls: How many calls a response may hold; further ones are dropped. None for any
            number.
        argument_schemas: The schemas that guided the arguments of a tool, by the tool's name.
        schema: The schema that guided the text; None where the text is free.
        withholds_text: Whether the text is given only if a tool is called: where none is, the
            response of a follow-up request takes its place.
        tool_parameters: The JSON schemas of the tools' parameters, by the tools' names: forms of
            calls that write no names or no quotes are read by them.
        mends_calls: Whether the text is a call, or an array of calls, in near misses of JSON.
    """

    tool_names: frozenset[str] = frozenset()
    max_tool_calls: int | None = None
    argument_schemas: Mapping[str, LoweredSchema] = field(default_factory=dict)
    schema: LoweredSchema | None = None
    withholds_text: bool = False
    tool_parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mends_calls: bool = False


@dataclass(slots=True)
class Usage:
    """Count the tokens of one request.

    Args:
        prompt_tokens: Tokens the server read.
        completion_tokens: Tokens the server wrote.
        total_tokens: Both together.
        cached_tokens: Prompt tokens it found in its cache, if it says so.
        reasoning_tokens: Written tokens that were reasoning, if it says so.
    """

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(slots=True)
class ToolCall:
    """Hold one tool call of a response.

    Args:
        id: Identifies the call; a tool's result names it.
        name: The function to call.
        arguments: The arguments as JSON text, as the model wrote them.
        problem: Why the call must not be run, in one sentence: it was cut, or its arguments are not
            a JSON object. None if it is whole.
    """

    id: str
    name: str
    arguments: str
    problem: str | None = None


@dataclass(slots=True)
class ToolCallDelta:
    """Hold one piece of a streamed tool call.

    Args:
        index: Which call of the response the piece belongs to, from 0.
        id: The call's id, on its first piece only.
        name: The function's name, on the first piece only.
        arguments: The next piece of the arguments' JSON text.
    """

    index: int
    id: str | None
    name: str | None
    arguments: str


@dataclass(slots=True)
class Choice:
    """Hold one choice of a response.

    Args:
        index: Its place among the n choices.
        text: What the model wrote.
        tool_calls: The calls it asks for.
        finish_reason: Why it ended: "stop", "length" or what else the server says.
        stop_reason: The stop text or stop token id (0 is one) that ended it.
        logprobs: The tokens' log probabilities, as the server sent them.
        reasoning: The reasoning that preceded the text, where a server sends it.
        refusal: What the model said instead of an answer that it refused to give, where a server
            tells the two apart.
    """

    index: int
    text: str
    tool_calls: list[ToolCall]
    finish_reason: str | None
    stop_reason: str | int | None
    logprobs: dict[str, Any] | None
    reasoning: str | None = None
    refusal: str | None = None


@dataclass(slots=True)
class Completion:
    """Hold a whole response.

    Args:
        id: The server's id of the response.
        model: The model that wrote it, as the server names it.
        created: When, in seconds since the epoch.
        choices: The n choices in order.
        usage: Token counts, None if the server sent none.
        raw: The body as it came.
    """

    id: str
    model: str
    created: int
    choices: list[Choice]
    usage: Usage | None
    raw: dict[str, Any] = field(repr=False)

    @property
    def has_tool_calls(self) -> bool:
        """Whether one of the choices calls a tool."""
        return any(choice.tool_calls for choice in self.choices)


@dataclass(slots=True)
class Chunk:
    """Hold what one event of a stream added.

    Args:
        id: The server's id of the response.
        model: The model that writes it.
        text: The next piece of text.
        tool_calls: Pieces of tool calls.
        reasoning: The next piece of reasoning.
        logprobs: Log probabilities of this piece's tokens, as the server sent them.
        finish_reason: Why the response ended, on one chunk only.
        stop_reason: As in :class:`Choice`, beside the finish reason.
        usage: Token counts, on the last chunk only.
        is_last: Whether nothing follows.
        finished_calls: On the last chunk only, all calls of the response by their index, each with
            all of its arguments and with what is wrong with it.
        raw: The event as it came; empty on a last chunk that no event brought.
        refusal: The next piece of a refusal, as in :class:`Choice`.
    """

    id: str
    model: str
    text: str = ""
    tool_calls: list[ToolCallDelta] | None = None
    reasoning: str | None = None
    logprobs: dict[str, Any] | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    usage: Usage | None = None
    is_last: bool = False
    finished_calls: Mapping[int, ToolCall] | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)
    refusal: str | None = None


def add_usage(one: Usage | None, other: Usage | None) -> Usage | None:
    """Add up the tokens of two requests that served one call.

    Args:
        one: Token counts, or None where there are none.
        other: Likewise.
    """
    if one is None or other is None:
        return one or other
    return Usage(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        one.total_tokens + other.total_tokens,
        _sum(one.cached_tokens, other.cached_tokens),
        _sum(one.reasoning_tokens, other.reasoning_tokens),
    )


def new_call_id() -> str:
    """Return the id of a call that the server gave none.

    It is random, since servers, proxies and caches repeat the ids of responses, and the ids of a
    conversation's calls must differ.
    """
    return f"call_{token_hex(12)}"


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)
