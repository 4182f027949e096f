"""Texts in which models write calls, or what only looks like one, are read as a person would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monster_core.response.tool_call_parser import ToolCallParser
from monster_core.response.tool_calls import parse_arguments
from tests.core.response.strategies import few, pieces_of

_DATA = json.loads(Path(__file__).with_name("tool_call_texts.json").read_text("utf-8"))
PARAMETERS = {tool["name"]: tool["parameters"] for tool in _DATA["tools"]}
TEXTS = {case["id"]: case for case in _DATA["texts"]}


def read(pieces: list[str], finish_reason: str = "stop") -> dict[str, Any]:
    """Return the calls, the names of those that must not be run, and the text."""
    parser = ToolCallParser(PARAMETERS, PARAMETERS)
    given = [*map(parser.feed, pieces), parser.flush()]
    written: list[list[str]] = []
    for delta in (delta for _, deltas in given for delta in deltas):
        if delta.name is not None:
            written.append([delta.name, ""])
        written[delta.index][1] += delta.arguments
    calls, invalid = [], []
    for name, text in written:
        arguments, problem = parse_arguments(name, text, finish_reason)
        if problem is None:
            calls.append([name, arguments])
        else:
            invalid.append(name)
    return {"calls": calls, "invalid": invalid, "text": "".join(text for text, _ in given)}


def test_a_text_is_read_as_it_is_meant() -> None:
    for name, case in TEXTS.items():
        found = read([case["text"]], case.get("finish_reason", "stop"))
        assert found["calls"] == case["calls"], name
        assert found["invalid"] == case.get("invalid", []), name
        assert found["text"].strip() == case["left"].strip(), name


@pytest.mark.parametrize("first_cut", [1, 2, 3, 4])
def test_a_text_is_read_alike_wherever_it_is_cut_in_two(first_cut: int) -> None:
    for name, case in TEXTS.items():
        text = case["text"]
        whole = read([text])
        for cut in range(first_cut, len(text), 4):
            assert read([text[:cut], text[cut:]]) == whole, name


def test_a_text_is_read_alike_character_by_character() -> None:
    for name, case in TEXTS.items():
        assert read(list(case["text"])) == read([case["text"]]), name


@few
@given(st.lists(st.sampled_from([case["text"] for case in TEXTS.values()]), max_size=3), st.data())
def test_texts_after_one_another_are_read_alike_however_they_are_cut(
    texts: list[str], data: st.DataObject
) -> None:
    text = data.draw(st.sampled_from(["", "\n", " ", ", "])).join(texts)
    assert read(data.draw(pieces_of(text))) == read([text]) == read(list(text))
