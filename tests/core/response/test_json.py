"""The JSON of a response is read whole, in a fence, cut, and while it streams."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core.errors import StructuredAnswerError, TruncatedAnswerError
from monster_core.response.json import PartialJson, parse_json_text, parse_partial_json
from tests.core.response.strategies import json_objects, json_values, many, pieces_of

containers = json_objects | st.lists(json_values, max_size=3)
WEI = 12345678901234567890123


@pytest.mark.parametrize(
    "text, value",
    [
        ('{"a": 1}', {"a": 1}),
        ('\n {"a": 1} \n', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ("```\n[1]\n```\n", [1]),
        ('  ```json\n{"a": "```"}\n```', {"a": "```"}),
        ('"text"', "text"),
        ("null", None),
        ("-1.5e-3", -0.0015),
        (f'{{"a": {WEI}}}', {"a": WEI}),
        ("9" * 4300, 10**4300 - 1),
    ],
)
def test_a_text_that_is_json_is_read(text: str, value: Any) -> None:
    assert parse_json_text(text, "stop") == value


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "it is empty"),
        (" \n ", "it is empty"),
        ("```json\n```", "it is empty"),
        (" " * 500, "it is nothing but white space"),
        ('{"a": "unfinished', "it ends before it is complete"),
        ('{"a": 1', "it ends before it is complete"),
        ('{"a": 1,', "it ends before it is complete"),
        ('{"a', "it ends before it is complete"),
        ('{"a": tr', "it ends before it is complete"),
        ('{"a": -', "it ends before it is complete"),
        ('{"a": "x\\', "it ends before it is complete"),
        ("[1, 2", "it ends before it is complete"),
        ("{", "it ends before it is complete"),
        ('```json\n{"a": 1', "it ends before it is complete"),
        ("Sure, here it is", "line 1 column 1"),
        ('{"a": 1} trailing', "line 1 column 10"),
        ("{'a': 1}", "line 1 column 2"),
        ("NaN", "line 1 column 1"),
        ('{"a": Infinity}', "line 1 column 7"),
        ('{"a": 1e999}', "the number 1e999 is too large for a float"),
        ('{"a": -1e999, "b": 1}', "the number -1e999 is too large for a float"),
        ('{"a": ' + "9" * 5000 + "}", "an integer has 5000 digits, more than Python reads"),
        ("[" * 100_000, "."),
    ],
)
def test_a_text_that_is_not_json_is_an_error_of_ours_that_says_why(text: str, reason: str) -> None:
    with pytest.raises(StructuredAnswerError, match=f"^The answer is not JSON: .*{reason}"):
        parse_json_text(text, "stop")


@pytest.mark.parametrize(
    "text, said",
    [
        ('{"a": "unfinished', "max_tokens cut the answer"),
        ("", "max_tokens cut the answer"),
        ('{"a":' + "\n" * 500, "wrote white space until max_tokens"),
        (" " * 500, "wrote white space until max_tokens"),
    ],
)
def test_what_max_tokens_cut_says_so(text: str, said: str) -> None:
    with pytest.raises(TruncatedAnswerError, match=said):
        parse_json_text(text, "length")


def is_beginning(part: Any, whole: Any) -> bool:
    """Whether a value may be what has arrived of another one."""
    if isinstance(part, dict) and isinstance(whole, dict):
        shown = list(whole)[: len(part)]
        return list(part) == shown and all(is_beginning(part[key], whole[key]) for key in part)
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(is_beginning, part, whole))
    if isinstance(part, str) and isinstance(whole, str):
        return whole.startswith(part)
    return type(part) is type(whole) and part == whole


@many
@given(containers, st.booleans(), st.sampled_from([None, 1]), st.data())
def test_a_partial_value_grows_into_what_json_loads_returns(
    value: Any, is_ascii: bool, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
    partial = PartialJson()
    for piece in data.draw(pieces_of(text)):
        partial.feed(piece)
        assert partial.value is None or is_beginning(partial.value, value)
    assert partial.value == value or not isinstance(value, (dict, list))


@many
@given(st.text('{}[]",:\\\\ u1dDeE8-.ntx', max_size=40))
def test_a_partial_text_that_is_not_json_raises_nothing(text: str) -> None:
    partial = PartialJson()
    for character in text:
        partial.feed(character)
    json.dumps(partial.value)


def test_partial_strings_grow_and_numbers_appear_whole() -> None:
    partial = PartialJson()
    assert partial.feed('{"name": "Mar')
    assert partial.value == {"name": "Mar"}
    assert partial.feed('ie", "age": 4')
    assert partial.value == {"name": "Marie"}
    assert partial.feed("2}")
    assert partial.value == {"name": "Marie", "age": 42}


def test_a_partial_integer_keeps_its_digits() -> None:
    assert parse_partial_json(f'{{"a": {WEI}, "b": "x') == {"a": WEI, "b": "x"}
    assert parse_partial_json('{"a": NaN, "b": "x') is None


def test_partial_values_share_nothing() -> None:
    partial = PartialJson()
    partial.feed('{"a": [1, 2,')
    earlier = partial.value
    partial.feed(" 3]}")
    partial.value["a"].append(4)
    assert earlier == {"a": [1, 2]}


def test_a_long_text_is_not_parsed_again_with_each_piece() -> None:
    partial = PartialJson()
    partial.feed('{"a": "')
    parses = sum(partial.feed("word ") for _ in range(20_000))
    assert 2_000 < parses < 10_000
    assert len(partial.value["a"]) > 99_000
