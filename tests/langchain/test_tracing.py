"""What callbacks, traces and caches learn of a call."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.outputs import ChatGenerationChunk

from langchain_monster import ChatMonster
from langchain_monster.errors import InvalidRequestError, NotFoundError
from monster_emulator import Emulator
from tests.core.scripted_server import reply
from tests.langchain.answering import TOOLS, Way, asked, collected, every_way
from tests.langchain.conftest import Scripted, chat_with
from tests.recorded_endpoint import MODEL

HELLO = "Hello! How can I help you?"
SECRET = "sk-very-secret"


class Recorder(BaseCallbackHandler):
    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.chunks: list[ChatGenerationChunk] = []
        self.ended: list[Any] = []
        self.failed: list[tuple[BaseException, Any]] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **told: Any) -> None:
        self.started.append({"serialized": serialized, **told})

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **_: Any) -> None:
        self.tokens.append(token)
        self.chunks.append(chunk)

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.ended.append(response)

    def on_llm_error(self, error: BaseException, *, response: Any = None, **_: Any) -> None:
        self.failed.append((error, response))


@every_way
async def test_callbacks_hear_of_every_chunk_once(emulator: Emulator, way: Way) -> None:
    recorder = Recorder()
    config: Any = {"callbacks": [recorder]}
    with chat_with(emulator) as llm:
        chunks = await collected(llm, way, "Hi", config=config)
        heard = [(chunk.message, chunk.text) for chunk in recorder.chunks]
        assert heard == [(chunk, chunk.text) for chunk in chunks]
        assert "".join(recorder.tokens) == HELLO
        llm.streaming = True
        await asked(llm, way, config=config)
    assert "".join(recorder.tokens) == 2 * HELLO
    assert all(chunk is not None for chunk in recorder.chunks)
    assert emulator.requests[-1].body["stream"] is True


@every_way
@pytest.mark.parametrize("version", ["v0", "v1"])
async def test_the_chunk_that_ends_an_answer_says_why_in_its_generation(
    emulator: Emulator, way: Way, version: str
) -> None:
    recorder = Recorder()
    with chat_with(emulator, output_version=version) as llm:
        await collected(llm, way, "Hi", config={"callbacks": [recorder]})
    told = [chunk.generation_info for chunk in recorder.chunks if chunk.generation_info]
    assert told == [{"finish_reason": "stop"}]
    [[generation]] = recorder.ended[0].generations
    assert generation.generation_info == {"finish_reason": "stop"}
    metadata = generation.message.response_metadata
    assert (metadata["finish_reason"], metadata["model_name"]) == ("stop", emulator.model)


def test_traces_name_what_the_call_asks_for(emulated: ChatMonster) -> None:
    provider = emulated._get_ls_params()["ls_provider"]
    assert emulated.invoke("Hi").response_metadata["model_provider"] == provider
    llm = ChatMonster(model="m", temperature=0.5, max_tokens=7, stop="x")
    assert llm._get_ls_params() == {
        "ls_provider": "monster",
        "ls_model_type": "chat",
        "ls_model_name": "m",
        "ls_temperature": 0.5,
        "ls_max_tokens": 7,
        "ls_stop": ["x"],
    }
    told = llm._get_ls_params(["y"], model="other", temperature=0.0, max_tokens=1)
    assert (told["ls_model_name"], told["ls_temperature"], told["ls_stop"]) == ("other", 0.0, ["y"])


def test_traces_hold_no_secret_and_no_huge_schema(emulator: Emulator) -> None:
    recorder = Recorder()
    headers: Any = {"x-gateway": f"{SECRET}-header"}
    huge = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(60)}}
    llm = chat_with(emulator, default_headers=headers, callbacks=[recorder], guided_json=huge)
    llm.invoke("Hi", extra_headers={"x-run": SECRET})
    with pytest.raises(InvalidRequestError):
        llm.invoke("Hi", headers={"authorization": SECRET})
    assert SECRET not in str(recorder.started)
    assert emulator.api_key not in str(recorder.started)
    params = recorder.started[0]["invocation_params"]
    assert len(str(params["guided_json"])) < 1100
    assert (params["model"], params["_type"]) == (emulator.model, "monster-chat")
    assert params["base_url"] == emulator.base_url


def test_traces_keep_what_the_call_adds(emulated: ChatMonster) -> None:
    recorder = Recorder()
    config: Any = {"callbacks": [recorder]}
    bound = emulated.bind_tools(TOOLS, tool_choice="none").bind(stop=["!"], temperature=0.5)
    bound.invoke("Hi", config)
    params = recorder.started[0]["invocation_params"]
    assert (params["tools"], params["stop"], params["temperature"]) == (TOOLS, ["!"], 0.5)
    emulated.model_kwargs = {"top_p": 0.5}
    assert emulated._get_invocation_params()["model_kwargs"] == {"top_p": 0.5}


@every_way
async def test_usage_is_counted_once_by_model(emulated: ChatMonster, way: Way) -> None:
    counter = UsageMetadataCallbackHandler()
    config: Any = {"callbacks": [counter]}
    chunks = await collected(emulated, way, "Hi", config=config)
    told: Any = emulated.invoke("Hi", config).usage_metadata
    assert sum(chunk.usage_metadata is not None for chunk in chunks) == 1
    assert list(counter.usage_metadata) == [emulated.model]
    assert counter.usage_metadata[str(emulated.model)]["total_tokens"] == 2 * told["total_tokens"]
    assert told["total_tokens"] == told["input_tokens"] + told["output_tokens"] > 0


def test_usage_of_a_stream_can_be_left_out(emulator: Emulator) -> None:
    with chat_with(emulator, stream_usage=False) as llm:
        assert not any(chunk.usage_metadata for chunk in llm.stream("Hi"))
        counting = llm.bind_tools(TOOLS, stream_usage=True)
        assert any(chunk.usage_metadata for chunk in counting.stream("Hi"))


def test_usage_of_a_batch_is_added_up(emulated: ChatMonster) -> None:
    result = emulated.generate([[HumanMessage("Hi")], [HumanMessage("Hi")]]).llm_output
    one = emulated.generate([[HumanMessage("Hi")]]).llm_output
    assert result is not None
    assert one is not None
    assert result["model_name"] == emulated.model
    assert one["token_usage"]["total_tokens"] > 0
    for name, count in one["token_usage"].items():
        assert result["token_usage"][name] == 2 * count


def test_a_failure_tells_traces_what_the_server_said(scripted: Scripted) -> None:
    recorder = Recorder()
    said = reply(404, {"message": "no such model"}, {"x-request-id": "req-1"})
    llm, _ = scripted(said, callbacks=[recorder])
    with pytest.raises(NotFoundError):
        llm.invoke("Hi")
    [(error, response)] = recorder.failed
    assert isinstance(error, NotFoundError)
    told = response.generations[0][0].message.response_metadata
    assert (told["status_code"], told["request_id"]) == (404, "req-1")
    assert told["body"] == {"message": "no such model"}


@pytest.mark.parametrize("name", ["asdict", "dict"])
def test_a_subclass_may_tell_traces_more(name: str) -> None:
    def tell(self: ChatMonster) -> dict[str, Any]:
        return {**self._identifying_params, "_type": "mine", "temperature": 0.25}

    more: Any = type("More", (ChatMonster,), {name: tell})
    assert more(model=MODEL)._get_invocation_params()["temperature"] == 0.25
