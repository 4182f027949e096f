"""Whatever a caller gives, a request that the server's model takes goes out, or a typed error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from llama_index.core.base.llms.types import (
    CachePoint,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms import ChatMessage as LlamaMessage
from pydantic import ValidationError

from langchain_monster import ChatMonster
from langchain_monster._messages import to_core as from_langchain
from llama_index_monster import MonsterLLM
from llama_index_monster._messages import to_core_messages as from_llama_index
from monster_core.errors import InvalidRequestError, MonsterError
from monster_core.request.builder import build_request
from monster_core.request.fields import CallParameters
from monster_core.request.messages import Message
from monster_core.response.pipeline import parse_response
from monster_emulator._request import parse

GREETING = [Message("user", "Hi")]
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("lookup", "add")
]
MODELS = ["meta-llama/Meta-Llama-3.1-8B-Instruct", "google/gemma-2-9b-it", "mistral-7b", "m"]

texts = st.text(max_size=8) | st.sampled_from(["", "\0", "\ud800", "{", "<tool_call>", "\u2028"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from([b"bytes", object(), {1, 2}, 1j, 2**70, float("nan")]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(texts | st.integers(), inner, max_size=2)
    ),
    max_leaves=4,
)
objects = st.dictionaries(texts, values, max_size=2)


def sent_or_refused(messages: Sequence[Message], model: str, fields: dict[str, Any]) -> None:
    """Plan a call; what it would send must be what the server's request model takes."""
    try:
        call = build_request(messages, {"model": model, **fields}, stream=False)
    except MonsterError:
        return
    parse(orjson.loads(call.body))
    if call.follow_up is not None:
        parse(orjson.loads(call.follow_up.body))


FIELDS: list[dict[str, Any]] = [
    {},
    {"tools": TOOLS},
    {"tools": TOOLS, "tool_choice": "any"},
    {"guided_json": {"type": "object", "properties": {"a": {"type": "string"}}}},
]
with_fields = given(data=st.data(), model=st.sampled_from(MODELS), fields=st.sampled_from(FIELDS))

# --- histories ----------------------------------------------------------------------------------

blocks = st.lists(
    texts
    | st.fixed_dictionaries({"type": st.just("text"), "text": texts})
    | st.fixed_dictionaries(
        {
            "type": st.sampled_from(["text", "image_url", "image", "json", "tool_use", "audio"])
            | texts
        },
        optional={
            "text": values,
            "image_url": values,
            "url": values,
            "value": values,
            "source": values,
        },
    ),
    max_size=3,
)
content = texts | blocks
calls = st.lists(
    st.builds(
        lambda name, args, id_: {"name": name, "args": args, "id": id_, "type": "tool_call"},
        texts,
        objects,
        texts | st.none(),
    ),
    max_size=2,
)
invalid_calls = st.lists(
    st.builds(
        lambda name, args, id_: {
            "name": name,
            "args": args,
            "id": id_,
            "error": None,
            "type": "invalid_tool_call",
        },
        texts | st.none(),
        texts | st.none(),
        texts | st.none(),
    ),
    max_size=1,
)
names = texts | st.none()
langchain_messages = st.one_of(
    st.builds(HumanMessage, content, name=names),
    st.builds(SystemMessage, content),
    st.builds(
        AIMessage,
        content,
        tool_calls=calls,
        invalid_tool_calls=invalid_calls,
        name=names,
        additional_kwargs=objects,
    ),
    st.builds(
        ToolMessage,
        content,
        tool_call_id=texts,
        status=st.sampled_from(["success", "error"]),
        artifact=values,
    ),
    st.builds(FunctionMessage, content=texts, name=texts),
    st.builds(ChatMessage, content, role=st.sampled_from(["user", "tool", "ipython"]) | texts),
)


@with_fields
def test_any_langchain_history_is_sent_or_refused(
    data: st.DataObject, model: str, fields: dict[str, Any]
) -> None:
    history = cast("list[BaseMessage]", data.draw(st.lists(langchain_messages, max_size=4)))
    try:
        messages = from_langchain(history)
    except MonsterError:
        return
    sent_or_refused(messages, model, fields)


