"""Tools as LangChain's callers give them -> the arguments of a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from monster_core.request.tool_definitions import read_definitions, resolve_tool_choice
from monster_core.request.validation import validate_parameters

__all__ = ["bound_arguments", "tool_definitions"]

_NOT_SENT = frozenset({"ls_structured_output_format", "stream_usage", "config"})
"""Arguments that LangChain, or ``ChatMonster`` itself, takes out of a call."""


def tool_definitions(
    tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
) -> list[dict[str, Any]]:
    """Return the definitions of tools in OpenAI's form."""
    return [convert_to_openai_tool(tool) for tool in tools]


def bound_arguments(
    tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
    *,
    tool_choice: str | bool | dict[str, Any] | None,
    parallel_tool_calls: bool | None,
    response_format: dict[str, Any] | None,
    **kwargs: Any,
) -> dict[str, Any]:
    """Return the arguments of each call of a model with tools, checked as far as they can be.

    Raises:
        InvalidRequestError: The choice names no tool of these, or an argument is unknown.
    """
    definitions = tool_definitions(tools)
    validate_parameters({name: kwargs[name] for name in kwargs if name not in _NOT_SENT})
    # two tools of one name are refused by the call
    by_name = {definition["function"]["name"]: definition for definition in definitions}
    resolve_tool_choice(tool_choice, read_definitions(list(by_name.values())))
    given = {
        "tools": definitions or None,
        "tool_choice": tool_choice,
        "parallel_tool_calls": parallel_tool_calls,
        "response_format": response_format,
    }
    return {**{name: value for name, value in given.items() if value is not None}, **kwargs}
