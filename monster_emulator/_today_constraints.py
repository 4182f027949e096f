"""Which constraint a request puts on its answers in vLLM 0.32.0, and what is refused about it.

Schemas are llguidance's own there as here, but for those that the server refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from . import _grammars
from ._constraints import Constraint
from ._decoding import Guide, compiled
from ._errors import Crash, NotEmulated, Refusal
from ._today_request import NamedToolChoice, StructuredOutputs, TodayRequest, Tool

MOST_NESTED = 64

_FORMATS = """
    date date-time duration email hostname ipv4 ipv6 json-pointer relative-json-pointer time uri
    uri-reference uri-template uuid
"""
_KNOWN_FORMATS = frozenset(_FORMATS.split())
_PASSED_OVER = frozenset({"uniqueItems", "contains", "minContains", "maxContains"})
_ANCHORS = re.compile(r"^\^|(?<!\\)\$$")
_GBNF_RULE = re.compile(r"^\s*(\w[\w-]*)\s*::=", re.MULTILINE)


def constraint_of_today(request: TodayRequest) -> Constraint | None:
    """Compile a request's constraint: a forced call, or what the answer must be."""
    if isinstance(request.tool_choice, NamedToolChoice):
        name = request.tool_choice.function.name
        chosen = [tool for tool in request.tools or () if tool.function.name == name]
        return _of_calls(chosen[:1], "call")
    if request.tool_choice == "required":
        return _of_calls(request.tools or (), "call+")
    given = _with_response_format(request)
    return _of_structured_outputs(given) if given else None


def _of_calls(tools: Sequence[Tool], how_many: str) -> Constraint:
    """Guide calls as the model writes them; their arguments are any JSON unless `strict` is set."""
    calls = []
    for tool in tools:
        function = tool.function
        schema: Any = {}
        if function.strict and function.parameters is not None:
            schema = _guidable(function.parameters)
        begin = f'<tool_call>\n{{"name": {json.dumps(function.name)}, "arguments": '
        end = "}\n</tool_call>"
        calls.append(f"{json.dumps(begin)} %json {json.dumps(schema)} {json.dumps(end)}")
    alternatives = "\n    | ".join(calls)
    guide = _compiled(f"start: {how_many}\ncall: {alternatives}")
    return Constraint(guide, calls=tuple(tool.function.name for tool in tools))


def _with_response_format(request: TodayRequest) -> dict[str, Any] | None:
    """Add what `response_format` asks for to `structured_outputs`; two constraints are refused."""
    given = _set(request.structured_outputs) if request.structured_outputs else None
    wanted = request.response_format
    if wanted and wanted.type == "json_object":
        given = {**(given or {}), "json_object": True}
    elif wanted and wanted.type == "json_schema":
        given = {**(given or {}), "json": wanted.json_schema and wanted.json_schema.json_schema}
    if given is not None:
        kinds = [kind for kind, value in given.items() if value is not None]
        if len(kinds) != 1:
            raise _wrong_count(kinds)
    return given


def _set(given: StructuredOutputs) -> dict[str, Any]:
    kinds = ("json_", "regex", "choice", "grammar", "json_object", "structural_tag")
    return {kind.rstrip("_"): getattr(given, kind) for kind in kinds}


def _wrong_count(kinds: Sequence[str]) -> Refusal:
    said = (
        "You can only use one kind of structured outputs constraint but multiple are specified: "
        if kinds
        else "You must use one kind of structured outputs constraint but none are specified: "
    )
    return Refusal(said + ", ".join(kinds))


def _of_structured_outputs(given: dict[str, Any]) -> Constraint:
    ((kind, value),) = ((kind, value) for kind, value in given.items() if value is not None)
    match kind:
        case "choice":
            if not value:
                raise Refusal(f"Choice '{value}' cannot be an empty list")
            return Constraint(_compiled(_grammars.of_choices(value)), choices=value)
        case "regex":
            # the whole answer matches anyway; llguidance takes no anchors
            pattern = _ANCHORS.sub("", value).replace("/", "\\/")
            return Constraint(_compiled(f"start: /{pattern}/"))
        case "grammar":
            return Constraint(_compiled(_lark(value)))
        case "json_object":
            if not value:
                raise Refusal(
                    "structured_outputs.json_object must be True if set; omit structured_outputs "
                    "to disable structured outputs"
                )
            return Constraint(_compiled('start: %json {"type": "object"}'), is_json=True)
        case "json":
            return _of_schema(value)
    raise NotEmulated("This emulator compiles no structural tags.")


def _of_schema(value: Any) -> Constraint:
    if isinstance(value, str):
        if not value.strip():
            raise Refusal("structured_outputs.json cannot be an empty string")
        try:
            value = json.loads(value)
        except ValueError as error:
            raise Refusal("Invalid JSON grammar specification.") from error
    _check_schema(value)
    # llguidance gets what xgrammar does not take, and refuses what it does not know, either;
    # xgrammar passes over it
    options = {} if _is_refused_by_xgrammar(value) else {"x-guidance": {"lenient": True}}
    guided = {**value, **options} if isinstance(value, dict) else value
    return Constraint(_compiled(f"start: %json {json.dumps(guided)}"), value, is_json=True)


def _compiled(grammar: str) -> Guide:
    try:
        return compiled(grammar)
    except (Crash, NotEmulated) as error:
        raise Refusal(f"Grammar error: {error}") from error


def _lark(grammar: str) -> str:
    """Read a grammar of GBNF as one of Lark: its first rule is called root."""
    if not grammar.strip():
        raise Refusal("structured_outputs.grammar cannot be an empty string")
    if _GBNF_RULE.search(grammar):
        rules = _GBNF_RULE.sub(lambda rule: f"{rule[1].replace('-', '_')}:", grammar)
        return re.sub(r"\broot\b", "start", rules)
    return _grammars.of_lark(grammar)


def _check_schema(schema: Any) -> None:
    """Refuse what the server's own check of a schema refuses before llguidance sees it."""
    if _depth(schema) > MOST_NESTED:
        raise Refusal(
            "The JSON schema is nested too deeply: objects and arrays may nest at most "
            f"{MOST_NESTED} levels"
        )


def _depth(value: Any) -> int:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(_depth, inner), default=0)
    return 0


def _is_refused_by_xgrammar(schema: Any) -> bool:
    if isinstance(schema, dict):
        kind = schema.get("format", "date")
        is_refused = kind not in _KNOWN_FORMATS or not _PASSED_OVER.isdisjoint(schema)
        return is_refused or any(map(_is_refused_by_xgrammar, schema.values()))
    return isinstance(schema, list) and any(map(_is_refused_by_xgrammar, schema))


def _guidable(schema: Any) -> Any:
    """Leave out the keywords that a forced call passes over."""
    if isinstance(schema, dict):
        return {k: _guidable(v) for k, v in schema.items() if k not in _PASSED_OVER}
    return list(map(_guidable, schema)) if isinstance(schema, list) else schema
