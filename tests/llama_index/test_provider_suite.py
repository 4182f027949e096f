"""MonsterLLM passes the provider suite."""

from __future__ import annotations

from typing import Any

import pytest

from llama_index_monster import MonsterLLM
from tests.llama_index.consumers.surroundings import OVERLOOKED
from tests.llama_index.provider_suite import LLMIntegrationTests, LLMTests, LLMUnitTests
from tests.recorded_endpoint import MODEL

pytestmark = OVERLOOKED


class OfMonsterLLM(LLMTests):
    llm_class = MonsterLLM

    @property
    def llm_params(self) -> dict[str, Any]:
        return {"model": MODEL, "temperature": 0}


class TestOffline(OfMonsterLLM, LLMUnitTests):
    pass


@pytest.mark.vcr
class TestOnTheRecordedEndpoint(OfMonsterLLM, LLMIntegrationTests):
    pass
