"""Convert LlamaIndex's tools into definitions, and tool calls into LlamaIndex's forms."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection

from llama_index_monster._messages import legacy_tool_calls
from monster_core.errors import StructuredAnswerError, TruncatedAnswerError
from monster_core.json_values import copied, read_json
from monster_core.response.json import parse_partial_json
from monster_core.response.tool_calls import parse_arguments
from monster_core.response.types import ToolCall, ToolCallDelta

if TYPE_CHECKING:
    from llama_index.core.tools.types import BaseTool

__all__ = [
    "PROBLEMS_KEY",
    "ResponseToolCall",
    "StreamedToolCalls",
    "ToolDefinitions",
    "raise_for",
    "raising_for_unknown_tools",
    "read_tool_calls",
    "to_selection",
    "unknown_tools",
    "without_later_calls",
]

PROBLEMS_KEY = "tool_call_problems"
"""The key of a response's additional_kwargs that says, by id, why a tool call must not be run."""


_UNKNOWN_TOOLS_KEY = "unknown_tools"
"""The key that says, by id, that a call names no tool; an agent finds that out by itself."""


class ToolDefinitions:
    """Hold tools as they are sent, with the names that the server can take.

    Args:
        tools: LlamaIndex's tools.
    """

    def __init__(self, tools: Sequence[BaseTool]) -> None:
        self.sent = [_definition(tool) for tool in tools]
        self._sent_names = {
            tool.metadata.get_name(): definition["function"]["name"]
            for tool, definition in zip(tools, self.sent, strict=True)
        }

    @property
    def own_names(self) -> dict[str, str]:
        """The tools' own names by the names that are sent, where they differ."""
        return {sent: own for own, sent in self._sent_names.items() if own != sent}

    def choice(self, tool_choice: Any) -> Any:
        """Return a tool choice that uses the names that are sent.

        Args:
            tool_choice: The caller's choice, which may use a tool's own name.
        """
        if isinstance(tool_choice, str):
            return self._sent_names.get(tool_choice, tool_choice)
        function = tool_choice.get("function") if isinstance(tool_choice, Mapping) else None
        if isinstance(function, Mapping) and function.get("name") in self._sent_names:
            name = self._sent_names[function["name"]]
            return {**tool_choice, "function": {**function, "name": name}}
        return tool_choice


def _definition(tool: BaseTool) -> dict[str, Any]:
    """Return a tool in OpenAI's format, with all of its schema."""
    definition = tool.metadata.to_openai_tool(skip_length_check=True)
    fn_schema = tool.metadata.fn_schema
    if fn_schema is not None and "properties" not in definition["function"]["parameters"]:
        schema = fn_schema.model_json_schema()
        if "properties" not in schema:
            # LlamaIndex leaves out what the schema of a recursive class or a RootModel consists of.
            definition["function"]["parameters"] = schema
    return definition


@dataclass(slots=True)
class ResponseToolCall:
    """Hold a tool call of a response.

    Args:
        id: The call's id.
        name: The caller's name of the tool.
        text: The arguments' JSON text, as far as it has arrived.
        arguments: What the arguments are; their text while it arrives, or where it is not usable.
        problem: Why the call must not be run, if it must not.
    """

    id: str
    name: str
    text: str
    arguments: dict[str, Any] | str
    problem: str | None = None

    @classmethod
    def whole(cls, call: ToolCall, tool_names: Mapping[str, str]) -> ResponseToolCall:
        """Convert a call whose arguments have all arrived.

        Args:
            call: The core's call.
            tool_names: The caller's name of a tool by the name that was sent, where they differ.
        """
        name = tool_names.get(call.name, call.name)
        value = call.arguments if call.problem else read_json(call.arguments)
        return cls(call.id, name, call.arguments, value, call.problem)

    def to_block(self) -> ToolCallBlock:
        """Return the call as a content block."""
        return ToolCallBlock(
            tool_call_id=self.id, tool_name=self.name, tool_kwargs=self.arguments or {}
        )

    def to_openai(self) -> dict[str, Any]:
        """Return the call as a dict in OpenAI's format."""
        function = {"name": self.name, "arguments": self.text}
        return {"id": self.id, "type": "function", "function": function}


class StreamedToolCalls:
    """Collect the tool calls of a stream.

    Args:
        tool_names: As in :meth:`ResponseToolCall.whole`.
    """

    __slots__ = ("_calls", "_tool_names", "so_far")

    def __init__(self, tool_names: Mapping[str, str]) -> None:
        self._tool_names = tool_names
        self._calls: dict[int, ResponseToolCall] = {}
        self.so_far: Collection[ResponseToolCall] = self._calls.values()
        """The calls as far as they have arrived."""

    def add(self, deltas: Iterable[ToolCallDelta]) -> None:
        """Add pieces of calls.

        Args:
            deltas: The pieces that a chunk brought.
        """
        for delta in deltas:
            call = self._calls.get(delta.index)
            if call is None:
                name = delta.name or ""
                name = self._tool_names.get(name, name)
                call = self._calls[delta.index] = ResponseToolCall(delta.id or "", name, "", "")
            call.text = call.arguments = call.text + delta.arguments

    def finished(self, calls: Mapping[int, ToolCall]) -> list[ResponseToolCall]:
        """Return the calls at the end of the stream.

        Args:
            calls: The calls by index, as the last chunk holds them.
        """
        return [ResponseToolCall.whole(call, self._tool_names) for call in calls.values()]


