"""What tools, a tool choice and a conversation become before anything is sent."""

from __future__ import annotations

import inspect
import json
from typing import Any, ClassVar

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.tools import FunctionTool, ToolMetadata
from pydantic import BaseModel, RootModel

from llama_index_monster import MonsterLLM
from monster_core.errors import InvalidRequestError
from tests.llama_index.toolbox import (
    MULTIPLY,
    WEATHER,
    Box,
    Song,
    Turn,
    answered,
    scripted_turns,
    streamed,
)

TOOLS = [MULTIPLY, WEATHER]
ASK = "What is 6 times 7?"


def prepared(**kwargs):
    return MonsterLLM()._prepare_chat_with_tools(TOOLS, **kwargs)


def boxed(kind=int, name=None):
    """A tool whose name holds brackets, as LlamaIndex names generic classes."""
    box = Box[kind]
    return FunctionTool.from_defaults(box, name=name or box.__name__, fn_schema=box)


@pytest.mark.parametrize("name", ["tool_required", "tool_choice", "allow_parallel_tool_calls"])
def test_llama_index_finds_the_arguments_by_name(name):
    assert name in inspect.signature(MonsterLLM._prepare_chat_with_tools).parameters


@pytest.mark.parametrize(
    "kwargs, choice",
    [
        ({}, None),  # not given: the instance's holds, or auto
        ({"tool_choice": None}, None),
        ({"tool_required": True}, "required"),
        ({"tool_choice": None, "tool_required": True}, "required"),
        ({"tool_choice": "auto", "tool_required": True}, "auto"),
        ({"tool_choice": "none"}, "none"),
        ({"tool_choice": "any"}, "any"),
        ({"tool_choice": "multiply", "tool_required": True}, "multiply"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "multiply"}}},
            {"type": "function", "function": {"name": "multiply"}},
        ),
    ],
)
def test_every_form_of_a_tool_choice(kwargs, choice):
    assert prepared(user_msg=ASK, **kwargs).get("tool_choice") == choice


def test_tools_are_sent_in_openai_s_format():
    [multiply, weather] = prepared()["tools"]
    assert multiply == MULTIPLY.metadata.to_openai_tool()
    assert weather["function"]["name"] == "get_weather"


def test_a_tool_whose_schema_refers_to_itself_is_sent_with_all_of_it():
    class Folder(BaseModel):
        folders: list[Folder] = []

    Folder.model_rebuild()
    tool = FunctionTool.from_defaults(Folder, name="Folder", fn_schema=Folder)
    [definition] = MonsterLLM()._prepare_chat_with_tools([tool])["tools"]
    assert definition["function"]["parameters"] == Folder.model_json_schema()


@pytest.mark.parametrize("kind", [RootModel[dict[str, int]], RootModel[Song | Box[int]]])
def test_a_root_model_s_schema_is_sent_with_all_of_it(kind):
    tool = FunctionTool.from_defaults(lambda **given: given, name="f", fn_schema=kind)
    [definition] = MonsterLLM()._prepare_chat_with_tools([tool])["tools"]
    assert definition["function"]["parameters"] == kind.model_json_schema()


class AsGiven(ToolMetadata):
    """Metadata whose JSON schema comes from elsewhere, as a tool server sends it."""

    parameters: ClassVar[dict[str, Any]] = {}

    def get_parameters_dict(self) -> dict[str, Any]:
        return self.parameters


NULLS = {"description": None, "enum": None, "title": None, "default": None}


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object"},
        {"type": "object", "properties": None, "required": None},
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
        {"type": "object", "properties": {"a": {"type": "integer", **NULLS}}, "required": None},
        {"type": "object", "properties": {"a": NULLS}, "$defs": None, "description": None},
        {"properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}},
    ],
    ids=["bare", "null", "empty", "null-keywords", "null-definitions", "no-type"],
)
@pytest.mark.parametrize("is_required", [False, True], ids=["auto", "required"])
@pytest.mark.parametrize("description", ["Find.", None])
def test_a_tool_with_any_schema_is_called(calls, parameters, is_required, description):
    kind = type("Metadata", (AsGiven,), {"parameters": parameters})
    tool = FunctionTool(lambda **given: sorted(given), metadata=kind(description, name="find"))
    called = Turn(calls=[("find", '{"a": 1}')])
    llm, bodies = scripted_turns(called, called)
    kwargs = {"tool_required": is_required}
    response = answered(calls.is_async, llm, "chat_with_tools", [tool], ASK, **kwargs)
    items = streamed(calls.is_async, llm, "stream_chat_with_tools", [tool], ASK, **kwargs)
    for found in (response, items[-1]):
        [selection] = llm.get_tool_calls_from_response(found)
        assert (selection.tool_name, selection.tool_kwargs) == ("find", {"a": 1})
    assert all('"find"' in json.dumps(body).replace("\\", "") for body in bodies)
    assert "query string" not in json.dumps(bodies)


