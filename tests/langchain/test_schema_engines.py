"""What another engine lets a model write changes nothing for the user."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from langchain_monster import ChatMonster
from langchain_monster.errors import ConfigurationError
from tests.langchain.answering import summed

ANSWER = (
    '\n{"items": [ {"sku": "a", "price": .5}, {"price": 007, "sku": "b"} ],\n\n'
    '"note": "x\ty",}\n\n\n\n'
)


class Item(BaseModel):
    sku: str
    price: float


class Order(BaseModel):
    """An order that outlines would compile for more than two seconds."""

    note: str
    items: list[Item]
    street: str | None = None
    city: str | None = None
    country: str | None = None
    comment: str | None = None


ORDER = Order(note="x\ty", items=[Item(sku="a", price=0.5), Item(sku="b", price=7)])


def answering(text: str, call: bool = False) -> tuple[httpx.MockTransport, list[dict[str, Any]]]:
    """Return a server that answers with a text, whole or streamed, and the bodies it was sent."""
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        bodies.append(body)
        pieces = list(text) if body.get("stream") else [text]
        choices = [{"index": 0, **part(piece, bool(body.get("stream")))} for piece in pieces]
        choices[-1]["finish_reason"] = "stop"
        bodies_out = [
            {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [c]}
            for c in choices
        ]
        if not body.get("stream"):
            return httpx.Response(200, json=bodies_out[0])
        events = "".join(f"data: {json.dumps(one)}\n\n" for one in bodies_out)
        return httpx.Response(
            200, text=events + "data: [DONE]\n\n", headers={"content-type": "text/event-stream"}
        )

    def part(piece: str, streamed: bool) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": piece}
        if call:
            function = {"name": "Order", "arguments": piece}
            found = {"id": "c", "type": "function", "function": function}
            message = {"role": "assistant", "content": "", "tool_calls": [found]}
        return {"delta" if streamed else "message": message}

    return httpx.MockTransport(answer), bodies


def model(
    text: str, call: bool = False, **arguments: Any
) -> tuple[ChatMonster, list[dict[str, Any]]]:
    transport, bodies = answering(text, call)
    llm = ChatMonster(
        model="m",
        api_key="k",
        http_client=httpx.Client(transport=transport),
        http_async_client=httpx.AsyncClient(transport=transport),
        **arguments,
    )
    return llm, bodies


@pytest.mark.parametrize("method", ["guided_json", "function_calling"])
async def test_order_white_space_and_near_misses_change_nothing(method: str) -> None:
    llm, bodies = model(ANSWER, call=method == "function_calling")
    structured = llm.with_structured_output(Order, method=method)
    assert structured.invoke("Hello") == ORDER
    assert [value async for value in structured.astream("Hello")][-1] == ORDER
    schema = Order.model_json_schema()
    grown = list(llm.with_structured_output(schema, method=method).stream("Hello"))
    assert grown[-1] == ORDER.model_dump(exclude_unset=True)
    assert len(grown) > 5
    assert {body["guided_decoding_backend"] for body in bodies} == {"lm-format-enforcer"}


def test_a_call_of_one_of_several_large_tools_is_read_in_any_order() -> None:
    answer = '[ {"parameters": ' + ANSWER.strip() + ', "name": "order"}\n\n ]\n\n\n'
    llm, bodies = model(answer)
    tools = [{**Order.model_json_schema(), "title": name} for name in ("order", "offer")]
    bound = llm.bind_tools(tools, tool_choice="any")
    for message in (bound.invoke("Hello"), summed(bound.stream("Hello"))):
        [call] = message.tool_calls
        assert call["name"] == "order"
        assert Order(**call["args"]) == ORDER
        assert not message.text.strip()
    assert bodies[0]["guided_decoding_backend"] == "lm-format-enforcer"


def slugs(number: int) -> dict[str, Any]:
    """Return a schema of patterns, which take long to compile."""
    names = {f"slug_{i}": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"} for i in range(number)}
    return {"type": "object", "properties": names, "required": list(names)}


def test_the_caller_s_engine_and_limit_win(monkeypatch: pytest.MonkeyPatch) -> None:
    llm, bodies = model("{}")
    llm.bind(guided_json=Order, guided_decoding_backend="outlines").invoke("Hello")
    llm.invoke("Hello", guided_json=slugs(30))
    llm.invoke("Hello", guided_json=slugs(30), max_schema_seconds=100)
    monkeypatch.setenv("MONSTER_MAX_SCHEMA_SECONDS", "100")
    model_of_variable, others = model("{}")
    model_of_variable.invoke("Hello", guided_json=slugs(30))
    chosen = [body.get("guided_decoding_backend") for body in [*bodies, *others]]
    assert chosen == ["outlines", "lm-format-enforcer", None, None]
    assert "pattern" in bodies[0]["guided_json"]["properties"]["note"]
    for value in ("-1", "nan", "inf", "soon"):
        monkeypatch.setenv("MONSTER_MAX_SCHEMA_SECONDS", value)
        with pytest.raises(ConfigurationError, match="MONSTER_MAX_SCHEMA_SECONDS"):
            ChatMonster(model="m", api_key="k")


def test_what_takes_long_is_logged_once_with_its_path(caplog: pytest.LogCaptureFixture) -> None:
    llm, _ = model("{}")
    with caplog.at_level(logging.INFO, logger="monster_core"):
        llm.invoke("Hello", guided_json=slugs(8))
        llm.invoke("Hello", guided_json=slugs(8))
    [record] = [one for one in caplog.records if "compiles a schema once" in one.getMessage()]
    assert record.levelno == logging.INFO
    assert "$" in record.getMessage()
