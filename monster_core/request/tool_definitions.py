"""Read tool definitions, and reduce a tool choice to one of four closed cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import cleandoc
from typing import Any, Literal

from monster_core.errors import InvalidRequestError
from monster_core.json_schema.dialects import without_nulls
from monster_core.name_suggestions import unknown_name

__all__ = [
    "ToolChoice",
    "ToolDefinition",
    "check_definition",
    "read_definitions",
    "resolve_tool_choice",
]


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """Hold one function that a model may call.

    Args:
        name: The function's name.
        description: What it does, for the model to read.
        parameters: The JSON schema of its arguments.
    """

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Hold what the caller wants, whatever words it used.

    Args:
        kind: "none", "auto", "any" (one of the tools must be called) or "named".
        name: The tool to call, where the kind is "named".
    """

    kind: Literal["none", "auto", "any", "named"]
    name: str | None = None


def read_definitions(tools: Sequence[Mapping[str, Any]]) -> list[ToolDefinition]:
    """Read definitions in OpenAI's shape, bare function objects included.

    Args:
        tools: ``{"type": "function", "function": {...}}`` or the inner object alone.

    Raises:
        InvalidRequestError: One has no name, or two have the same.
    """
    definitions = [_read_definition(tool) for tool in tools]
    names = [definition.name for definition in definitions]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidRequestError(f"Two tools are named {twice[0]!r}: give each its own name.")
    return definitions


def resolve_tool_choice(choice: Any, definitions: Sequence[ToolDefinition]) -> ToolChoice:
    """Reduce every way of saying a tool choice to a closed set.

    Args:
        choice: None, "auto", "none", "any", "required", a bool, a tool's name, or OpenAI's dict.
        definitions: The tools to choose from.

    Raises:
        InvalidRequestError: It names no tool of these, or cannot be understood.
    """
    if choice is None or choice is False or choice == "auto":
        return ToolChoice("auto" if definitions else "none")
    if choice == "none":
        return ToolChoice("none")
    name = _chosen_name(choice)
    if not definitions:
        raise InvalidRequestError(f"tool_choice {choice!r} needs tools, and there are none.")
    names = [definition.name for definition in definitions]
    if name is not None and name in names:
        return ToolChoice("named", name)
    if choice is True or choice in ("any", "required"):
        return ToolChoice("named", names[0]) if len(names) == 1 else ToolChoice("any")
    if name is not None:
        raise InvalidRequestError(
            f"{unknown_name('tool', name, names)} tool_choice takes auto, none, any, required or "
            f"a tool's name: {', '.join(names)}."
        )
    raise InvalidRequestError(
        f"tool_choice cannot be {choice!r}: use auto, none, any, required, a tool's name, or "
        '{"type": "function", "function": {"name": ...}}.'
    )


def check_definition(tool: Mapping[str, Any]) -> None:
    """Refuse what is not the definition of a function, in whichever provider's form.

    Args:
        tool: The definition.

    Raises:
        InvalidRequestError: It is a tool that another provider runs on its own servers, such as
            a web search, or a key of it is misspelt.
    """
    inner = tool.get("function")
    function = inner if isinstance(inner, Mapping) else tool
    for key in function.keys() - _FUNCTION_KEYS:
        meant = get_close_matches(key, _SCHEMA_KEYS, 1, _MIN_LIKENESS)
        if meant:
            raise InvalidRequestError(
                f"{key!r} is not a key of a tool's definition: did you mean {meant[0]!r}?"
            )
    name = _builtin_name(tool, function)
    if name is not None:
        raise InvalidRequestError(
            f"The tool {name!r} runs on the servers of another provider, and this server runs no "
            "tools: give a function of your own that does the same."
        )


_SCHEMA_KEYS = ("input_schema", "json_schema", "parameters", "properties", "schema", "toolSpec")
"""Keys that hold the schema of a function's arguments, in one provider's form or another's."""

_FUNCTION_KEYS = frozenset(
    {*_SCHEMA_KEYS, "cache_control", "description", "function", "name", "strict", "title", "type"}
)
_MIN_LIKENESS = 0.75


def _builtin_name(tool: Mapping[str, Any], function: Mapping[str, Any]) -> str | None:
    if not function.keys().isdisjoint(_SCHEMA_KEYS):
        return None  # a type beside a schema belongs to the schema, or to a function's form
    kind = tool.get("type")
    if isinstance(kind, str):
        return None if kind == "function" else kind
    if len(tool) == 1 and isinstance(next(iter(tool.values())), Mapping) and function is tool:
        return str(next(iter(tool)))  # Gemini's {"googleSearch": {}}
    return None


def _chosen_name(choice: Any) -> str | None:
    if isinstance(choice, str):
        return choice
    if isinstance(choice, Mapping):
        function = choice.get("function")
        name = function.get("name") if isinstance(function, Mapping) else choice.get("name")
        return name if isinstance(name, str) else None
    return None


def _read_definition(tool: Mapping[str, Any]) -> ToolDefinition:
    if isinstance(tool, Mapping):
        check_definition(tool)
    inner = tool.get("function") if isinstance(tool, Mapping) else None
    function = inner if isinstance(inner, Mapping) else tool
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name:
        raise InvalidRequestError(
            'A tool has no name: give {"type": "function", "function": {"name": ..., '
            '"description": ..., "parameters": ...}}.'
        )
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    if not isinstance(parameters, Mapping):
        raise InvalidRequestError(
            f"The parameters of the tool {name!r} are no JSON schema: give a dict of type object."
        )
    # Python 3.13 drops a docstring's indentation by itself: the prompt shall not depend on it
    description = cleandoc(str(function.get("description") or ""))
    return ToolDefinition(name, description, without_nulls(parameters))