def read_tool_calls(response: ChatResponse) -> list[ResponseToolCall]:
    """Return the tool calls of a response, from its blocks, else from its additional_kwargs.

    Args:
        response: The response; in one of a stream, the arguments may be incomplete.
    """
    blocks = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
    if blocks:
        calls = [(block.tool_call_id, block.tool_name, block.tool_kwargs) for block in blocks]
    else:
        legacy = legacy_tool_calls(response.message)
        calls = [(call.id, call.name, call.arguments) for call in legacy]
    return [
        _read(response, call_id or f"call_{place}", name, arguments)
        for place, (call_id, name, arguments) in enumerate(calls)
    ]


def _read(
    response: ChatResponse, call_id: str, name: str, given: dict[str, Any] | str
) -> ResponseToolCall:
    problems = response.additional_kwargs.get(PROBLEMS_KEY, {})
    if call_id in problems:
        return ResponseToolCall(call_id, name, str(given), {}, problems[call_id])
    if isinstance(given, dict):  # copied: a tool that changes its arguments changes no message
        return ResponseToolCall(call_id, name, "", copied(given))
    finish_reason = response.additional_kwargs.get("finish_reason")
    if finish_reason is None and response.delta is not None:  # the stream goes on
        partial = parse_partial_json(given)
        return ResponseToolCall(call_id, name, given, partial if isinstance(partial, dict) else {})
    arguments, problem = parse_arguments(name, given, finish_reason)
    return ResponseToolCall(call_id, name, given, arguments, problem)


def to_selection(call: ResponseToolCall) -> ToolSelection:
    """Return a call as LlamaIndex's agents take it.

    An agent looks the tool up by its name, and tells the model that there is no such tool if it
    finds none. So a call that must not be run is given a name that no tool has, and that says
    what was wrong: nothing is run, and the model reads why.

    Args:
        call: The call.
    """
    if call.problem:
        name = f"{call.name} (not run: {call.problem.rstrip('.')})"
        return ToolSelection(tool_id=call.id, tool_name=name, tool_kwargs={})
    return ToolSelection(tool_id=call.id, tool_name=call.name, tool_kwargs=call.arguments)


def unknown_tools(message: ChatMessage, tools: Sequence[BaseTool]) -> dict[str, Any]:
    """Return what a response's additional_kwargs say of calls of tools that were not offered.

    Args:
        message: The response's message.
        tools: The tools that were offered.
    """
    names = {tool.metadata.get_name() for tool in tools or ()}
    offered = ", ".join(sorted(names)) or "none"
    unknown = {
        block.tool_call_id: f"The model called {block.tool_name!r}; the tools are {offered}."
        for block in message.blocks
        if isinstance(block, ToolCallBlock) and block.tool_name not in names
    }
    return {_UNKNOWN_TOOLS_KEY: unknown} if unknown else {}


def raise_for(call: ResponseToolCall, response: ChatResponse) -> None:
    """Raise an error if a tool call must not, or cannot, be run.

    Args:
        call: The call.
        response: The response that holds it.

    Raises:
        TruncatedAnswerError: ``max_tokens`` cut the call.
        StructuredAnswerError: The arguments are not a JSON object, or there is no such tool.
    """
    extra = response.additional_kwargs
    if call.problem:
        is_cut = extra.get("finish_reason") == "length"
        raise (TruncatedAnswerError if is_cut else StructuredAnswerError)(call.problem)
    unknown = extra.get(_UNKNOWN_TOOLS_KEY, {}).get(call.id)
    if unknown:
        raise StructuredAnswerError(unknown)


@contextmanager
def raising_for_unknown_tools() -> Iterator[None]:
    """Turn the KeyError by which LlamaIndex says that there is no such tool into our error.

    What a tool raises does not get here: LlamaIndex makes an output of it.
    """
    try:
        yield
    except KeyError as error:
        raise StructuredAnswerError(f"The model called {error}: no tool has that name.") from None


def without_later_calls(message: ChatMessage) -> ChatMessage:
    """Return a message without the tool calls that follow its first one.

    Args:
        message: The message; it is not changed.
    """
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    later = {id(block) for block in calls[1:]}
    blocks = [block for block in message.blocks if id(block) not in later]
    kwargs = dict(message.additional_kwargs)
    if isinstance(kwargs.get("tool_calls"), list):
        kwargs["tool_calls"] = kwargs["tool_calls"][:1]
    return ChatMessage(role=message.role, blocks=blocks, additional_kwargs=kwargs)
