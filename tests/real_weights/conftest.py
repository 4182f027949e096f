"""The recordings of a server with real weights: vLLM 0.5.0.post1 with SmolLM2-135M-Instruct."""

from __future__ import annotations

import pytest

from tests.conftest import CASSETTES


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    return str(CASSETTES / "vllm-0.5.0-smollm2")


@pytest.fixture
def recorded_server() -> str:
    return "smollm2"
