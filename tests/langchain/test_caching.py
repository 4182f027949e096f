"""The cache answers equal calls, and only these."""

from __future__ import annotations

from typing import Any

from langchain_core.caches import InMemoryCache

from langchain_monster import ChatMonster
from monster_core.request.fields import CallParameters
from monster_emulator import Emulator
from tests.langchain.answering import TOOLS, Way, asked, every_way
from tests.langchain.conftest import chat_with
from tests.recorded_endpoint import MODEL

OTHER_VALUES: dict[str, Any] = {
    "model": "other",
    "user": "me",
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "min_p": 0.5,
    "seed": 5,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "repetition_penalty": 0.5,
    "logit_bias": {"5": 1.0},
    "max_tokens": 5,
    "min_tokens": 5,
    "stop": ["x"],
    "stop_token_ids": [5],
    "include_stop_str_in_output": True,
    "ignore_eos": True,
    "n": 2,
    "best_of": 2,
    "use_beam_search": True,
    "length_penalty": 0.5,
    "early_stopping": True,
    "logprobs": True,
    "top_logprobs": 2,
    "echo": True,
    "add_generation_prompt": False,
    "add_special_tokens": True,
    "skip_special_tokens": False,
    "spaces_between_special_tokens": False,
    "stream_options": {"include_usage": False},
    "tools": TOOLS,
    "tool_choice": "add",
    "response_format": {"type": "json_object"},
    "guided_json": {"type": "object"},
    "guided_regex": "a+",
    "guided_choice": ["a"],
    "guided_grammar": "start: A",
    "guided_decoding_backend": "outlines",
    "guided_whitespace_pattern": "",
    "server": "vllm",
    "family": "gemma",
    "tool_format": "hermes",
    "tool_strategy": "guided",
    "parallel_tool_calls": False,
    "schema_in_prompt": False,
    "ask_again": True,
    "max_schema_seconds": 9.5,
}


def key(**given: Any) -> str:
    call = {"stop": None, **given.pop("call", {})}
    llm = ChatMonster(**{"model": MODEL, "api_key": "open-sesame", **given})
    return llm._get_llm_string(**call)


def test_every_parameter_makes_another_key() -> None:
    assert set(OTHER_VALUES) == set(CallParameters.model_fields)
    plain = key()
    for name, value in OTHER_VALUES.items():
        changed = {name: value}
        assert len({plain, key(**changed), key(call=changed)}) == 3, name
        assert key(**changed) == key(**changed)


def test_what_else_changes_the_answer_makes_another_key() -> None:
    assert len({key(), key(base_url="https://other/v1"), key(model_kwargs={"a": 1})}) == 3
    llm = ChatMonster(model=MODEL, api_key="open-sesame")
    assert llm._get_llm_string(stop=None) == key()
    llm.temperature = 0.5
    assert llm._get_llm_string(stop=None) == key(temperature=0.5)


def test_the_key_holds_no_secret() -> None:
    assert key(api_key="k-1") == key(api_key="k-2")
    secretive = key(default_headers={"x-gateway": "open-sesame"})
    assert "open-sesame" not in secretive


@every_way
async def test_an_equal_call_is_answered_from_the_cache(emulator: Emulator, way: Way) -> None:
    llm = chat_with(emulator, cache=InMemoryCache())
    first, again, other = [
        await asked(llm, way, question, logprobs=True) for question in ("Hi", "Hi", "Bye")
    ]
    assert again.content_blocks == first.content_blocks
    assert again.response_metadata == first.response_metadata
    assert other.text == "You said: Bye"
    assert [request.body["messages"][-1]["content"] for request in emulator.requests] == [
        "Hi",
        "Bye",
    ]
