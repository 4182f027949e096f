"""An argument that is not taken says what to do instead."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from langchain_monster import ChatMonster
from langchain_monster.errors import InvalidRequestError as LangChainError
from llama_index_monster import MonsterLLM
from monster_core.errors import InvalidRequestError

LANGCHAIN, LLAMA_INDEX = ChatMonster(model="m", api_key="k"), MonsterLLM(model="m", api_key="k")


@pytest.mark.parametrize(
    "name, advice",
    [
        ("functions", "use tools"),
        ("function_call", "use tool_choice"),
        ("reasoning_effort", "no such field. Leave it out, or pass it in a call where server="),
        ("service_tier", "no such field. Leave it out"),
        ("max_completion_tokens", "did you mean 'max_tokens'"),
        ("stop_sequences", "did you mean 'stop'"),
        ("random_seed", "did you mean 'seed'"),
        ("guided_backend", "did you mean 'guided_decoding_backend'"),
        ("temprature", "did you mean 'temperature'"),
        ("web_search_options", "no such field. Leave it out"),
        ("do_sample", "set temperature=0"),
        ("truncate_prompt_tokens", "shorten the conversation"),
        ("openai_api_base", "belongs to the model, not to a call"),
        ("request_timeout", "did you mean 'timeout'"),
        ("extra_header", "did you mean 'extra_headers'"),
        ("format", "use response_format, or guided_json"),
        ("keep_alive", "no such field. Leave it out"),
        ("model_kwargs", "belongs to the model, not to a call"),
        ("additional_kwargs", "belongs to the model, not to a call"),
        ("max_retries", "belongs to the model, not to a call: pass it where the model is made"),
        ("http_client", "belongs to the model, not to a call"),
        ("api_key", "belongs to the model, not to a call"),
    ],
)
def test_an_argument_of_a_call_says_what_to_do(name: str, advice: str) -> None:
    with pytest.raises(LangChainError, match=advice):
        LANGCHAIN.invoke("Hi", **{name: 1})
    with pytest.raises(InvalidRequestError, match=advice):
        LLAMA_INDEX.complete("Hi", **{name: 1})


@pytest.mark.parametrize(
    "model, names",
    [
        (ChatMonster, {"openai_api_base": "'base_url'", "api_base": "'base_url'"}),
        (MonsterLLM, {"openai_api_base": "'api_base'", "base_url": "'api_base'"}),
    ],
)
def test_the_names_of_other_classes_lead_to_ours(model: Any, names: dict[str, str]) -> None:
    for name, ours in names.items():
        with pytest.raises(ValidationError, match=f"did you mean {ours}"):
            model(**{name: "http://127.0.0.1:9/v1"})
    with pytest.raises(ValidationError, match="did you mean 'api_key'"):
        model(openai_api_key="k")
    with pytest.raises(ValidationError, match="no such field"):
        model(reasoning_effort="high")


def test_structured_output_suggests_its_own_arguments_beside_those_of_a_call() -> None:
    with pytest.raises(LangChainError, match="did you mean 'method'"):
        LANGCHAIN.with_structured_output({"title": "a", "type": "object"}, metod="json_mode")


@pytest.mark.parametrize("model", [ChatMonster, MonsterLLM])
def test_the_error_for_a_server_that_is_not_a_text_says_what_a_server_is(model: Any) -> None:
    with pytest.raises(ValidationError, match=r"server is a text such as 'vllm-0\.5', not 5"):
        model(model="m", api_key="k", server=5)
