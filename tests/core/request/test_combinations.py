"""Combinations that the server refuses, or answers with nonsense, are refused first."""

from __future__ import annotations

from typing import Any

import pytest

from monster_core.errors import InvalidRequestError
from monster_core.request.validation import check_combinations

NAMED = {"type": "function", "function": {"name": "f"}}
JSON_OBJECT = {"type": "json_object"}
BEAM = {"use_beam_search": True, "temperature": 0, "best_of": 2}

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"top_logprobs": 3, "logprobs": False}, "leave out logprobs=False"),
    ({"guided_json": {}, "guided_regex": "a"}, "Only one of guided_json, guided_regex"),
    ({"guided_choice": ["a"], "guided_json": {}}, "Only one of"),
    ({"guided_grammar": "g", "guided_regex": "a"}, "Only one of"),
    ({"guided_json": {}, "tool_choice": NAMED}, "would replace it"),
    ({"guided_regex": "a", "tool_choice": NAMED}, "would replace it"),
    ({"n": 3, "best_of": 2}, "best_of 2 is less than n 3"),
    ({"use_beam_search": True}, "temperature=0 and best_of"),
    ({"use_beam_search": True, "temperature": 0}, "temperature=0 and best_of"),
    ({"use_beam_search": True, "temperature": 0, "best_of": 1}, "at least 2"),
    ({"use_beam_search": True, "temperature": 1, "best_of": 2}, "temperature=0"),
    ({**BEAM, "top_p": 0.5}, "top_p unset or 1"),
    ({**BEAM, "top_k": 5}, "top_k unset or -1"),
    ({"length_penalty": 0.5}, "add use_beam_search=True"),
    ({"early_stopping": True}, "add use_beam_search=True"),
    ({"early_stopping": True, "use_beam_search": False}, "add use_beam_search=True"),
    ({"temperature": 0, "n": 2}, "one answer only"),
    ({"temperature": 0, "best_of": 2}, "one answer only"),
    ({"guided_grammar": "g", "n": 2}, "guided_grammar works for one answer at a time"),
    ({"guided_grammar": "g", "best_of": 2}, "leave out n and best_of"),
    ({"response_format": JSON_OBJECT, "n": 2}, "json_object works for one answer at a time"),
    ({"min_tokens": 10, "max_tokens": 5}, "min_tokens 10 is more than max_tokens 5"),
]

ACCEPTED: list[dict[str, Any]] = [
    {},
    {"logprobs": True, "top_logprobs": 0},
    {"guided_json": {}, "tool_choice": "none"},
    {"guided_json": {}, "guided_decoding_backend": "outlines"},
    {"n": 2, "best_of": 2},
    {"n": 2},
    BEAM,
    {**BEAM, "n": 2, "length_penalty": 0.5, "early_stopping": True, "top_p": 1, "top_k": -1},
    {"length_penalty": 1, "early_stopping": False},
    {"min_tokens": 5, "max_tokens": 5},
    {"min_tokens": 5},
    {"temperature": 0, "n": 1},
    {"guided_grammar": "g", "n": 1},
    {"response_format": JSON_OBJECT},
    {"guided_json": {}, "n": 2},
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fields, said", REFUSED, ids=str)
def test_a_refused_combination_says_what_to_change(
    fields: dict[str, Any], said: str, stream: bool
) -> None:
    if stream and fields.get("n", 1) > 1:
        said = "cannot be streamed"
    with pytest.raises(InvalidRequestError, match=said):
        check_combinations(dict(fields), stream=stream)


@pytest.mark.parametrize("fields", ACCEPTED, ids=str)
def test_any_other_combination_is_sent(fields: dict[str, Any]) -> None:
    sent = dict(fields)
    check_combinations(sent, stream=False)
    assert sent == fields


@pytest.mark.parametrize(
    "fields, stream, said",
    [
        ({"n": 2}, True, "n=2 cannot be streamed"),
        ({"echo": True}, True, "call without streaming"),
        ({"stream_options": {"include_usage": True}}, False, "for streams only"),
    ],
)
def test_some_fields_are_for_one_way_of_answering_only(
    fields: dict[str, Any], stream: bool, said: str
) -> None:
    check_combinations(dict(fields), stream=not stream)
    with pytest.raises(InvalidRequestError, match=said):
        check_combinations(dict(fields), stream=stream)


def test_top_logprobs_brings_the_logprobs_it_needs() -> None:
    fields: dict[str, Any] = {"top_logprobs": 3}
    check_combinations(fields, stream=False)
    assert fields == {"top_logprobs": 3, "logprobs": True}
