"""JSON is parsed while it arrives."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core.response.partial_json import PartialJson
from tests.core.response.strategies import json_objects, json_values, many, pieces_of

containers = json_objects | st.lists(json_values, max_size=3)


def fed(*pieces: str) -> PartialJson:
    parser = PartialJson()
    for piece in pieces:
        parser.feed(piece)
    return parser


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
def test_the_value_grows_into_what_json_loads_returns(
    value: Any, is_ascii: bool, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
    parser, before = PartialJson(), None
    for piece in data.draw(pieces_of(text)):
        has_changed = parser.feed(piece)
        now = json.dumps(parser.value)
        assert has_changed or now == (before or "null")
        assert parser.value is None or is_beginning(parser.value, value)
        before = now
    assert parser.is_complete
    assert parser.value == value


@many
@given(st.text('{}[]",:\\\\ u1dDeE8-.ntx', max_size=40))
def test_what_is_no_json_is_no_error(text: str) -> None:
    json.dumps(fed(*text).value)
    assert fed(text).value == fed(*text).value


def test_strings_grow_and_numbers_appear_whole() -> None:
    parser = fed('{"name": "Mar')
    assert parser.value == {"name": "Mar"}
    assert parser.feed("ie")
    assert not parser.feed('", "age": 4')
    assert parser.value == {"name": "Marie"}
    assert parser.feed("2}")
    assert parser.value == {"name": "Marie", "age": 42}


def test_what_follows_the_value_is_ignored() -> None:
    parser = fed('{"a": 1}')
    assert not parser.feed(' and {"b": 2}')
    assert parser.value == {"a": 1}


@pytest.mark.parametrize("half", ["\\ud83d", "\\ude00", "\\ud83d\\n", "\\ud83d\\u0041"])
def test_half_a_character_is_replaced_and_reading_goes_on(half: str) -> None:
    text = f'{{"a": "{half}", "b": 1}}'
    for parser in (fed(text), fed(*text)):
        assert parser.value["a"].startswith("\ufffd")
        assert parser.value["b"] == 1


@pytest.mark.parametrize("escape", ["\\x41", "\\u12g4", "\\ "])
def test_an_escape_that_is_none_ends_the_reading(escape: str) -> None:
    parser = fed(f'{{"a": "b{escape}', *["c"] * 20, '"}')
    assert parser.value == {"a": "b"}
    assert not parser.is_complete


@pytest.mark.parametrize(
    "start, filling",
    [('["', "a"), ('["', "é"), ("[", " "), ("[", ","), ("[", "1,"), ('["\\x', "a"), ("{", "[")],
)
def test_time_is_linear_in_the_number_of_pieces(start: str, filling: str) -> None:
    began = process_time()
    parser = fed(start)
    for _ in range(20_000):
        parser.feed(filling)
        _ = parser.value
    assert process_time() - began < 1.5, "it takes about 0.05 s"


def test_a_number_without_end_ends_the_reading() -> None:
    parser = PartialJson()
    for _ in range(3000):
        parser.feed("1")
    parser.feed(",")
    assert parser.value is None
