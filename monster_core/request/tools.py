"""Decide what tools add to a request.

Read in the order of the functions: :func:`read_definitions` takes the definitions of any provider,
:func:`resolve_tool_choice` reduces the caller's choice to one of four cases, and :func:`tools_part`
chooses a strategy for it:

=========  =================================================================================
strategy   how a call is obtained
=========  =================================================================================
"native"   the server's own ``tools`` and ``tool_choice``
"guided"   ``guided_json``: a union of one call object for each tool, an array when parallel
"prompt"   the prompt alone; the text is read as calls or as text, whatever it is
=========  =================================================================================

vLLM 0.5.0 knows the choices "none" and one named tool, whose schema guides the response
(``ChatCompletionToolChoiceOption`` in its ``protocol.py``), and never shows a tool to the model. So
the prompt holds the definitions. On later servers it does, too, since their chat template may not
show tools either; it is left out for a caller who asks for "native".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from inspect import cleandoc
from typing import Any, Literal

from monster_core.errors import InvalidRequestError
from monster_core.json_schema import LoweredSchema, SchemaError, lower, schema_of
from monster_core.model_families import ToolFormat
from monster_core.name_suggestions import unknown_name
from monster_core.request.engine_choice import EngineChoice
from monster_core.request.request_part import RequestPart
from monster_core.request.tool_prompts import arguments_key, write_definitions
from monster_core.response.types import ResponseSpec
from monster_core.server_profiles import ServerProfile, server_profile

__all__ = [
    "ToolChoice",
    "ToolDefinition",
    "ToolStrategy",
    "openai_definitions",
    "read_definitions",
    "resolve_tool_choice",
    "tools_part",
]

ToolStrategy = Literal["native", "guided", "prompt"]
"""How a forced call is obtained: by a named choice, by a guided union, or by the prompt alone."""

_log = logging.getLogger(__name__)
_DOCUMENTED = server_profile(None)


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
    """Hold what the caller wants, whatever words expressed it.

    Args:
        kind: "none", "auto", "any" (one of the tools must be called) or "named".
        name: The tool to call, where the kind is "named".
    """

    kind: Literal["none", "auto", "any", "named"]
    name: str | None = None


# --- Definitions


def read_definitions(tools: Sequence[Mapping[str, Any]]) -> list[ToolDefinition]:
    """Read the definitions of tools in the form of any provider.

    Args:
        tools: Functions as OpenAI's two APIs, Anthropic, Bedrock, Gemini and MCP define them.

    Raises:
        InvalidRequestError: One is not a function, has no name or no usable schema, or two have
            the same name.
    """
    definitions: dict[str, ToolDefinition] = {}
    for tool in tools:
        for function in _functions(tool):
            read = _read_definition(function)
            if read.name in definitions:
                raise InvalidRequestError(
                    f"Two tools are named {read.name!r}: give each its own name."
                )
            definitions[read.name] = read
    return list(definitions.values())


def openai_definitions(tool: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the functions of one definition in the form of OpenAI's API.

    Args:
        tool: The definition, in the form of any provider; Gemini's may hold several functions.

    Raises:
        InvalidRequestError: As in :func:`read_definitions`.
    """
    return [
        {
            "type": "function",
            "function": {
                "name": definition.name,
                "description": definition.description,
                "parameters": definition.parameters,
            },
        }
        for definition in read_definitions([tool])
    ]


_SCHEMA_KEYS = (
    "parameters",
    "input_schema",
    "inputSchema",
    "parametersJsonSchema",
    "parameters_json_schema",
    "schema",
    "json_schema",
)
"""Keys that hold the schema of a function's arguments, in one provider's form or another's."""

_FUNCTION_KEYS = frozenset({*_SCHEMA_KEYS, "description", "name", "properties", "title", "type"})
_MISSPELLABLE_KEYS = (*_SCHEMA_KEYS, "description", "function", "name", "properties")
_MIN_LIKENESS = 0.75

_OPENAI_KEYS = frozenset({"description", "name", "parameters", "strict", "type"})
_NOT_OF_THE_SCHEMA = frozenset({"description", "name", "strict", "title"})
"""Keys of a function that stand beside the keywords of its schema, where it has no schema key."""

