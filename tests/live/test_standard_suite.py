"""LangChain's integration suite on the endpoint that the environment names."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.langchain.test_standard_integration import Suite
from tests.recorded_endpoint import MODEL


@pytest.mark.live
class TestOnTheNamedEndpoint(Suite):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": os.environ.get("MONSTER_MODEL") or MODEL, "temperature": 0}

    @property
    def model_override_value(self) -> str:
        return os.environ.get("MONSTER_MODEL") or MODEL

    @property
    def enable_vcr_tests(self) -> bool:
        return False  # there is no cassette to time
