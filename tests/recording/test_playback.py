"""What a test is told when it sends something else than was recorded, or less."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from vcr import VCR
from vcr.cassette import Cassette
from vcr.errors import CannotOverwriteExistingCassetteException

from tests.cassette_format import CassetteFormat
from tests.cassette_playback import (
    body_differences,
    drift_message,
    exchanges,
    find_drift,
    same_request,
)
from tests.recorded_endpoint import REPLAYED

URL = f"{REPLAYED.base_url}/chat/completions"


@pytest.mark.parametrize(
    "recorded, sent, lines",
    [
        ({"n": 1}, {"n": 1}, []),
        ({"n": 1}, {"n": 2}, ["n: recorded 1, sent 2"]),
        ({"n": 1}, {"n": True}, ["n: recorded 1, sent True"]),
        ({"n": 1}, {"n": 1.0}, ["n: recorded 1, sent 1.0"]),
        ({"n": 1}, {}, ["n: recorded 1, not sent"]),
        ({}, {"seed": None}, ["seed: sent None, not recorded"]),
        ({"a": [{"b": "x"}]}, {"a": [{"b": "y"}]}, ["a[0].b: recorded 'x', sent 'y'"]),
        ({"a": "xy"}, {"a": "xz"}, ["a: recorded 'xy', sent 'xz'"]),
        (
            {"a": "p" * 99 + "b" * 99},
            {"a": "p" * 99 + "c"},
            [f"a: recorded ...'{'p' * 40}{'b' * 80}'..., sent ...'{'p' * 40}c'"],
        ),
        ({"a": []}, {"a": [1]}, ["a[0]: sent 1, not recorded"]),
        ({"a": {}}, {"a": []}, ["a: recorded {}, sent []"]),
        (None, {"a": 1}, ["body: recorded None, sent {'a': 1}"]),
    ],
)
def test_differences_name_the_place(recorded: Any, sent: Any, lines: list[str]) -> None:
    assert list(body_differences(recorded, sent)) == lines


@pytest.fixture
def cassette(tmp_path: Path) -> Any:
    """Play a cassette of two requests whose bodies are {"n": 1} and {"n": 2}."""
    text = CassetteFormat().serialize({"interactions": [_exchange(1), _exchange(2)]})
    (tmp_path / "two.yaml").write_text(text)
    vcr = VCR(record_mode="none", before_record_request=REPLAYED.strip)
    vcr.register_serializer("yaml", CassetteFormat())
    vcr.register_matcher("same_request", same_request)
    path = str(tmp_path / "two.yaml")
    with vcr.use_cassette(path, match_on=["same_request"]) as playing:
        yield playing


def test_a_drifted_body_is_described_by_its_nearest_recording(cassette: Cassette) -> None:
    message = _refused(cassette, {"n": 2, "seed": 3})
    assert "  seed: sent 3, not recorded\nIf" in message


def test_a_request_sent_once_too_often_is_reported_as_such(cassette: Cassette) -> None:
    httpx.post(URL, json={"n": 2})
    assert "fewer times than it is sent" in _refused(cassette, {"n": 2})


def test_drift_is_found_behind_another_error(cassette: Cassette) -> None:
    with pytest.raises(CannotOverwriteExistingCassetteException) as caught:
        httpx.post(URL, json={})
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = caught.value
    assert find_drift(wrapped) is caught.value
    assert find_drift(ValueError("other")) is None


def test_what_a_test_has_sent_is_known_in_order(cassette: Cassette) -> None:
    for number in (2, 1):
        assert httpx.post(URL, json={"n": number}).json() == {"got": number}
    assert [body for body, _ in exchanges(cassette)] == [{"n": 2}, {"n": 1}]


def _refused(cassette: Cassette, body: dict[str, Any]) -> str:
    with pytest.raises(CannotOverwriteExistingCassetteException) as caught:
        httpx.post(URL, json=body)
    return drift_message(cassette, caught.value.failed_request)


def _exchange(number: int) -> dict[str, Any]:
    return {
        "request": {
            "method": "POST",
            "uri": "/chat/completions",
            "headers": {},
            "body": json.dumps({"n": number}),
        },
        "response": {
            "status": {"code": 200, "message": ""},
            "headers": {"content-type": ["application/json"]},
            "body": {"string": json.dumps({"got": number})},
        },
    }
