"""Decide how a tool choice is served: natively, through a guided union, or through the prompt.

The server knows only a named choice, whose schema guides the answer, and shows no tool to the
model. So tools are always told in the prompt; a choice among several is one guided union; "auto"
is left to the model and read back from its text.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from monster_core.errors import InvalidRequestError
from monster_core.json_schema import LoweredSchema, SchemaError, lower
from monster_core.json_schema.tool_call_schema import lower_calls
from monster_core.model_families import ToolFormat
from monster_core.request.tool_definitions import ToolChoice, ToolDefinition
from monster_core.request.tool_prompts import ARGUMENTS_KEY, write_definitions

__all__ = ["ToolPlan", "ToolStrategy", "plan_tools"]

ToolStrategy = Literal["native", "guided", "prompt"]
"""How a forced call is obtained: a named choice, a guided union, or the prompt alone."""

_LONGEST_COMPILATION = 2.5  # seconds; the server keeps what it has compiled
_MEMBER_KEYWORDS = (
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "patternProperties",
    "properties",
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolPlan:
    """Hold what a tool choice adds to a request, and how its answer is read.

    Args:
        instructions: What the prompt says of the tools; None where there are none.
        fields: Request fields to send.
        names: The tools whose calls are read from the answer's text.
        lowered: The schemas that guided a tool's arguments, by the tool's name.
        most_calls: How many calls an answer may hold; what more there are is dropped.
    """

    instructions: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    lowered: Mapping[str, LoweredSchema] = field(default_factory=dict)
    most_calls: int | None = None


def plan_tools(
    definitions: Sequence[ToolDefinition],
    choice: ToolChoice,
    tool_format: ToolFormat,
    *,
    is_parallel: bool,
    strategy: ToolStrategy | None = None,
) -> ToolPlan:
    """Plan how a choice among tools is put to the server.

    Args:
        definitions: The tools.
        choice: What the caller wants.
        tool_format: How the model's family writes calls.
        is_parallel: Whether the model may call several tools at once.
        strategy: How to obtain a forced call; None for the best that the choice allows.

    Raises:
        InvalidRequestError: The strategy cannot serve the choice, or a schema cannot be used.
    """
    if choice.kind == "none":
        return ToolPlan()
    plan = _plan(definitions, choice, tool_format, is_parallel, strategy)
    return plan if is_parallel else replace(plan, most_calls=1)


def _plan(
    definitions: Sequence[ToolDefinition],
    choice: ToolChoice,
    tool_format: ToolFormat,
    is_parallel: bool,
    strategy: ToolStrategy | None,
) -> ToolPlan:
    instructions = write_definitions(definitions, choice, tool_format, is_parallel=is_parallel)
    names = frozenset(definition.name for definition in definitions)
    if choice.kind == "auto" or strategy == "prompt":
        return ToolPlan(_prompted(definitions, choice, tool_format, is_parallel), {}, names)
    if strategy == "native" and choice.kind != "named":
        raise InvalidRequestError(
            "The native tool strategy forces one named tool: name it in tool_choice, or leave "
            "tool_strategy out."
        )
    forced = [tool for tool in definitions if choice.name in (None, tool.name)]
    lowered = {tool.name: _lowered(tool) for tool in forced}
    obstacles = [f"{name}: {low.obstacle}" for name, low in lowered.items() if low.obstacle]
    if obstacles:
        _log.warning(
            "The server cannot be made to call %s; the prompt alone asks for it.", obstacles[0]
        )
        return ToolPlan(_prompted(definitions, choice, tool_format, is_parallel), {}, names)
    if choice.kind == "named" and strategy != "guided":
        return ToolPlan(instructions, _native(forced[0], lowered), names, lowered)
    instructions = _prompted(definitions, choice, tool_format, is_parallel)
    key = ARGUMENTS_KEY[tool_format]
    schema = lower_calls(lowered, key, is_list=is_parallel, limit=_LONGEST_COMPILATION)
    return ToolPlan(instructions, {"guided_json": schema}, names, lowered)


def _lowered(tool: ToolDefinition) -> LoweredSchema:
    try:
        return lower(_closed(tool.parameters))
    except SchemaError as error:
        raise InvalidRequestError(
            f"The parameters of the tool {tool.name!r} cannot be used: {error}."
        ) from error


def _closed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Let a function without parameters be called with none, not with any that come to mind."""
    has_members = any(parameters.get(keyword) for keyword in _MEMBER_KEYWORDS)
    if parameters.get("type", "object") != "object" or has_members:
        return parameters
    return {"type": "object", "properties": {}, "additionalProperties": False}


def _prompted(
    definitions: Sequence[ToolDefinition],
    choice: ToolChoice,
    tool_format: ToolFormat,
    is_parallel: bool,
) -> str:
    """Write the prompt of an answer that names the function it calls."""
    shown = [tool for tool in definitions if choice.name in (None, tool.name)]
    kind = ToolChoice("auto" if choice.kind == "auto" else "any")
    return write_definitions(shown, kind, tool_format, is_parallel=is_parallel)


def _native(tool: ToolDefinition, lowered: Mapping[str, LoweredSchema]) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description}
    sent = {**function, "parameters": lowered[tool.name].schema}
    return {
        "tools": [{"type": "function", "function": sent}],
        "tool_choice": {"type": "function", "function": {"name": tool.name}},
    }
