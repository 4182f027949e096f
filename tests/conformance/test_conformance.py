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
from tests.conformance.shapes import SHAPES
from tests.conftest import CASSETTES, ROOT
from tests.recorded_endpoint import MODEL, Endpoint
from tests.scripted_replies import small_talk

SMALL_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
OTHER_NAMES = ("mistralai/Mistral-7B-Instruct-v0.3", "NousResearch/Hermes-2-Pro-Llama-3-8B")
ENDS_THE_SERVER = "the_end_of_the_engine"
EMULATED: dict[str, dict[str, Any]] = {
    "vllm-0.5.0": {
        "server": "vllm-0.5",
        "model": [MODEL, "google/gemma-2-9b-it"],
        "bytes_per_token": 1,
    },
    "vllm-0.32.0": {
        "server": "vllm",
        "model": [SMALL_MODEL, MODEL, *OTHER_NAMES],
        "bytes_per_token": 1,
    },
}
"""How the emulator is started to be compared with each server."""

BYTES_PER_TOKEN = {"vllm-0.5.0": 1, "vllm-0.32.0": 4}
"""How many bytes a token of each server's vocabulary is, about."""


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    return str(CASSETTES)


@pytest.fixture
def default_cassette_name(server: str, group: str) -> str:
    """Keep one file for each group of requests to a server."""
    return f"conformance/{server}/{group}"


@pytest.fixture
def recorded_server(request: pytest.FixtureRequest) -> str:
    case = getattr(request.node, "callspec", None)  # only a comparison has one
    return str(EMULATED[case.params["server"]]["server"]) if case else ""


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
    # the server cuts the connection after each 500; authorities, dear to read, are for https
    headers = {"Connection": "close"}
    with httpx.Client(headers=headers, timeout=120, trust_env=False, verify=False) as client:
        yield client


@pytest.mark.vcr
@pytest.mark.parametrize(
    "server, group",
    [
        pytest.param(*pair, marks=pytest.mark.ends_the_server if ENDS_THE_SERVER in pair else ())
        for pair in GROUPS
    ],
)
def test_it_answers_as_the_server_does(
    server: str, group: str, endpoint: Endpoint, client: httpx.Client
) -> None:
    wrong = []
    shape_of = SHAPES[server]
    with Emulator(replies=small_talk, **EMULATED[server]) as emulator:
        for case in cases(server, group):
            recorded = case.send(endpoint.base_url, endpoint.api_key, client)
            answered = case.send(
                emulator.base_url,
                emulator.api_key,
                client,
                bytes_per_token=BYTES_PER_TOKEN[server],
            )
            found = list(body_differences(shape_of(recorded), shape_of(answered)))
            if is_listed(server, case.name):
                wrong += [] if found else [f"{case.name}: no longer differs, yet is listed"]
            else:
                wrong += [f"{case.name}: {line}" for line in found]
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_difference_is_told_in_the_documentation() -> None:
    told = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
    reasons = [reason for differences in DIFFERENCES.values() for reason in differences]
    assert [reason for reason in reasons if reason not in told] == []


def test_every_listed_case_is_in_the_corpus() -> None:
    names = {(server, case.name) for server, group in GROUPS for case in cases(server, group)}
    listed = {
        (server, name)
        for server, differences in DIFFERENCES.items()
        for cases_of_it in differences.values()
        for name in cases_of_it
    }
    assert listed <= names