llama_blocks = st.lists(
    st.builds(TextBlock, text=texts)
    | st.builds(ThinkingBlock, content=texts)
    | st.builds(CachePoint, cache_control=st.just({"type": "ephemeral"}))
    | st.builds(ImageBlock, image=st.binary(max_size=4))
    | st.builds(ToolCallBlock, tool_call_id=names, tool_name=texts, tool_kwargs=objects | texts),
    max_size=3,
)
legacy = st.fixed_dictionaries(
    {},
    optional={"tool_calls": values | st.lists(objects), "tool_call_id": values, "name": values},
)
llama_messages = st.builds(
    LlamaMessage,
    role=st.sampled_from(list(MessageRole)),
    blocks=llama_blocks,
    additional_kwargs=legacy,
)


@with_fields
def test_any_llama_index_history_is_sent_or_refused(
    data: st.DataObject, model: str, fields: dict[str, Any]
) -> None:
    history = data.draw(st.lists(llama_messages, max_size=4))
    try:
        messages = from_llama_index(history)
    except MonsterError:
        return
    sent_or_refused(messages, model, fields)


# --- arguments ----------------------------------------------------------------------------------

CALL_ARGUMENTS = sorted(CallParameters.model_fields)
arguments = st.dictionaries(st.sampled_from(CALL_ARGUMENTS), values, max_size=3)


@given(arguments=arguments)
def test_any_arguments_of_a_call_are_sent_or_refused(arguments: dict[str, Any]) -> None:
    llm = ChatMonster(model="m", api_key="k")
    try:
        fields, _ = llm._request_fields(arguments)
    except InvalidRequestError:
        return
    sent_or_refused(GREETING, fields.pop("model", "m"), fields)


@pytest.mark.parametrize("kind", [ChatMonster, MonsterLLM])
@given(data=st.data())
def test_any_arguments_of_a_model_are_taken_or_refused(kind: Any, data: st.DataObject) -> None:
    names = sorted(
        set(kind.model_fields) - {"callbacks", "callback_manager", "profile", "rate_limiter"}
    )
    given_ones = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=3))
    try:
        made = kind(**given_ones)
    except ValidationError:
        return
    repr(made)
    made._endpoint()


# --- schemas ------------------------------------------------------------------------------------

KEYWORDS = """type properties required items prefixItems additionalProperties anyOf oneOf allOf not
    enum const pattern format minimum maxLength minItems $ref $defs definitions default title
    description nullable if then patternProperties propertyNames""".split()  # noqa: SIM905
words = st.sampled_from(
    [
        "object",
        "string",
        "array",
        "integer",
        "null",
        "#",
        "#/$defs/a",
        "#/properties/a",
        "a",
        "^(a+)+$",
        "[",
        "(?=a)",
        "date-time",
        "\ud800",
    ]
)
schema_values = st.recursive(
    values | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYWORDS, "a"]), inner, max_size=4)
    ),
    max_leaves=10,
)
schemas = st.dictionaries(st.sampled_from(KEYWORDS), schema_values, max_size=4)


@given(schema=schemas, text=texts | st.sampled_from(['{"a": 1}', "[]", "null", '{"a": {"a": []}}']))
def test_any_schema_guides_an_answer_or_is_refused(schema: dict[str, Any], text: str) -> None:
    try:
        call = build_request(
            [Message("user", "Hi")], {"model": "m", "guided_json": schema}, stream=False
        )
    except MonsterError:
        return
    parse(orjson.loads(call.body))
    choice = {"index": 0, "message": {"content": text.encode("utf-8", "replace").decode()}}
    parse_response(orjson.dumps({"id": "a", "choices": [choice]}), call.spec)


@given(schema=schemas)
def test_any_schema_is_a_tools_or_is_refused(schema: dict[str, Any]) -> None:
    function = {"name": "f", "description": "d", "parameters": schema}
    for choice in (None, "f", "any"):
        fields = {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
        sent_or_refused(GREETING, "m", {k: v for k, v in fields.items() if v})


@given(schema=schemas)
def test_any_schema_is_one_of_langchains_structured_output_or_is_refused(schema: Any) -> None:
    llm = ChatMonster(model="m", api_key="k", base_url="http://127.0.0.1:9/v1", max_retries=0)
    try:
        llm.with_structured_output({"title": "A", "description": "a", **schema})
    except (MonsterError, ValueError):
        return
