"""The JSON value of an answer, or why there is none."""

import pickle

import pytest

from monster_core.json_schema import UnreadableAnswer, read_json_answer


@pytest.mark.parametrize(
    "text,value",
    [
        ('{"a": 1}', {"a": 1}),
        ('\n {"a": 1} \n', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ("```\n[1]\n```\n", [1]),
        ('  ```json\n{"a": "```"}\n```', {"a": "```"}),
        ('"text"', "text"),
        ("null", None),
        ("-1.5e-3", -0.0015),
    ],
)
def test_it_reads(text, value):
    assert read_json_answer(text) == value


@pytest.mark.parametrize(
    "text,kind",
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("```json\n```", "empty"),
        (" " * 500, "endless whitespace"),
        ('{"a":' + "\n" * 500, "endless whitespace"),
        ('{"a": "unfinished', "truncated"),
        ('{"a": 1', "truncated"),
        ('{"a": 1,', "truncated"),
        ('{"a', "truncated"),
        ('{"a": tr', "truncated"),
        ('{"a": -', "truncated"),
        ('{"a": "x\\', "truncated"),
        ("[1, 2", "truncated"),
        ("{", "truncated"),
        ('```json\n{"a": 1', "truncated"),
        ("Sure, here it is", "not JSON"),
        ('{"a": 1} trailing', "not JSON"),
        ("{'a': 1}", "not JSON"),
        ("NaN", "not JSON"),
        ('{"a": Infinity}', "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_it_says_what_is_wrong(text, kind):
    with pytest.raises(UnreadableAnswer) as caught:
        read_json_answer(text)
    assert caught.value.kind == kind
    assert caught.value.text == text


def test_the_error_survives_pickling():
    with pytest.raises(UnreadableAnswer) as caught:
        read_json_answer("{")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.kind, copy.text, str(copy)) == ("truncated", "{", str(caught.value))
