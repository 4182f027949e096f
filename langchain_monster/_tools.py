"""Tools and types as LangChain's callers give them -> definitions and arguments of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.tools import BaseTool, create_schema_from_function
from langchain_core.utils.function_calling import convert_to_openai_tool
from typing_extensions import is_typeddict

from langchain_monster._typed_dicts import RecursiveTypeError, readable
from monster_core.errors import InvalidRequestError
from monster_core.json_schema import SchemaError, schema_of
from monster_core.request.tools import (
    openai_definitions,
    read_definitions,
    resolve_tool_choice,
)

__all__ = [
    "Tool",
    "bound_arguments",
    "definition_of",
    "inlined",
    "tool_definition",
    "tool_definitions",
]

Tool = dict[str, Any] | type | Callable[..., Any] | BaseTool
"""What ``bind_tools`` takes."""


def bound_arguments(
    tools: Sequence[Tool],
    *,
    tool_choice: str | bool | dict[str, Any] | None,
    parallel_tool_calls: bool | None,
    response_format: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the arguments of each call of a model with tools, checked as far as they can be.

    Raises:
        InvalidRequestError: A tool cannot be used, or the choice names no tool of these.
    """
    definitions = tool_definitions(tools)
    if tool_choice is not None:  # two tools of one name are refused by the call
        by_name = {read.name: read for tool in definitions for read in read_definitions([tool])}
        resolve_tool_choice(tool_choice, list(by_name.values()))
    given = {
        "tools": definitions or None,
        "tool_choice": tool_choice,
        "parallel_tool_calls": parallel_tool_calls,
        "response_format": response_format,
    }
    return {name: value for name, value in given.items() if value is not None}


def tool_definitions(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """Return the definitions of tools in OpenAI's form.

    Raises:
        InvalidRequestError: One is not a function, or one that nobody here can run.
    """
    definitions: list[dict[str, Any]] = []
    for tool in tools:
        if not isinstance(tool, Mapping):
            definitions.append(tool_definition(tool))
        elif isinstance(tool.get("function"), Mapping):
            read_definitions([tool])
            definitions.append(dict(tool))
        else:
            definitions += openai_definitions(tool)
    return definitions


def tool_definition(tool: type | Callable[..., Any] | BaseTool) -> dict[str, Any]:
    """Return the definition of a tool that is not a dict in OpenAI's form.

    Raises:
        InvalidRequestError: It is not a function.
    """
    try:
        definition = _converted(tool)
    except (AttributeError, KeyError, RecursionError, SchemaError, TypeError, ValueError) as error:
        raise InvalidRequestError(
            f"The tool {_name(tool)!r} cannot be used: {_first_line(error)}. Give a function, a "
            "LangChain tool, a pydantic class, a TypedDict, or the definition of a function with "
            "its name as a dict."
        ) from error
    read_definitions([definition])
    return definition


def _converted(tool: type | Callable[..., Any] | BaseTool) -> dict[str, Any]:
    """Convert a tool as LangChain does, but for the schemas of which it would drop parts."""
    if is_typeddict(tool):
        try:
            return convert_to_openai_tool(readable(tool))
        except RecursiveTypeError:
            return definition_of(schema_of(tool), tool)
    definition = convert_to_openai_tool(tool)
    if _has_hole(definition):
        schema = _own_schema(tool)
        if _is_recursive(schema):
            return definition_of(schema, tool)
    return definition


def _has_hole(part: Any) -> bool:
    """Whether a schema stands in a definition that allows everything, as what LangChain drops."""
    if isinstance(part, Mapping):
        return not part or any(map(_has_hole, part.values()))
    return isinstance(part, list) and any(map(_has_hole, part))


def _own_schema(tool: Any) -> dict[str, Any]:
    if isinstance(tool, BaseTool):
        return schema_of(tool.tool_call_schema)
    if isinstance(tool, type):
        return schema_of(tool)
    return schema_of(create_schema_from_function(_name(tool), tool))


def definition_of(schema: dict[str, Any], tool: Any = None) -> dict[str, Any]:
    """Return the definition of a function whose arguments satisfy a schema.

    Args:
        schema: The schema; its title and description are the function's where the tool has none.
        tool: The tool that the schema is of.
    """
    schema = inlined(schema)
    own = tool.description if isinstance(tool, BaseTool) else None
    function = {
        "name": _name(tool, schema),
        "description": str(own or schema.get("description") or ""),
        "parameters": {key: schema[key] for key in schema if key not in ("title", "description")},
    }
    return {"type": "function", "function": function}


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose first level stands there, and not in a reference."""
    definitions = schema.get("$defs")
    name = str(schema.get("$ref")).removeprefix("#/$defs/")
    target = definitions.get(name) if isinstance(definitions, Mapping) else None
    if not isinstance(target, Mapping):
        return schema
    return {**{key: value for key, value in schema.items() if key != "$ref"}, **target}


def _name(tool: Any, schema: Mapping[str, Any] | None = None) -> str:
    if isinstance(tool, BaseTool):
        return tool.name
    own = getattr(tool, "__name__", None)
    return str(own or (schema or {}).get("title") or tool)


def _is_recursive(schema: Mapping[str, Any]) -> bool:
    definitions = {
        f"#/{place}/{name}": part
        for place in ("$defs", "definitions")
        if isinstance(schema.get(place), Mapping)
        for name, part in schema[place].items()
    }
    direct = {name: set(_references(part)) for name, part in definitions.items()}
    for start in direct:
        reached, waiting = set[str](), list(direct[start])
        while waiting:
            name = waiting.pop()
            if name == start:
                return True
            if name not in reached:
                reached.add(name)
                waiting += direct.get(name, ())
    return False


def _references(part: Any) -> Iterator[str]:
    waiting = [part]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            if isinstance(item.get("$ref"), str):
                yield item["$ref"]
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__
