"""Which constraint a request puts on its answers, and what the server refuses about it.

The backends are those of vllm/model_executor/guided_decoding/__init__.py:13.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import _grammars, _lm_format_enforcer
from ._decoding import Guide, compiled
from ._errors import Refusal
from ._request import ChatCompletionNamedToolChoiceParam, ChatCompletionRequest
from ._schemas import parse_schema, schema_pattern

_BACKENDS = ("outlines", _lm_format_enforcer.NAME)


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the answers of a request must be.

    Attributes:
        guide: What is allowed, at the beginning of an answer.
        schema: The JSON schema, if it is one.
        choices: The texts to choose from, if it is a choice.
        is_json: Whether the answers are JSON.
        is_grammar: Whether the server follows it with a parser, not with one pattern, and for
            all choices of an answer at once.
        calls: The names of the functions of which one must be called, if the model writes the call.
    """

    guide: Guide
    schema: Any = None
    choices: Sequence[str] = ()
    is_json: bool = False
    is_grammar: bool = False
    calls: Sequence[str] = ()


def constraint_of(request: ChatCompletionRequest) -> Constraint | None:
    """Compile a request's constraint; what the server ignores, such as an empty one, is none."""
    guided_json = _guided_json(request)
    backend = request.guided_decoding_backend or _BACKENDS[0]
    if backend not in _BACKENDS:
        raise Refusal(
            f"Unknown guided decoding backend '{backend}'. "
            "Must be one of 'outlines, 'lm-format-enforcer'"
        )
    if guided_json and backend == _lm_format_enforcer.NAME:
        return _followed(guided_json)
    if guided_json:
        return _of_schema(guided_json, request.guided_whitespace_pattern)
    if request.guided_regex:
        return Constraint(compiled(_grammars.of_pattern(request.guided_regex)))
    if request.guided_choice:
        choices = request.guided_choice
        return Constraint(compiled(_grammars.of_choices(choices)), choices=choices)
    if request.guided_grammar:
        return Constraint(compiled(_grammars.of_lark(request.guided_grammar)), is_grammar=True)
    if request.response_format and request.response_format.type == "json_object":
        return Constraint(compiled(_grammars.ANY_JSON), is_json=True, is_grammar=True)
    return None


def chosen_tool(request: ChatCompletionRequest) -> str | None:
    """Return the name of the tool that the answers must call, if there is one."""
    choice = request.tool_choice
    if isinstance(choice, ChatCompletionNamedToolChoiceParam):
        return choice.function.name
    return None


def _guided_json(request: ChatCompletionRequest) -> str | None:
    """Write the schema as text: the chosen tool's, which replaces `guided_json` even by none."""
    schema: Any = request.guided_json
    if name := chosen_tool(request):
        parameters = {tool.function.name: tool.function.parameters for tool in request.tools or ()}
        if name not in parameters:
            raise Refusal(f"Tool '{name}' has not been passed in `tools`.")
        schema = parameters[name]
    return json.dumps(schema) if isinstance(schema, dict) and schema else schema or None


@lru_cache(maxsize=64)
def _of_schema(text: str, white_space: str | None) -> Constraint:
    schema = parse_schema(text)
    pattern = schema_pattern(schema, white_space)
    return Constraint(compiled(_grammars.of_pattern(pattern)), schema, is_json=True)


@lru_cache(maxsize=64)
def _followed(text: str) -> Constraint:
    """Take a schema as the engine does that follows it while it writes."""
    schema = parse_schema(text)
    beginning = _lm_format_enforcer.where_it_ends(schema)
    if beginning is not None:
        return Constraint(compiled(_grammars.of_choices([beginning])), choices=[beginning])
    return Constraint(_lm_format_enforcer.guide_of(schema), schema, is_json=True)
