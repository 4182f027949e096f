"""LangChain's own integration suite, replayed from a server with real weights."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from tests.langchain.test_standard_integration import Suite
from tests.real_weights.models import LLAMA, SMOLLM2


@pytest.mark.vcr
@pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")  # while it is recorded
class TestWithRealWeights(Suite):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        # without a penalty, so small a model repeats a word until max_tokens
        return {"model": LLAMA, "temperature": 0, "repetition_penalty": 1.15, "max_tokens": 200}

    @property
    def model_override_value(self) -> str:
        return SMOLLM2  # the first name that the server serves, in which it answers

    @pytest.mark.xfail(reason="the model asks for magic_function(2) where it is to ask for 3")
    def test_tool_calling(self, model: BaseChatModel) -> None:
        super().test_tool_calling(model)

    @pytest.mark.xfail(reason="the model asks for magic_function(2) where it is to ask for 3")
    async def test_tool_calling_async(self, model: BaseChatModel) -> None:
        await super().test_tool_calling_async(model)

    @pytest.mark.xfail(reason="the model writes another object, which nothing holds to the schema")
    def test_json_mode(self, model: BaseChatModel) -> None:
        super().test_json_mode(model)

    @pytest.mark.xfail(reason="the model answers in words where it is to call the tool")
    def test_agent_loop(self, model: BaseChatModel) -> None:
        super().test_agent_loop(model)

    @pytest.mark.xfail(reason="the model leaves out the Chinese characters of the question")
    def test_unicode_tool_call_integration(self, model: BaseChatModel) -> None:
        super().test_unicode_tool_call_integration(model)
