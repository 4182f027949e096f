"""The cassette format: readable, and the same exchange when it is read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from tests.cassette_format import CassetteFormat, KeyInCassetteError
from tests.recorded_endpoint import Endpoint, keep_listed_headers
from tests.recording.key_shapes import find_keys

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


def interaction(sent: str | None, answered: str, status: int = 200) -> dict[str, Any]:
    return {
        "request": {
            "method": "POST",
            "uri": "/chat/completions",
            "headers": {"content-type": ["application/json"]},
            "body": sent,
        },
        "response": {
            "status": {"code": status, "message": ""},
            "headers": {"content-type": ["application/json"]},
            "body": {"string": answered},
        },
    }


def written(one: dict[str, Any]) -> str:
    return CassetteFormat().serialize({"interactions": [one]})


def reread(one: dict[str, Any]) -> dict[str, Any]:
    (read,) = CassetteFormat().deserialize(written(one))["interactions"]
    return read


@given(sent=JSON.filter(lambda value: value is not None), answered=JSON)
def test_json_bodies_come_back_as_the_same_json(sent: Any, answered: Any) -> None:
    read = reread(interaction(json.dumps(sent), json.dumps(answered)))
    assert json.loads(read["request"]["body"]) == sent
    assert json.loads(read["response"]["body"]["string"]) == answered


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_other_bodies_come_back_as_the_same_text(text: str) -> None:
    body = f"data: {text}\n\ndata: [DONE]\n\n"
    assert reread(interaction("{}", body))["response"]["body"]["string"] == body


@pytest.mark.parametrize("body", ["data: one\r\n\r\n", " leading\n", "tab\t\n", "\u2028\n", "😀\n"])
def test_awkward_texts_come_back_as_they_were(body: str) -> None:
    assert reread(interaction("{}", body))["response"]["body"]["string"] == body


def test_a_body_of_json_is_stored_as_a_structure() -> None:
    kept = yaml.safe_load(written(interaction('{"model": "m", "n": 1}', '{"choices": []}')))
    assert kept["interactions"][0]["request"]["json"] == {"model": "m", "n": 1}
    assert kept["interactions"][0]["response"]["json"] == {"choices": []}


def test_a_stream_is_stored_as_lines_of_text() -> None:
    text = written(interaction("{}", 'data: {"é": 1}\n\ndata: [DONE]\n\n'))
    assert '      data: {"é": 1}\n\n      data: [DONE]\n' in text


def test_a_request_without_body_stays_without() -> None:
    assert reread(interaction(None, "{}"))["request"]["body"] is None


def test_an_exchange_that_holds_the_key_is_not_written() -> None:
    with pytest.raises(KeyInCassetteError):
        CassetteFormat(["open-sesame"]).serialize(
            {"interactions": [interaction("{}", '{"message": "bad key open-sesame"}')]}
        )


def test_a_request_is_reduced_to_its_path_and_listed_headers() -> None:
    headers = {"Authorization": "Bearer x", "Content-Type": "application/json", "Host": "h"}
    url = "https://h.example/deploy/v1/chat/completions"
    request = Endpoint("https://h.example/deploy/v1", "x").strip(Request("POST", url, b"", headers))
    assert request.uri == "/chat/completions"
    assert dict(request.headers.items()) == {"Content-Type": "application/json"}


def test_a_reply_is_reduced_to_listed_headers() -> None:
    reply = {"headers": {"Set-Cookie": ["a"], "Content-Type": ["b"], "date": ["c"]}}
    assert keep_listed_headers(reply) == {"headers": {"Content-Type": ["b"]}}


@pytest.mark.parametrize("prefix", ["sk-", "hf_", "Bearer ", "eyJ", "ghp_"])
def test_what_looks_like_a_key_is_found_and_not_shown(prefix: str) -> None:
    key = prefix + "a1B2" * 8
    assert find_keys(f"MONSTER_API_KEY={key}\n") == [f"{key[:8]}..."]


@pytest.mark.parametrize("text", ["sk-emulator", "task-parallel-structured-outputs-1", "hf_hub"])
def test_ordinary_words_are_not_keys(text: str) -> None:
    assert find_keys(text) == []
