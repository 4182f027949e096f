from __future__ import annotations

import copy
import inspect
import json
import pickle
import socket

import httpx
import pytest
from llama_index.core import Settings
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, ValidationError

import llama_index_monster
from llama_index_monster import MonsterLLM
from monster_core.errors import ConfigurationError, InvalidRequestError

SECRET = "sk-very-secret"

POSITIONAL = [
    "model",
    "temperature",
    "max_tokens",
    "additional_kwargs",
    "max_retries",
    "api_base",
    "api_key",
    "callback_manager",
    "system_prompt",
    "messages_to_prompt",
    "completion_to_prompt",
    "pydantic_program_mode",
    "output_parser",
]
"""The positional arguments of llama-index-llms-monsterapi's class, in its order."""


class Answer(BaseModel):
    text: str


def test_the_public_names_are_sorted_and_there():
    assert llama_index_monster.__all__ == sorted(llama_index_monster.__all__)
    assert all(hasattr(llama_index_monster, name) for name in llama_index_monster.__all__)


def test_it_is_a_function_calling_llm():
    assert issubclass(MonsterLLM, (BaseLLM, LLM, FunctionCallingLLM))


def test_it_is_made_without_a_key_and_without_a_socket(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    llm = MonsterLLM()
    assert llm.model == "meta-llama/Meta-Llama-3-8B-Instruct"
    assert llm.api_base == "https://llm.monsterapi.ai/v1"
    assert llm.metadata.model_name == llm.model


def test_the_first_request_names_the_missing_key():
    with pytest.raises(ConfigurationError, match="MONSTER_API_KEY") as raised:
        MonsterLLM(api_base="http://127.0.0.1:9/v1").complete("hi")
    assert isinstance(raised.value, ValueError)


def test_the_replaced_class_s_positional_arguments_keep_their_places():
    assert list(inspect.signature(MonsterLLM).parameters)[: len(POSITIONAL)] == POSITIONAL
    manager = CallbackManager([])
    llm = MonsterLLM(
        "m",
        0.5,
        9,
        {"top_p": 0.5},
        3,
        "http://127.0.0.1:9/v1/",
        SECRET,
        manager,
        "Be brief.",
        None,
        str.upper,
        PydanticProgramMode.LLM,
        None,
    )
    assert (llm.model, llm.temperature, llm.max_tokens, llm.max_retries) == ("m", 0.5, 9, 3)
    assert llm.additional_kwargs == {"top_p": 0.5}
    assert (llm.api_base, llm.api_key.get_secret_value()) == ("http://127.0.0.1:9/v1", SECRET)
    assert llm.callback_manager is manager
    assert llm.system_prompt == "Be brief."
    assert llm.completion_to_prompt("a") == "A"
    assert llm.pydantic_program_mode is PydanticProgramMode.LLM


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("MONSTER_MODEL", "of-the-environment")
    monkeypatch.setenv("MONSTER_API_BASE", "https://deployed.example/v1")
    monkeypatch.setenv("MONSTER_MAX_RETRIES", "7")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    llm = MonsterLLM()
    assert (llm.model, llm.api_base) == ("of-the-environment", "https://deployed.example/v1")
    assert llm.max_retries == 7
    assert llm.api_key is None
    assert MonsterLLM("of-the-argument").model == "of-the-argument"


def test_the_error_for_an_unknown_argument_says_the_nearest_name():
    with pytest.raises(ValidationError, match="'temprature': did you mean 'temperature'"):
        MonsterLLM(temprature=0.5)
    with pytest.raises(
        ValidationError, match="'additional_args': did you mean 'additional_kwargs'"
    ):
        MonsterLLM(additional_args={})


def test_a_value_out_of_range_is_refused_at_construction_and_at_assignment():
    with pytest.raises(ValidationError, match="temperature"):
        MonsterLLM(temperature=-1)
    llm = MonsterLLM()
    with pytest.raises(InvalidRequestError, match="temperature"):
        llm.temperature = -1


def test_llama_index_s_own_fields_are_arguments():
    limiter = TokenBucketRateLimiter(requests_per_minute=60)
    llm = MonsterLLM(rate_limiter=limiter, query_wrapper_prompt=None, callback_manager=None)
    assert llm.rate_limiter is limiter
    assert isinstance(llm.callback_manager, CallbackManager)


def test_it_survives_a_round_trip_through_dict_and_json(monkeypatch):
    monkeypatch.setenv("MONSTER_API_KEY", SECRET)
    llm = MonsterLLM(
        "m",
        temperature=0,
        stop=["END"],
        timeout=httpx.Timeout(5, read=60),
        additional_kwargs={"custom": 1},
        context_window=4096,
        system_prompt="Be brief.",
    )
    data = llm.to_dict()
    assert data["class_name"] == MonsterLLM.class_name() == "MonsterLLM"
    for copied in (MonsterLLM.from_dict(data), MonsterLLM.from_json(llm.to_json())):
        assert copied.to_dict() == data
        assert copied.api_key == llm.api_key
    assert MonsterLLM(**data).to_dict() == data


@pytest.mark.filterwarnings(  # LlamaIndex's workflows look at deprecated attributes of agents
    "ignore::pydantic.warnings.PydanticDeprecatedSince20",
    "ignore::pydantic.warnings.PydanticDeprecatedSince211",
)
def test_the_secrets_stand_in_no_dump_and_no_repr():
    llm = MonsterLLM(api_key=SECRET, default_headers={"x-gateway": SECRET})
    shown = [
        repr(llm),
        str(llm),
        repr(llm.to_dict()),
        llm.to_json(),
        llm.model_dump_json(),
        repr(llm.to_payload()),
        repr(llm.as_structured_llm(Answer)),
        repr(llm.as_structured_llm(Answer).to_dict()),
        repr(FunctionAgent(llm=llm, tools=[])),
    ]
    assert not [text for text in shown if SECRET in text]


def test_the_secrets_stand_in_no_validation_error():
    with pytest.raises(ValidationError) as raised:
        MonsterLLM(api_key=SECRET, default_headers={"x-gateway": SECRET}, temperature="hot")
    assert SECRET not in str(raised.value) + repr(raised.value.errors())


def test_it_serves_as_the_llm_of_the_settings():
    llm = MonsterLLM()
    Settings.llm = llm
    try:
        assert Settings.llm is llm
    finally:
        Settings._llm = None


def test_copies_work_after_use_and_keep_the_key(calls, emulated_llm):
    assert calls.complete(emulated_llm).text
    for copied in (
        copy.deepcopy(emulated_llm),
        copy.copy(emulated_llm),
        pickle.loads(pickle.dumps(emulated_llm)),
    ):
        assert copied.to_dict() == emulated_llm.to_dict()
        assert calls.complete(copied).text == "The capital of France is Paris."


def test_a_deep_copy_keeps_to_the_same_rate_limit_and_callbacks():
    llm = MonsterLLM(rate_limiter=TokenBucketRateLimiter(requests_per_minute=60))
    copied = copy.deepcopy(llm)
    assert copied.rate_limiter is llm.rate_limiter
    assert copied.callback_manager is llm.callback_manager


def test_to_dict_is_plain_json():
    assert json.loads(MonsterLLM(timeout=5).to_json())["timeout"] == 5.0


OPENAI_LIKE = [
    "api_version",
    "audio_config",
    "is_chat_model",
    "is_function_calling_model",
    "modalities",
    "reasoning_effort",
    "reuse_client",
    "should_use_structured_outputs",
    "strict",
]


@pytest.mark.parametrize("name", OPENAI_LIKE)
def test_an_argument_of_openai_like_without_an_equivalent_may_be_left_out(name):
    with pytest.raises(ValidationError, match=f"Unknown argument '{name}': .*Leave it out"):
        MonsterLLM(**{name: True})


@pytest.mark.parametrize(
    "name, said",
    [
        ("openai_api_base", "did you mean 'api_base'"),
        ("extra_body", "additional_kwargs"),
        ("tokenizer", "Settings.tokenizer"),
    ],
)
def test_an_argument_of_openai_like_says_what_takes_its_place(name, said):
    with pytest.raises(ValidationError, match=said):
        MonsterLLM(**{name: "x"})


@pytest.mark.parametrize(
    "name, said",
    [
        ("api_base", "belongs to the model"),
        ("context_window", "belongs to the model"),
        ("functions", "use tools"),
        ("function_call", "use tool_choice"),
        ("max_completion_tokens", "did you mean 'max_tokens'"),
        ("stream", "call a method that streams"),
        ("strict", "Leave it out"),
        ("tool_required", "tool_choice to 'required'"),
        ("use_chat_completions", "Leave it out"),
    ],
)
def test_a_call_says_what_to_do_instead_of_an_argument(calls, name, said):
    llm = MonsterLLM(api_key="k")
    for call in (calls.chat, calls.complete, calls.stream_chat, calls.stream_complete):
        with pytest.raises(InvalidRequestError, match=said):
            call(llm, **{name: "x"})
