"""JSON is read, written and copied with every digit."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core.json_values import copied, read_json, write_json
from tests.core.response.strategies import many

LARGE = 2**64 + 1

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text('a"é😀'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@many
@given(values)
def test_a_value_comes_back_as_it_was_written(value: Any) -> None:
    for found in (read_json(write_json(value)), read_json(json.dumps(value)), copied(value)):
        assert found == value
        assert repr(found) == repr(value)


@many
@given(values)
def test_what_is_written_is_json_without_spaces(value: Any) -> None:
    assert json.loads(write_json(value)) == value
    assert write_json({"a": [1, LARGE]}) == '{"a":[1,18446744073709551617]}'


def test_a_copy_shares_nothing() -> None:
    for value in ({"a": [1]}, {"a": [LARGE]}):
        copied(value)["a"].append(2)
        assert len(value["a"]) == 1


@pytest.mark.parametrize("text", ["", "{", "1" * 5000, "[" * 5000 + "1" * 20 + "]" * 5000])
def test_what_cannot_be_read_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


@pytest.mark.parametrize("value", [{1, 2}, [LARGE, {1}]])
def test_what_cannot_be_written_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        write_json(value)


@pytest.mark.parametrize("number", [1, LARGE])
def test_what_is_not_json_is_made_json_by_the_caller(number: int) -> None:
    value = {1: date(2024, 5, 1), "b": Decimal("1.5"), "n": number}
    assert write_json(value, str) == f'{{"1":"2024-05-01","b":"1.5","n":{number}}}'
