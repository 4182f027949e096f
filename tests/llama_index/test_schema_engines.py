"""What another engine lets a model write changes nothing for the user."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode

from llama_index_monster import MonsterLLM
from tests.langchain.test_schema_engines import ANSWER, ORDER, Order, answering

PROMPT = PromptTemplate("Hello")


def model(mode: PydanticProgramMode, **arguments: Any) -> tuple[MonsterLLM, list[dict[str, Any]]]:
    transport, bodies = answering(ANSWER, call=mode is PydanticProgramMode.FUNCTION)
    llm = MonsterLLM(
        "m",
        api_key="k",
        http_client=httpx.Client(transport=transport),
        async_http_client=httpx.AsyncClient(transport=transport),
        pydantic_program_mode=mode,
        **arguments,
    )
    return llm, bodies


@pytest.mark.parametrize("mode", [PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION])
async def test_order_white_space_and_near_misses_change_nothing(mode: PydanticProgramMode) -> None:
    llm, bodies = model(mode)
    assert llm.structured_predict(Order, PROMPT) == ORDER
    assert await llm.astructured_predict(Order, PROMPT) == ORDER
    assert list(llm.stream_structured_predict(Order, PROMPT))[-1] == ORDER
    stream = await llm.astream_structured_predict(Order, PROMPT)
    assert [value async for value in stream][-1] == ORDER
    assert {body["guided_decoding_backend"] for body in bodies} == {"lm-format-enforcer"}


def test_the_limit_is_an_argument() -> None:
    llm, bodies = model(PydanticProgramMode.DEFAULT, max_schema_seconds=0)
    llm.complete("Hello", guided_json={"type": "object", "properties": {"a": {"type": "string"}}})
    assert bodies[0]["guided_decoding_backend"] == "lm-format-enforcer"
    assert json.dumps(bodies[0]["guided_json"]).count("pattern") == 0
