"""The schema that today's vLLM is given: held against a compiler of that generation.

vLLM compiles schemas with xgrammar, and with llguidance what that refuses. Patterns aside, which
xgrammar holds against the JSON text, both read the keywords that are sent alike.
"""

from __future__ import annotations

import json
from typing import Any

import llguidance
import pytest
from llguidance import LLMatcher

from monster_core.json_schema import lower
from monster_core.json_schema.emit import KEYWORDS
from monster_core.json_schema.engines import XGRAMMAR
from tests.core.json_schema.corpus import CORPUS

TOKENIZER = llguidance.LLTokenizer("byte")


def sent(schema: Any) -> dict[str, Any]:
    lowered = lower(schema, engine=XGRAMMAR)
    assert lowered.obstacle is None
    assert not lowered.changes_instances
    return lowered.schema


def lets_through(schema: Any, text: str) -> bool:
    """Whether a server that is guided by what is sent can write a text."""
    grammar = LLMatcher.grammar_from_json_schema(json.dumps(sent(schema)))
    matcher = LLMatcher(TOKENIZER, grammar)
    tokens = list(text.encode())
    return bool(
        matcher.validate_tokens(tokens) == len(tokens)
        and matcher.consume_tokens(tokens)
        and matcher.is_accepting()
    )


def objects(properties: dict[str, Any], **keywords: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **keywords}


NODE = objects(
    {"v": {"type": "integer"}, "n": {"anyOf": [{"$ref": "#/$defs/N"}, {"type": "null"}]}},
    required=["v", "n"],
)


@pytest.mark.parametrize(
    "schema, possible, impossible",
    [
        (
            objects({"a": {"type": "string"}, "b": {"type": "integer"}}),
            ["{}", '{"a": "x"}', '{"b": 1}', '{"a": "x", "b": 2}'],
            ['{"c": 1}', '{"a": 1}', '{"a": null}'],
        ),
        ({"type": "integer", "minimum": 1, "maximum": 10_000}, ["1", "10000"], ["0", "10001"]),
        ({"type": "number", "minimum": 1.5, "maximum": 3}, ["1.5", "2.9"], ["1.4", "3.5"]),
        ({"type": "integer", "minimum": 1.5}, ["2"], ["1"]),
        ({"type": "integer", "exclusiveMinimum": 1}, ["2"], ["1"]),
        (
            {"type": "string", "maxLength": 300},
            ['"abc"', f'"{"a" * 300}"'],
            [f'"{"a" * 301}"'],
        ),
        (
            objects({'a"b\n': {"enum": ['x"y', "é"]}}, required=['a"b\n']),
            [r'{"a\"b\n": "x\"y"}', r'{"a\"b\n": "é"}'],
            ["{}"],
        ),
        (
            {"$ref": "#/$defs/N", "$defs": {"N": NODE}},
            ['{"v": 1, "n": {"v": 2, "n": {"v": 3, "n": null}}}'],
            ['{"v": 1}'],
        ),
        (
            objects({"x": {}}, required=["x"]),
            ['{"x": {"a": [1, {"b": null}]}}', '{"x": "s"}', '{"x": [[1]]}'],
            ["{}"],
        ),
        (objects({}, additionalProperties=False), ["{}"], ['{"a": 1}']),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1},
            ['{"a": 1, "b": 2}'],
            ['{"a": "x"}', "{}"],
        ),
        (
            {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            ["[[1], [2, 3]]", "[]"],
            ['[["a"]]'],
        ),
        (
            {
                "allOf": [
                    objects({"a": {"type": "integer"}}, required=["a"]),
                    objects({"b": {"type": "integer"}}, required=["b"]),
                ]
            },
            ['{"a": 1, "b": 2}'],
            ['{"b": 1}', '{"a": 1}'],
        ),
        ({"type": "string"}, [r'"a\"b\n"', '""', '"é"'], ["1"]),
        ({"const": ""}, ['""'], ['"b"']),
        ({"type": "string", "format": "date"}, ['"2024-02-03"'], ['"today"']),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_server_is_held_to_what_the_schema_asks(
    schema: Any, possible: list[str], impossible: list[str]
) -> None:
    assert [text for text in possible if not lets_through(schema, text)] == []
    assert [text for text in impossible if lets_through(schema, text)] == []


KNOWN = KEYWORDS | {"$defs", "$ref", "maximum", "minimum"}
NAMING = ("$defs", "properties")


def keywords(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(keywords, schema))
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for key, value in schema.items():
        if key != "enum":
            found |= keywords(list(value.values()) if key in NAMING else value)
    return found


def test_no_schema_has_what_makes_the_server_choose_another_compiler() -> None:
    for name, schema in CORPUS.items():
        lowered = lower(schema, engine=XGRAMMAR)
        assert keywords(lowered.schema) <= KNOWN, name
        grammar = LLMatcher.grammar_from_json_schema(json.dumps(lowered.schema))
        assert not LLMatcher.validate_grammar(grammar, TOKENIZER), name


def test_a_large_schema_costs_nothing_there() -> None:
    schema = objects({f"p{n}": {"type": "string", "maxLength": 4096} for n in range(60)})
    lowered = lower(schema, engine=XGRAMMAR)
    assert (lowered.relaxed, lowered.seconds) == ((), 0)
    assert len(lowered.schema["properties"]) == 60