_LISTS_OF_FUNCTIONS = ("function_declarations", "functionDeclarations")
_NOT_TOOLS = frozenset({"cachePoint", "cache_point"})
"""What Bedrock takes in a list of tools beside tools."""

_FUNCTION_TYPES = frozenset({"array", "function", "json_schema", "object"})
"""Types that stand in definitions of functions, or in schemas that stand for one."""

_FORM = (
    'Give {"type": "function", "function": {"name": ..., "description": ..., "parameters": ...}}.'
)
_MAX_SHOWN_CHARS = 100


def _functions(tool: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the functions that one entry of a list of tools defines, without their wrapper."""
    if not isinstance(tool, Mapping):
        raise InvalidRequestError(f"A tool is a dict, not {_shortened(tool)}. {_FORM}")
    for key in _LISTS_OF_FUNCTIONS:
        functions = tool.get(key)
        if isinstance(functions, (list, tuple)):
            for function in functions:
                yield from _functions(function)
            return
    for key in ("function", "toolSpec", "json_schema"):
        inner = tool.get(key)
        if isinstance(inner, Mapping) and not (key == "json_schema" and "name" in tool):
            yield inner
            return
    if tool and tool.keys() <= _NOT_TOOLS:
        return
    builtin = _builtin_name(tool)
    if builtin is not None:
        raise InvalidRequestError(
            f"The tool {builtin!r} is one that another provider defines, and only its models know "
            "it: give a function of your own that does the same."
        )
    yield tool


def _builtin_name(tool: Mapping[str, Any]) -> str | None:
    """Return the name of a tool that its provider runs; None for a function."""
    if not tool.keys().isdisjoint(_SCHEMA_KEYS) or "properties" in tool:
        return None
    kind = tool.get("type")
    if isinstance(kind, str):
        return None if kind in _FUNCTION_TYPES else kind
    if tool and all(isinstance(part, (Mapping, type(None))) for part in tool.values()):
        return str(next(iter(tool)))  # Gemini's {"googleSearch": {}}
    return None


def _check_keys(function: Mapping[str, Any]) -> None:
    for key in function.keys() - _FUNCTION_KEYS:
        [*meant] = get_close_matches(str(key), _MISSPELLABLE_KEYS, 1, _MIN_LIKENESS)
        if meant and meant[0] not in function:
            if meant[0] in _SCHEMA_KEYS and not function.keys().isdisjoint(_SCHEMA_KEYS):
                continue  # such as MCP's outputSchema, beside its inputSchema
            raise InvalidRequestError(
                f"{key!r} is not a key of a tool's definition: did you mean {meant[0]!r}?"
            )


def _read_definition(function: Mapping[str, Any]) -> ToolDefinition:
    if function.keys() - _OPENAI_KEYS:
        _check_keys(function)
    name = function.get("name") or function.get("title")
    if not isinstance(name, str):
        raise InvalidRequestError(f"A tool has no name: {_shortened(function)}. {_FORM}")
    # Python 3.13 drops a docstring's indentation by itself: the prompt must not depend on it
    description = cleandoc(str(function.get("description") or ""))
    return ToolDefinition(name, description, _parameters(function, name))


def _shortened(value: Any) -> str:
    text = repr(dict(value) if isinstance(value, Mapping) else value)
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}..."


def _parameters(function: Mapping[str, Any], name: str) -> dict[str, Any]:
    given: Any = None
    for key in _SCHEMA_KEYS:
        given = function.get(key)
        if given is not None:
            break
    if given is None and "properties" in function:
        given = {key: function[key] for key in function if key not in _NOT_OF_THE_SCHEMA}
    elif isinstance(given, Mapping) and isinstance(given.get("json"), Mapping):
        given = given["json"]  # Bedrock's inputSchema
    if given is None or given == {}:
        return {"type": "object", "properties": {}}
    try:
        schema = schema_of(given) or {"type": "object", "properties": {}}
        if schema.get("type", "object") != "object" and "object" not in schema["type"]:
            raise SchemaError(f"its type is {schema['type']!r}")
        return schema
    except (SchemaError, TypeError) as error:
        reason = error.reason if isinstance(error, SchemaError) else str(error)
        raise InvalidRequestError(
            f"The parameters of the tool {name!r} are not a usable JSON schema of an object: "
            f"{reason.rstrip('.')}{'' if reason.endswith('?') else '.'}"
        ) from error


# --- The choice among them


def resolve_tool_choice(choice: Any, definitions: Sequence[ToolDefinition]) -> ToolChoice:
    """Reduce every way to express a tool choice to a closed set.

    Args:
        choice: None, "auto", "none", "any", "required", a bool, a tool's name, or the dict of
            OpenAI, Anthropic or Bedrock.
        definitions: The tools to choose from.

    Raises:
        InvalidRequestError: It names no tool of these, or cannot be understood.
    """
    wanted = _unwrapped_choice(choice) if isinstance(choice, Mapping) else choice
    if wanted in (None, False, "auto"):
        return ToolChoice("auto" if definitions else "none")
    if wanted == "none":
        return ToolChoice("none")
    if not definitions:
        raise InvalidRequestError(f"tool_choice {choice!r} needs tools, and there are none.")
    names = [definition.name for definition in definitions]
    if isinstance(wanted, str) and wanted in names:
        return ToolChoice("named", wanted)
    if wanted is True or wanted in ("any", "required"):
        return ToolChoice("named", names[0]) if len(names) == 1 else ToolChoice("any")
    if isinstance(wanted, str):
        raise InvalidRequestError(
            f"{unknown_name('tool', wanted, names)} tool_choice takes auto, none, any, required or "
            f"a tool's name: {', '.join(names)}."
        )
    raise InvalidRequestError(
        f"tool_choice cannot be {choice!r}: use auto, none, any, required, a tool's name, or "
        '{"type": "function", "function": {"name": ...}}.'
    )


_CHOICE_TYPES = frozenset({"any", "auto", "none", "required"})


def _unwrapped_choice(choice: Mapping[str, Any]) -> Any:
    """Return the word or the name in a provider's dict; what is not such a dict as it is."""
    for key in ("function", "tool"):  # OpenAI's and Bedrock's
        inner = choice.get(key)
        if isinstance(inner, Mapping) and isinstance(inner.get("name"), str):
            return inner["name"]
    if isinstance(choice.get("name"), str):
        return choice["name"]
    kind = choice.get("type")
    if isinstance(kind, str) and kind in _CHOICE_TYPES:
        return kind
    if len(choice) == 1 and choice.keys() <= _CHOICE_TYPES:  # Bedrock's {"any": {}}
        return next(iter(choice))
    return choice


# --- What they add to the request


def tools_part(
    definitions: Sequence[ToolDefinition],
    choice: ToolChoice,
    tool_format: ToolFormat,
    *,
    is_parallel: bool,
    strategy: ToolStrategy | None = None,
    server: ServerProfile = _DOCUMENTED,
    engines: EngineChoice | None = None,
) -> RequestPart:
    """Return what tools add to a request.

    Args:
        definitions: The tools.
        choice: What the caller wants.
        tool_format: How the model's family writes calls.
        is_parallel: Whether the model may call several tools at once.
        strategy: How to obtain a call; None for the best that the choice and the server allow.
        server: The server's profile.
        engines: What may hold the arguments of a forced call to their schema.

    Raises:
        InvalidRequestError: The strategy cannot serve the choice, or a schema cannot be used.
    """
    if choice.kind == "none":
        return RequestPart()
    wanted = [tool for tool in definitions if choice.name in (None, tool.name)]
    chosen, forced, fields = _choose_strategy(
        wanted, choice, strategy, server, engines or EngineChoice(), tool_format, is_parallel
    )
    is_shown_by_template = chosen == strategy == "native" and server.renders_tools
    if chosen == "native":
        offered = definitions if is_shown_by_template else wanted
        fields |= _native_fields(offered, choice, forced, server)
        if server.renders_tools and not is_parallel:
            fields["parallel_tool_calls"] = False
    prompt = None
    if choice.kind != "auto" and chosen != "native":  # the response names the function it calls
        prompt = write_definitions(wanted, ToolChoice("any"), tool_format, is_parallel=is_parallel)
    elif not is_shown_by_template:
        prompt = write_definitions(definitions, choice, tool_format, is_parallel=is_parallel)
    parameters = {tool.name: tool.parameters for tool in definitions}
    mends_calls = chosen == "guided" and any(not low.engine.writes_json for low in forced.values())
    spec = ResponseSpec(
        frozenset(parameters),
        None if is_parallel else 1,
        forced,
        tool_parameters=parameters,
        mends_calls=mends_calls,
    )

    def after(problem: str, is_json: bool) -> RequestPart:
        again = tools_part(
            definitions,
            choice,
            tool_format,
            is_parallel=is_parallel,
            strategy=strategy if is_json else "prompt",
            server=server,
            engines=engines,
        )
        return replace(again, prompt="\n\n".join(filter(None, (again.prompt, problem))))

    is_called = choice.kind != "auto"
    return RequestPart(
        fields, prompt, spec, is_forced=bool(forced), after=after if is_called else None
    )


def _choose_strategy(
    tools: Sequence[ToolDefinition],
    choice: ToolChoice,
    wanted: ToolStrategy | None,
    server: ServerProfile,
    engines: EngineChoice,
    tool_format: ToolFormat,
    is_parallel: bool,
) -> tuple[ToolStrategy, Mapping[str, LoweredSchema], dict[str, Any]]:
    """Return the strategy for a choice among tools, the schemas of those it forces, and fields."""
    if choice.kind == "auto":  # natively only if asked: the server must be started for it
        is_native = wanted == "native" and "auto" in server.native_choices
        return ("native" if is_native else "prompt"), {}, {}
    if wanted == "prompt":
        return "prompt", {}, {}
    is_native = choice.kind in server.native_choices
    if wanted == "native" and not is_native:
        raise InvalidRequestError(_NOT_NATIVE[choice.kind].format(server=server.name))
    if wanted == "guided" or not is_native:
        for tool in tools:
            _lowered(tool, lower)  # which says whose parameters cannot be used
        parameters = {tool.name: _closed(tool.parameters) for tool in tools}
        key = arguments_key(tool_format)
        calls = engines.lower_calls(parameters, key, is_list=is_parallel)
        forced, obstacle, engine = calls.functions, calls.obstacle, calls.engine
        fields = {"guided_json": calls.schema}
    else:
        if len(tools) > 1:  # one engine serves them all
            engines = replace(engines, engines=engines.engines[:1])
        forced = {tool.name: _lowered(tool, engines.lower) for tool in tools}
        found = ((name, low.obstacle) for name, low in forced.items() if low.obstacle is not None)
        obstacle, fields = next(found, None), {}
        engine = next(iter(forced.values())).engine
    if obstacle is not None:
        _log.warning(
            "The server cannot be made to call %s: %s; the prompt alone asks for it.", *obstacle
        )
        return "prompt", {}, {}
    return (
        "native" if not fields else "guided",
        forced,
        {**fields, **engines.fields(engine)},
    )


_NOT_NATIVE = {
    "any": "The native tool strategy of server={server!r} forces one named tool: name it in "
    "tool_choice, or leave tool_strategy out.",
    "named": "server={server!r} takes no named tool_choice: leave tool_strategy out.",
}


def _lowered(
    tool: ToolDefinition, lower_schema: Callable[[dict[str, Any]], LoweredSchema]
) -> LoweredSchema:
    """Return what becomes of the schema of a tool's parameters."""
    try:
        return lower_schema(_closed(tool.parameters))
    except SchemaError as error:
        raise InvalidRequestError(
            f"The parameters of the tool {tool.name!r} cannot be used: {error}."
        ) from error


_MEMBER_KEYWORDS = (
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "patternProperties",
    "properties",
)


def _closed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Let a function without parameters be called with none, not with any that come to mind."""
    has_members = any(map(parameters.get, _MEMBER_KEYWORDS))
    if parameters.get("type", "object") != "object" or has_members:
        return parameters
    return {"type": "object", "properties": {}, "additionalProperties": False}


def _native_fields(
    offered: Sequence[ToolDefinition],
    choice: ToolChoice,
    forced: Mapping[str, LoweredSchema],
    server: ServerProfile,
) -> dict[str, Any]:
    tools: list[dict[str, Any]] = []
    for tool in offered:
        function: dict[str, Any] = {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
        }
        if tool.name in forced:
            function["parameters"] = forced[tool.name].schema
            if server.needs_strict:
                function["strict"] = True
        tools.append({"type": "function", "function": function})
    word: Any = {"any": "required", "auto": "auto"}.get(choice.kind)
    return {
        "tools": tools,
        "tool_choice": word or {"type": "function", "function": {"name": choice.name}},
    }
