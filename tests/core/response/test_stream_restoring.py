"""A guided answer that streams means what the same answer means when it comes whole."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monster_core.json_schema import LoweredSchema, lower
from tests.core.response.strategies import many, pieces_of

Schema = dict[str, Any]


def streamed(lowered: LoweredSchema, pieces: list[str]) -> str:
    restorer = lowered.stream_restorer()
    return "".join([*map(restorer.feed, pieces), restorer.flush()])


def an_object(properties: Schema, required: list[str] | None = None) -> Schema:
    closed = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**closed, "required": required} if required else closed


@st.composite
def objects(draw: st.DrawFn, values: st.SearchStrategy[Schema], names: str) -> Schema:
    properties = draw(st.dictionaries(st.sampled_from(names), values, min_size=1, max_size=3))
    return an_object(properties, draw(st.sampled_from([[], [], [next(iter(properties))]])))


def schemas_over(values: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    """Objects, arrays and rows of these, and unions whose objects share no property's name."""
    rows = st.lists(values, max_size=2)
    options = st.tuples(objects(leaves, "abc"), objects(leaves, "xyz"))
    return (
        objects(values, "abc")
        | values.map(lambda items: {"type": "array", "items": items})
        | values.map(lambda inner: {"type": "object", "additionalProperties": inner})
        | rows.map(lambda parts: {"prefixItems": parts, "items": False})
        | options.map(lambda parts: {"anyOf": list(parts)})
    )


leaves = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"type": ["string", "null"]},
        {"enum": ["a", None]},
        {"type": "null"},
        {},
    ]
)
schemas = objects(st.recursive(leaves, schemas_over, max_leaves=5), "abc")


@st.composite
def answers(draw: st.DrawFn, schema: Any) -> Any:
    """Make up what a guided model may write: an absent property may be there as null."""
    if not schema:
        return draw(st.sampled_from(["x", 1, True, None]))  # a guide may allow no more
    if "anyOf" in schema:
        return draw(answers(draw(st.sampled_from(schema["anyOf"]))))
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if "prefixItems" in schema:
        return [draw(answers(part)) for part in schema["prefixItems"]]
    match schema["type"]:
        case "object" if "properties" in schema:
            required = schema.get("required", [])
            optional = {
                name: part
                for name, part in schema["properties"].items()
                if name in required or not required or draw(st.booleans())
            }
            return {
                name: draw(answers(part) if name in required else answers(part) | st.none())
                for name, part in optional.items()
            }
        case "object":
            inner = answers(schema["additionalProperties"])
            return draw(st.dictionaries(st.sampled_from("xyz"), inner, max_size=2))
        case "array":
            return draw(st.lists(answers(schema["items"]), max_size=2))
        case "integer":
            return draw(st.integers(-9, 99))
        case "null":
            return None
    texts = st.sampled_from(["", "null", '{"a": null}', 'a "quoted\\ text', "é"])
    return draw(texts if schema["type"] == "string" else texts | st.none())


@many
@given(schemas, st.sampled_from([None, 1]), st.data())
def test_a_streamed_answer_is_restored_like_a_whole_one(
    schema: Schema, indent: int | None, data: st.DataObject
) -> None:
    lowered = lower(schema)
    assume(lowered.obstacle is None)
    answer = data.draw(answers(schema))
    text = json.dumps(answer, indent=indent)
    restored = lowered.restore(answer)
    assert json.loads(streamed(lowered, data.draw(pieces_of(text)))) == restored
    assert json.loads(streamed(lowered, list(text))) == restored


OPTIONAL = lower(an_object({"a": {"type": "string"}, "b": {"type": "integer"}}))


def test_a_null_that_stands_for_absence_is_never_shown() -> None:
    restorer = OPTIONAL.stream_restorer()
    assert [restorer.feed(piece) for piece in ('{"a"', ": nu", "ll", ', "b": 1', "}")] == [
        "{",
        "",
        "",
        ' "b": 1',
        "}",
    ]


def test_the_text_of_a_value_flows_at_once() -> None:
    restorer = OPTIONAL.stream_restorer()
    restorer.feed('{"a": "')
    assert [restorer.feed(piece) for piece in ("Ro", "me", '"')] == ["Ro", "me", '"']


@many
@given(st.text('ab {}[]",:\\n01null', max_size=40) | st.sampled_from(["Hello, {name}!", "{hi"]))
def test_what_is_not_json_is_not_an_error(text: str) -> None:
    restored = streamed(OPTIONAL, [text])
    assert streamed(OPTIONAL, list(text)) == restored
    assert "{" in text or restored == text


@pytest.mark.parametrize("text", ["", "Hello, world.", "[1, 2", '"a": null, "b"', "{hello}: 1, 2"])
def test_text_that_is_not_an_object_passes_through(text: str) -> None:
    assert streamed(OPTIONAL, [text]) == streamed(OPTIONAL, list(text)) == text


@pytest.mark.clock
@pytest.mark.parametrize("start", ["", "{", '{"a": ', '{"a": "', '{"x', "{a", "["])
def test_time_is_linear_in_the_number_of_pieces(start: str) -> None:
    restorer = OPTIONAL.stream_restorer()
    began = process_time()
    restored = restorer.feed(start) + "".join(restorer.feed(" ") for _ in range(10_000))
    assert restored + restorer.flush() == start + " " * 10_000
    assert process_time() - began < 1.5, "it takes about 0.05 s"
