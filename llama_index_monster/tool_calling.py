"""Let LlamaIndex's agents and programs call tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.llms.llm import ToolSelection

from llama_index_monster.model_part import ModelPart
from llama_index_monster.selections import to_selections
from llama_index_monster.tool_calls import first_call_only
from monster_core.errors import StructuredAnswerError

if TYPE_CHECKING:
    from llama_index.core.tools.types import BaseTool

__all__ = ["TOOL_NAMES", "ToolCalling"]

TOOL_NAMES = "tool_names"
"""The argument of a chat that maps the names that are sent to the tools' own."""


class ToolCalling(ModelPart):
    """Turn tools into the arguments of a call, and its answer into selections of tools."""

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: str | bool | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the arguments of a chat with tools; a tool_choice of None means "not given"."""
        messages = list(chat_history or ())
        if user_msg:
            messages.append(ChatMessage(user_msg) if isinstance(user_msg, str) else user_msg)
        if not tools:
            return {"messages": messages, **kwargs}
        if tool_choice is None and tool_required:
            tool_choice = "required"
        definitions = [_definition(tool) for tool in tools]
        sent = {
            tool.metadata.get_name(): definition["function"]["name"]
            for tool, definition in zip(tools, definitions, strict=True)
        }
        renamed = {name: own for own, name in sent.items() if own != name}
        return {
            "messages": messages,
            "tools": definitions,
            "parallel_tool_calls": allow_parallel_tool_calls,
            # not given: the instance's holds
            **({} if tool_choice is None else {"tool_choice": _with_sent_name(tool_choice, sent)}),
            **({TOOL_NAMES: renamed} if renamed else {}),
            **kwargs,
        }

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        if allow_parallel_tool_calls:
            return response
        return response.model_copy(update={"message": first_call_only(response.message)})

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """Return the tools that a response calls; of a stream's response, as far as it has come.

        Args:
            response: The response, whole or of a stream.
            error_on_no_tool_call: Whether a response without calls is an error.
            **kwargs: Accepted; nothing else decides.

        Raises:
            TruncatedAnswerError: ``max_tokens`` cut a call's arguments.
            StructuredAnswerError: A call's arguments are no JSON object, or there is no call.
        """
        selections = to_selections(response)
        if error_on_no_tool_call and not selections:
            said = response.message.content or ""
            raise StructuredAnswerError(
                f"Expected at least one tool call; the model called none and said {said[:200]!r}."
            )
        return selections


def _definition(tool: BaseTool) -> dict[str, Any]:
    """Return a tool in OpenAI's shape, and with all of its schema."""
    definition = tool.metadata.to_openai_tool(skip_length_check=True)
    schema = tool.metadata.fn_schema
    if schema is not None and "properties" not in definition["function"]["parameters"]:
        # of a class that refers to itself, LlamaIndex drops the reference and keeps an empty rest
        definition["function"]["parameters"] = schema.model_json_schema()
    return definition


def _with_sent_name(choice: Any, sent: Mapping[str, str]) -> Any:
    """Name in a tool choice what the server will see named."""
    if isinstance(choice, str):
        return sent.get(choice, choice)
    function = choice.get("function") if isinstance(choice, Mapping) else None
    if isinstance(function, Mapping) and function.get("name") in sent:
        return {**choice, "function": {**function, "name": sent[function["name"]]}}
    return choice
