"""MonsterLLM passes the provider suite."""

from __future__ import annotations

import pytest

from llama_index_monster import MonsterLLM
from tests.llama_index.consumers.surroundings import OVERLOOKED
from tests.llama_index.provider_suite import LLMIntegrationTests, LLMUnitTests
from tests.recorded_endpoint import MODEL

pytestmark = OVERLOOKED


class TestOffline(LLMUnitTests):
    llm_class = MonsterLLM
    llm_params = {"model": MODEL, "temperature": 0}


@pytest.mark.vcr
class TestOnTheRecordedEndpoint(LLMIntegrationTests):
    llm_class = MonsterLLM
    llm_params = {"model": MODEL, "temperature": 0}
