"""A call that is not certainly whole runs no tool: agents go on and hear why, programs raise."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.tools import FunctionTool

from monster_core.errors import StructuredAnswerError, TruncatedAnswerError
from tests.llama_index.toolbox import Song, Turn, answered, scripted_turns, streamed

NOT_RUN = {
    "not-json": Turn(calls=[("delete", "{path: /tmp")]),
    "cut-by-stop": Turn(calls=[("delete", '{"path": "/data/ana/')]),
    "cut-by-max-tokens": Turn(calls=[("delete", '{"path": "/data/ana/')], finish_reason="length"),
    "cut-before-the-first-character": Turn(calls=[("delete", "")], finish_reason="length"),
    "array": Turn(calls=[("delete", '["/data"]')]),
    "text": Turn(calls=[("delete", '"/data"')]),
    "not-a-number": Turn(calls=[("delete", '{"path": "/data", "depth": NaN}')]),
    "written-and-cut": Turn('{"name": "delete", "parameters": {"path": "/data/ana/'),
    "written-and-cut-by-max-tokens": Turn(
        '{"name": "delete", "parameters": {"path": "/data/ana/', finish_reason="length"
    ),
}

each_call = pytest.mark.parametrize("turn", NOT_RUN.values(), ids=NOT_RUN)
each_way = pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])


@pytest.fixture
def deleted() -> list[str]:
    return []


@pytest.fixture
def tools(deleted: list[str]) -> list[FunctionTool]:
    def delete(path: str = "/", depth: float = 1) -> str:
        """Delete what is at a path."""
        deleted.append(path)
        return f"deleted {path}"

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    return [FunctionTool.from_defaults(delete), FunctionTool.from_defaults(add)]


def run(agent: Any) -> str:
    async def answer() -> str:
        return str(await agent.run("Tidy up."))

    return asyncio.run(answer())


def last_words(body: dict[str, Any]) -> str:
    return json.dumps(body["messages"][-1])


@each_call
@each_way
def test_an_agent_goes_on_and_its_model_hears_why(turn, streaming, tools, deleted):
    llm, bodies = scripted_turns(turn, Turn("I could not."))
    agent = FunctionAgent(tools=tools, llm=llm, streaming=streaming)
    assert run(agent) == "I could not."
    assert deleted == []
    assert "not run" in last_words(bodies[1])


@pytest.mark.parametrize("turn", [NOT_RUN["not-json"], NOT_RUN["written-and-cut"]])
def test_an_agent_of_a_workflow_goes_on(turn, tools, deleted):
    llm, bodies = scripted_turns(turn, Turn("I could not."))
    agent = FunctionAgent(name="a", description="Tidies up.", tools=tools, llm=llm)
    assert run(AgentWorkflow(agents=[agent], root_agent="a")) == "I could not."
    assert deleted == []
    assert "not run" in last_words(bodies[1])


@each_way
def test_a_whole_call_beside_it_is_run(streaming, tools, deleted):
    calls = [("delete", '{"path": "/data'), ("add", '{"a": 1, "b": 2}')]
    llm, bodies = scripted_turns(Turn(calls=calls), Turn("3"))
    assert run(FunctionAgent(tools=tools, llm=llm, streaming=streaming)) == "3"
    assert deleted == []
    results = [json.dumps(message) for message in bodies[1]["messages"][-2:]]
    assert "not run" in results[0]
    assert ": 3" in results[1]


@each_way
def test_an_agent_gets_an_error_for_a_tool_that_does_not_exist(streaming, tools):
    llm, bodies = scripted_turns(Turn(calls=[("destroy", "{}")]), Turn("I could not."))
    assert run(FunctionAgent(tools=tools, llm=llm, streaming=streaming)) == "I could not."
    assert "Tool destroy not found" in last_words(bodies[1])


@each_way
@pytest.mark.parametrize("arguments", ["", "{}", "null", "[]", '""', '"null"'])
def test_a_call_without_arguments_is_whole(streaming, arguments, tools, deleted):
    llm, bodies = scripted_turns(Turn(calls=[("delete", arguments)]), Turn("Done."))
    assert run(FunctionAgent(tools=tools, llm=llm, streaming=streaming)) == "Done."
    assert deleted == ["/"]
    assert "deleted /" in last_words(bodies[1])


@each_way
def test_a_written_call_of_a_tool_that_does_not_exist_is_no_final_answer(streaming, tools, deleted):
    turn = Turn('{"name": "destroy", "parameters": {"path": "/data"}}')
    llm, bodies = scripted_turns(turn, Turn("I could not."))
    assert run(FunctionAgent(tools=tools, llm=llm, streaming=streaming)) == "I could not."
    assert deleted == []
    assert "Tool destroy not found" in last_words(bodies[1])


@each_call
def test_predict_and_call_raises(turn, tools, deleted):
    for is_async, kwargs in ((False, {}), (True, {"allow_parallel_tool_calls": True})):
        llm, _ = scripted_turns(turn)
        with pytest.raises(StructuredAnswerError, match="delete") as raised:
            answered(is_async, llm, "predict_and_call", tools, "Tidy up.", **kwargs)
        is_cut = turn.finish_reason == "length"
        assert isinstance(raised.value, TruncatedAnswerError) is is_cut
    assert deleted == []


@pytest.mark.parametrize("turn", [NOT_RUN["not-json"], Turn(calls=[("destroy", "{}")])])
def test_predict_and_call_raises_our_error_even_where_no_call_is_needed(
    turn, tools, deleted, calls
):
    llm, _ = scripted_turns(turn)
    with pytest.raises(StructuredAnswerError, match=r"delete|destroy"):
        answered(
            calls.is_async, llm, "predict_and_call", tools, "Tidy.", error_on_no_tool_call=False
        )
    assert deleted == []


@pytest.mark.parametrize("kwargs", [{}, {"allow_parallel_tool_calls": True}])
def test_predict_and_call_names_the_tools_that_there_are(kwargs, tools, deleted, calls):
    llm, _ = scripted_turns(Turn(calls=[("destroy", '{"path": "/data"}')]))
    with pytest.raises(StructuredAnswerError, match="'destroy'; the tools are add, delete"):
        answered(calls.is_async, llm, "predict_and_call", tools, "Tidy up.", **kwargs)
    assert deleted == []


@pytest.mark.parametrize("arguments", ['{"title": "Hey', "{title}", "[1]"])
def test_llama_index_s_program_raises(arguments):
    llm, _ = scripted_turns(Turn(calls=[("Song", arguments)]))
    program = FunctionCallingProgram.from_defaults(Song, "A song.", llm=llm)
    with pytest.raises(StructuredAnswerError, match="Song"):
        program()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_stream_tells_of_a_call_only_what_has_come(is_async, tools):
    turn = NOT_RUN["cut-by-stop"]
    llm, _ = scripted_turns(turn)
    items = streamed(is_async, llm, "stream_chat_with_tools", tools, "Tidy up.")
    found = [llm.get_tool_calls_from_response(one, error_on_no_tool_call=False) for one in items]
    paths = [selections[0].tool_kwargs.get("path") for selections in found if selections]
    assert paths[-4:] == ["/data/ana", "/data/ana/", None, None]
    assert {selections[0].tool_name for selections in found[:-2] if selections} == {"delete"}
    assert "not run" in found[-1][0].tool_name
