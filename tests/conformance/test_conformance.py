"""The emulator answers every request of the corpus as the recorded server did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from vcr.request import Request

from monster_emulator import Emulator
from tests.cassette_playback import body_differences
from tests.conformance.cases import GROUPS, cases
from tests.conformance.differences import DIFFERENCES, is_listed
from tests.conformance.shapes import shape_of
from tests.conftest import CASSETTES, ROOT
from tests.recorded_endpoint import MODEL, Endpoint
from tests.scripted_replies import small_talk

ENDS_THE_SERVER = "the_end_of_the_engine"


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    """Keep one file for each group of requests."""
    return str(CASSETTES / "conformance" / "vllm-0.5.0")


@pytest.fixture
def vcr_config(vcr_config: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Record and replay what goes to the server; let what goes to the emulator through."""

    def strip(request: Request) -> Request | None:
        is_elsewhere = "//" in request.uri and not request.uri.startswith(f"{endpoint.base_url}/")
        return None if is_elsewhere else endpoint.strip(request)

    return {**vcr_config, "before_record_request": strip}


@pytest.fixture
def client(endpoint: Endpoint, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    is_recording = request.config.getoption("--record-mode") not in (None, "none")
    if is_recording and urlsplit(endpoint.base_url).hostname not in ("127.0.0.1", "localhost"):
        pytest.skip("some of these requests take a server down: record from one of your own")
    # the server cuts the connection after each 500
    headers = {"Connection": "close"}
    with httpx.Client(headers=headers, timeout=120, trust_env=False) as client:
        yield client


@pytest.mark.vcr
@pytest.mark.parametrize(
    "group",
    [
        pytest.param(group, marks=pytest.mark.ends_the_server if group == ENDS_THE_SERVER else ())
        for group in GROUPS
    ],
)
def test_it_answers_as_the_server_does(
    group: str, endpoint: Endpoint, client: httpx.Client
) -> None:
    wrong = []
    with Emulator(
        model=[MODEL, "google/gemma-2-9b-it"], replies=small_talk, bytes_per_token=1
    ) as emulator:
        for case in cases(group):
            recorded = case.send(endpoint.base_url, endpoint.api_key, client)
            answered = case.send(emulator.base_url, emulator.api_key, client)
            found = list(body_differences(shape_of(recorded), shape_of(answered)))
            if is_listed(case.name):
                wrong += [] if found else [f"{case.name}: no longer differs, yet is listed"]
            else:
                wrong += [f"{case.name}: {line}" for line in found]
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_difference_is_told_in_the_documentation() -> None:
    told = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
    assert [reason for reason in DIFFERENCES if reason not in told] == []


def test_every_listed_case_is_in_the_corpus() -> None:
    names = {case.name for group in GROUPS for case in cases(group)}
    listed = {name for names in DIFFERENCES.values() for name in names}
    assert listed <= names
