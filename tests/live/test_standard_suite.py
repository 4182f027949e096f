"""LangChain's integration suite on the endpoint that the environment names.

Of vLLM 0.32.0 with SmolLM2-135M-Instruct it is known which tests pass (`standard_suite.json`): with
``MONSTER_SERVER=vllm MONSTER_MODEL=HuggingFaceTB/SmolLM2-135M-Instruct`` these must pass again. The
others fail because of what so small a model says, and fail with ChatOpenAI, too: it was run there
with the same settings and without retries.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.langchain.test_standard_integration import Suite
from tests.recorded_endpoint import MODEL as RECORDED_MODEL

KNOWN = json.loads(Path(__file__).with_name("standard_suite.json").read_text("utf-8"))
MODEL = os.environ.get("MONSTER_MODEL") or RECORDED_MODEL
SERVER = os.environ.get("MONSTER_SERVER")
IS_KNOWN = KNOWN["model"] == MODEL and SERVER == "vllm"


@pytest.fixture(autouse=True)
def expect_what_is_known(request: pytest.FixtureRequest) -> None:
    """Expect a test to fail that the known model fails."""
    name = getattr(request.node, "originalname", "")
    if IS_KNOWN and name in KNOWN["the model's failures"]:
        reason = KNOWN["the model's failures"][name]
        request.node.add_marker(pytest.mark.xfail(reason=reason, strict=False))


@pytest.mark.live
class TestOnTheNamedEndpoint(Suite):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        params = {"model": MODEL, "temperature": 0, "max_tokens": 200}
        if SERVER:
            params |= {"server": SERVER, "tool_strategy": "native"}
        if IS_KNOWN:
            params["frequency_penalty"] = 0.5  # so small a model repeats itself without end
        return params

    @property
    def model_override_value(self) -> str:
        return MODEL

    @property
    def enable_vcr_tests(self) -> bool:
        return False  # there is no cassette to time


def test_each_known_result_is_of_a_test_of_the_suite() -> None:
    named = {*KNOWN["passed"], *KNOWN["passed by ChatOpenAI"], *KNOWN["the model's failures"]}
    assert named <= {name for name in dir(Suite) if name.startswith("test_")}


def test_no_test_passes_with_another_class_only() -> None:
    assert set(KNOWN["passed by ChatOpenAI"]) <= set(KNOWN["passed"])
