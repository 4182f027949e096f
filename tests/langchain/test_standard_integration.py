"""LangChain's own integration suite, whole, replayed from a real vLLM 0.5.0 server."""

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_monster import ChatMonster
from tests.recorded_endpoint import MODEL


class Suite(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatMonster

    @property
    def model_override_value(self) -> str:
        return MODEL

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def enable_vcr_tests(self) -> bool:
        return True


# The endpoint answers every request in the name of the first model that it serves: only another
# model can be overridden by it.
OTHER_MODEL = "google/gemma-2-9b-it"


@pytest.mark.vcr
@pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")  # while it is recorded
class TestWithEveryRole(Suite):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": OTHER_MODEL, "temperature": 0, "family": "llama-3.1"}


@pytest.mark.vcr
@pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")  # while it is recorded
class TestWithoutSystemAndToolRoles(Suite):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": OTHER_MODEL, "temperature": 0}