def test_a_description_of_any_length_is_sent():
    tool = FunctionTool.from_defaults(lambda: None, name="f", description="word " * 1000)
    [definition] = MonsterLLM()._prepare_chat_with_tools([tool])["tools"]
    assert len(definition["function"]["description"]) == 5000


@pytest.mark.parametrize("is_parallel", [True, False])
def test_whether_several_calls_are_allowed_is_passed_on(is_parallel):
    given = prepared(allow_parallel_tool_calls=is_parallel)
    assert given["parallel_tool_calls"] is is_parallel


def test_further_arguments_are_passed_on():
    given = prepared(user_msg=ASK, verbose=True, temperature=0)
    assert given["temperature"] == 0
    assert "verbose" not in given


@pytest.mark.parametrize("message", [ASK, ChatMessage(ASK), ChatMessage(ASK, role="system")])
def test_the_user_s_message_comes_last(message):
    history = [ChatMessage("Hello."), ChatMessage("Hi!", role="assistant")]
    messages = prepared(user_msg=message, chat_history=history)["messages"]
    assert messages[:2] == history
    assert messages[2] == (ChatMessage(message) if message is ASK else message)
    assert len(history) == 2


def test_there_may_be_a_history_alone():
    history = [ChatMessage(ASK)]
    messages = prepared(chat_history=history)["messages"]
    assert messages == history
    assert messages is not history


@pytest.mark.parametrize("tools", [[], (), None])
def test_without_tools_nothing_of_tools_is_sent(calls, emulated_llm, emulator, tools):
    kwargs = {"tool_required": True, "tool_choice": "multiply", "allow_parallel_tool_calls": True}
    answered(calls.is_async, emulated_llm, "chat_with_tools", tools, "hi", **kwargs)
    messages = [{"role": "user", "content": "hi"}]
    assert emulator.requests[-1].body == {"model": emulated_llm.model, "messages": messages}


def test_the_server_is_sent_a_name_it_can_take():
    [definition] = MonsterLLM()._prepare_chat_with_tools([boxed()])["tools"]
    assert definition["function"]["name"] == "Box_int_"


def test_a_choice_may_use_the_tool_s_own_name():
    def chosen(choice):
        tools = [boxed(), MULTIPLY]
        return MonsterLLM()._prepare_chat_with_tools(tools, tool_choice=choice)["tool_choice"]

    named = {"type": "function", "function": {"name": "Box[int]"}}
    assert chosen("Box[int]") == "Box_int_"
    assert chosen(named) == {"type": "function", "function": {"name": "Box_int_"}}
    assert named["function"] == {"name": "Box[int]"}


def test_calls_of_the_history_are_written_with_the_names_that_are_sent(emulated_llm, emulator):
    call = {"id": "1", "function": {"name": "Box[int]", "arguments": "{}"}}
    history = [
        ChatMessage("Make a box."),
        ChatMessage(role="assistant", additional_kwargs={"tool_calls": [call]}),
        ChatMessage("done", role="tool", additional_kwargs={"tool_call_id": "1"}),
    ]
    emulated_llm.chat_with_tools([boxed()], chat_history=history)
    sent = emulator.requests[-1].body["messages"]
    assert [m["content"] for m in sent if m["role"] == "assistant"] == [
        '{"name": "Box_int_", "parameters": {}}'
    ]
    assert call["function"]["name"] == "Box[int]"


def test_names_that_become_the_same_are_refused(emulated_llm):
    tools = [boxed(), boxed(name="Box(int)")]
    with pytest.raises(InvalidRequestError, match="Two tools are named 'Box_int_'"):
        emulated_llm.chat_with_tools(tools, ASK)


def test_an_unknown_tool_is_refused_unsent(calls, emulated_llm, emulator):
    before = len(emulator.requests)
    with pytest.raises(InvalidRequestError, match="'multipy': did you mean 'multiply'"):
        answered(calls.is_async, emulated_llm, "chat_with_tools", TOOLS, ASK, tool_choice="multipy")
    assert len(emulator.requests) == before


def test_a_structured_class_is_a_tool_like_any_other():
    tool = FunctionTool.from_defaults(Song, name="Song", fn_schema=Song)
    [definition] = MonsterLLM()._prepare_chat_with_tools([tool])["tools"]
    assert set(definition["function"]["parameters"]["properties"]) == {"title", "seconds"}
