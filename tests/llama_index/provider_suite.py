"""What LlamaIndex and its users expect of an LLM: a suite for any provider to subclass.

LlamaIndex has no such suite of its own. This one speaks LlamaIndex's public API only and is one
file, so that another provider can copy it: it needs pytest and llama-index-core, and nothing of
this project. (It is not part of the wheel, which would then depend on pytest.)

.. code-block:: python

    class OfMyLLM(LLMTests):
        llm_class = MyLLM
        supports_logprobs = False  # what the provider cannot do is skipped

        @property
        def llm_params(self):
            return {"model": "my-model", "temperature": 0}


    class TestMyLLMOffline(OfMyLLM, LLMUnitTests):
        pass


    class TestMyLLM(OfMyLLM, LLMIntegrationTests):
        pass

Integration tests ask questions that any instruction-tuned model answers the same.
"""

from __future__ import annotations

import asyncio
import copy
import pickle
import socket
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent, ToolCallResult
from llama_index.core.base.llms.types import CachePoint, ChatMessage, TextBlock, ToolCallBlock
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
    LLMChatStartEvent,
    LLMCompletionEndEvent,
    LLMStructuredPredictEndEvent,
)
from llama_index.core.llms import LLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.selectors import PydanticSingleSelector
from llama_index.core.tools import FunctionTool
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel

__all__ = ["LLMIntegrationTests", "LLMTests", "LLMUnitTests"]

KEY = "a-key-that-nobody-may-see"
CAPITAL = "What is the capital of France?"
WEATHER = "What is the weather in Paris?"
SUM = "Please add 2 and 3."
ABOUT_ANA = "My friend Ana is 34 years old."

BOTH_WAYS = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


class Person(BaseModel):
    """Somebody who is spoken of."""

    first_name: str
    age: int


class Group(BaseModel):
    """People who are spoken of."""

    members: list[Person]


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"22 degrees in {city}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


TOOLS = [FunctionTool.from_defaults(get_weather), FunctionTool.from_defaults(add)]


class LLMTests:
    """What both suites are told of the LLM under test."""

    llm_class: ClassVar[type[LLM]]
    """The class under test."""

    api_key_argument: ClassVar[str] = "api_key"
    """The argument that takes the key."""

    supports_function_calling: ClassVar[bool] = True
    """Whether the model calls tools."""

    supports_structured_output: ClassVar[bool] = True
    """Whether the model answers in the shape of a class."""

    supports_usage: ClassVar[bool] = True
    """Whether the provider tells how many tokens were used."""

    supports_stream_usage: ClassVar[bool] = True
    """Whether it tells so of streams, too."""

    supports_logprobs: ClassVar[bool] = True
    """Whether ``logprobs=True`` is a request for log probabilities."""

    @property
    def llm_params(self) -> dict[str, Any]:
        """What it is made with: a model, and temperature 0 where there is one."""
        return {}

    def make_llm(self, **kwargs: Any) -> Any:
        """Return an LLM; these arguments win over ``llm_params``."""
        return self.llm_class(**{**self.llm_params, **kwargs})

    @pytest.fixture
    def llm(self) -> Any:
        return self.make_llm()


class LLMUnitTests(LLMTests):
    """Checks that need no endpoint."""

    @pytest.fixture
    def no_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args: Any) -> None:
            pytest.fail("This must not open a connection.")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)

    @pytest.fixture
    def keyed(self) -> Any:
        return self.make_llm(**{self.api_key_argument: KEY})

    @pytest.mark.usefixtures("no_network")
    def test_it_is_made_without_a_connection(self) -> None:
        assert isinstance(self.make_llm(), LLM)

    def test_it_is_a_function_calling_llm(self, llm: Any) -> None:
        if not self.supports_function_calling:
            pytest.skip("it calls no functions")
        assert isinstance(llm, FunctionCallingLLM)
        assert llm.metadata.is_function_calling_model

    def test_it_has_a_class_name_of_its_own(self, llm: Any) -> None:
        taken = {base.class_name() for base in type(llm).__mro__[1:] if hasattr(base, "class_name")}
        assert llm.class_name() not in taken
        assert llm.to_dict()["class_name"] == llm.class_name()

    def test_its_class_is_documented(self, llm: Any) -> None:
        assert type(llm).__dict__.get("__doc__")

    def test_repr_hides_the_key(self, keyed: Any) -> None:
        assert KEY not in f"{keyed!r} {keyed}"

    def test_serialized_it_hides_the_key(self, keyed: Any) -> None:
        assert KEY not in f"{keyed.to_dict()} {keyed.to_json()}"

    def test_the_payload_of_its_events_hides_the_key(self, keyed: Any) -> None:
        assert KEY not in str(keyed.to_payload() if hasattr(keyed, "to_payload") else "")

    def test_inside_a_structured_llm_it_hides_the_key(self, keyed: Any) -> None:
        structured = keyed.as_structured_llm(Person)
        assert KEY not in f"{structured!r} {structured.to_dict()}"

    def test_metadata_is_there_without_asking(
        self, llm: Any, request: pytest.FixtureRequest
    ) -> None:
        request.getfixturevalue("no_network")
        assert llm.metadata.is_chat_model
        assert llm.metadata.context_window > 256
        assert llm.metadata.num_output < llm.metadata.context_window

    def test_metadata_knows_the_model_s_name(self, llm: Any) -> None:
        assert llm.metadata.model_name == llm.model

    def test_metadata_is_there_for_a_model_nobody_knows(self) -> None:
        assert self.make_llm(model="nobody/knows-it").metadata.context_window > 0

    def test_metadata_tells_the_longest_answer(self) -> None:
        assert self.make_llm(max_tokens=77).metadata.num_output == 77

    def test_it_is_restored_from_a_dict(self) -> None:
        kept = self.make_llm(max_tokens=77).to_dict()
        restored = self.llm_class.from_dict(kept)
        assert restored.to_dict() == kept

    def test_it_is_pickled(self) -> None:
        restored = pickle.loads(pickle.dumps(self.make_llm(max_tokens=77)))
        assert restored.metadata.num_output == 77

    def test_it_is_copied(self) -> None:
        copied = copy.deepcopy(self.make_llm(max_tokens=77))
        assert copied.metadata.num_output == 77

    def test_an_unknown_argument_is_refused(self) -> None:
        with pytest.raises((TypeError, ValueError), match="temprature"):
            self.make_llm(temprature=0.5)


class LLMIntegrationTests(LLMTests):
    """Checks against an endpoint, or a recording of one."""

    @pytest.fixture
    def events(self) -> Iterator[list[BaseEvent]]:
        found: list[BaseEvent] = []

        class Collector(BaseEventHandler):
            def handle(self, event: BaseEvent, **kwargs: Any) -> None:
                found.append(event)

        dispatcher, collector = get_dispatcher(), Collector()
        dispatcher.add_event_handler(collector)
        yield found
        dispatcher.event_handlers.remove(collector)

    # text

    @BOTH_WAYS
    def test_chat(self, llm: Any, is_async: bool) -> None:
        response = called(llm, "chat", is_async, [ChatMessage(CAPITAL)])
        assert "Paris" in response.message.content
        assert response.message.role == "assistant"

    @BOTH_WAYS
    def test_complete(self, llm: Any, is_async: bool) -> None:
        assert "Paris" in called(llm, "complete", is_async, CAPITAL).text

    @BOTH_WAYS
    def test_a_chat_s_stream_adds_up(self, llm: Any, is_async: bool) -> None:
        responses = streamed(llm, "stream_chat", is_async, [ChatMessage(CAPITAL)])
        assert len(responses) > 1
        assert "".join(response.delta or "" for response in responses) == text_of(responses[-1])
        assert "Paris" in text_of(responses[-1])

    @BOTH_WAYS
    def test_a_completion_s_stream_adds_up(self, llm: Any, is_async: bool) -> None:
        responses = streamed(llm, "stream_complete", is_async, CAPITAL)
        assert "".join(response.delta or "" for response in responses) == responses[-1].text
        assert "Paris" in responses[-1].text

    def test_a_stream_s_responses_are_not_changed_later(self, llm: Any) -> None:
        seen = [(item, str(item)) for item in llm.stream_chat([ChatMessage(CAPITAL)])]
        assert [str(item) for item, _ in seen] == [told for _, told in seen]

    def test_a_stream_may_be_left(self, llm: Any) -> None:
        stream = llm.stream_chat([ChatMessage("Count to 50.")])
        next(stream)
        stream.close()
        assert "Paris" in llm.complete(CAPITAL).text

    def test_a_conversation_is_sent(self, llm: Any) -> None:
        conversation = [
            ChatMessage("You answer briefly.", role="system"),
            ChatMessage("Hello!", role="user"),
            ChatMessage("Hello! How can I help you today?", role="assistant"),
            ChatMessage(CAPITAL, role="user"),
        ]
        assert "Paris" in text_of(llm.chat(conversation))

    def test_a_message_may_have_several_blocks(self, llm: Any) -> None:
        blocks = [TextBlock(text="I have a question."), TextBlock(text=CAPITAL)]
        assert "Paris" in text_of(llm.chat([ChatMessage(blocks=blocks)]))

    def test_a_cache_point_is_overlooked(self, llm: Any) -> None:
        point = CachePoint(cache_control={"type": "ephemeral"})
        blocks = [TextBlock(text=CAPITAL), point]
        assert "Paris" in text_of(llm.chat([ChatMessage(blocks=blocks)]))

    def test_an_argument_of_a_call_wins(self) -> None:
        llm = self.make_llm(max_tokens=50)
        assert len(llm.complete("Count to 50.", max_tokens=3).text) < 20

    def test_completion_to_prompt_makes_the_prompt(self) -> None:
        llm = self.make_llm(completion_to_prompt=lambda prompt: CAPITAL)
        assert "Paris" in llm.complete("Hello!").text

    # counting and events

    @BOTH_WAYS
    def test_the_usage_is_counted(self, is_async: bool) -> None:
        self._skip_without(usage=self.supports_usage)
        counter, llm = self._counted()
        response = called(llm, "chat", is_async, [ChatMessage(CAPITAL)])
        assert counter.total_llm_token_count == total_tokens(response) > 0

    @BOTH_WAYS
    def test_a_completion_is_counted_once(self, is_async: bool) -> None:
        self._skip_without(usage=self.supports_usage)
        counter, llm = self._counted()
        response = called(llm, "complete", is_async, CAPITAL)
        assert counter.total_llm_token_count == total_tokens(response) > 0

    @BOTH_WAYS
    def test_the_usage_of_a_stream_is_counted(self, is_async: bool) -> None:
        self._skip_without(stream_usage=self.supports_stream_usage)
        counter, llm = self._counted()
        last = streamed(llm, "stream_chat", is_async, [ChatMessage(CAPITAL)])[-1]
        assert counter.total_llm_token_count == total_tokens(last) > 0

    @BOTH_WAYS
    def test_a_chat_begins_and_ends_once(
        self, llm: Any, events: list[BaseEvent], is_async: bool
    ) -> None:
        called(llm, "chat", is_async, [ChatMessage(CAPITAL)])
        assert count(events, LLMChatStartEvent) == count(events, LLMChatEndEvent) == 1

    def test_a_stream_tells_its_progress(self, llm: Any, events: list[BaseEvent]) -> None:
        list(llm.stream_chat([ChatMessage(CAPITAL)]))
        assert count(events, LLMChatInProgressEvent) > 1
        assert count(events, LLMChatEndEvent) == 1

    def test_a_completion_is_not_reported_as_a_chat_too(
        self, llm: Any, events: list[BaseEvent]
    ) -> None:
        llm.complete(CAPITAL)
        assert count(events, LLMCompletionEndEvent) == 1
        assert count(events, LLMChatEndEvent) == 0

    def test_a_system_prompt_begins_predictions(self, events: list[BaseEvent]) -> None:
        llm = self.make_llm(system_prompt="You answer briefly.")
        assert "Paris" in llm.predict(PromptTemplate("{question}"), question=CAPITAL)
        [start] = [event for event in events if isinstance(event, LLMChatStartEvent)]
        assert [message.role for message in start.messages] == ["system", "user"]

    @BOTH_WAYS
    def test_log_probabilities(self, llm: Any, is_async: bool) -> None:
        self._skip_without(logprobs=self.supports_logprobs)
        response = called(llm, "chat", is_async, [ChatMessage(CAPITAL)], logprobs=True)
        assert "Paris" in "".join(token[0].token for token in response.logprobs)

    def test_log_probabilities_of_a_stream(self, llm: Any) -> None:
        self._skip_without(logprobs=self.supports_logprobs)
        last = list(llm.stream_chat([ChatMessage(CAPITAL)], logprobs=True))[-1]
        assert "Paris" in "".join(token[0].token for token in last.logprobs)

    # tools

    @BOTH_WAYS
    def test_a_tool_is_called(self, llm: Any, is_async: bool) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        response = called(llm, "chat_with_tools", is_async, TOOLS, WEATHER)
        [call] = llm.get_tool_calls_from_response(response)
        assert (call.tool_name, call.tool_kwargs) == ("get_weather", {"city": "Paris"})
        assert call.tool_id

    @BOTH_WAYS
    def test_a_tool_s_call_streams(self, llm: Any, is_async: bool) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        responses = streamed(llm, "stream_chat_with_tools", is_async, TOOLS, WEATHER)
        told = [calls_in(llm, response) for response in responses]  # agents read every one
        [call] = told[-1]
        assert (call.tool_name, call.tool_kwargs) == ("get_weather", {"city": "Paris"})
        assert len({call.tool_id for calls in told for call in calls}) == 1

    def test_a_question_that_needs_no_tool_is_answered(self, llm: Any) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        response = llm.chat_with_tools(TOOLS, CAPITAL)
        assert "Paris" in text_of(response)
        assert calls_in(llm, response) == []

    def test_a_tool_may_be_required(self, llm: Any) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        response = llm.chat_with_tools(TOOLS[:1], "Hello, I am in Paris.", tool_required=True)
        assert [call.tool_name for call in calls_in(llm, response)] == ["get_weather"]

    def test_one_of_several_tools_may_be_required(self, llm: Any) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        response = llm.chat_with_tools(TOOLS, SUM, tool_required=True)
        assert [call.tool_name for call in calls_in(llm, response)] == ["add"]

    @BOTH_WAYS
    def test_a_tool_may_be_chosen(self, llm: Any, is_async: bool) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        asked = "I have 3 apples, and 4 pears"
        response = called(llm, "chat_with_tools", is_async, TOOLS, asked, tool_choice="add")
        [call] = calls_in(llm, response)
        assert (call.tool_name, call.tool_kwargs) == ("add", {"a": 3, "b": 4})

    def test_the_chosen_tool_s_call_streams(self, llm: Any) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        asked = "I have 3 apples, and 4 pears"
        responses = list(llm.stream_chat_with_tools(TOOLS, asked, tool_choice="add"))
        [call] = calls_in(llm, responses[-1])
        assert (call.tool_name, call.tool_kwargs) == ("add", {"a": 3, "b": 4})

    def test_the_history_that_was_given_is_not_changed(self, llm: Any) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        history = [ChatMessage("Hello!"), ChatMessage("Hello!", role="assistant")]
        llm.chat_with_tools(TOOLS, ChatMessage(WEATHER), chat_history=history)
        assert [message.content for message in history] == ["Hello!", "Hello!"]

    def test_a_tool_result_is_sent(self, llm: Any) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        asked = ChatMessage(WEATHER)
        answer = llm.chat_with_tools(TOOLS, asked)
        [call] = calls_in(llm, answer)
        result = ChatMessage(
            get_weather(**call.tool_kwargs),
            role="tool",
            additional_kwargs={"tool_call_id": call.tool_id},
        )
        history = [asked, answer.message, result]
        assert "22 degrees" in text_of(llm.chat_with_tools(TOOLS, chat_history=history))

    def test_a_message_with_a_call_survives_json(self, llm: Any) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        message = llm.chat_with_tools(TOOLS, WEATHER).message
        assert any(isinstance(block, ToolCallBlock) for block in message.blocks)
        assert ChatMessage.model_validate_json(message.model_dump_json()) == message

    @BOTH_WAYS
    def test_a_tool_is_called_and_run(self, llm: Any, is_async: bool) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        assert str(called(llm, "predict_and_call", is_async, TOOLS, SUM)) == "5"

    # answers in a shape

    @BOTH_WAYS
    def test_an_answer_has_its_shape(self, llm: Any, is_async: bool) -> None:
        self._skip_without(structured_output=self.supports_structured_output)
        prompt = PromptTemplate("{text}")
        answer = called(llm, "structured_predict", is_async, Person, prompt, text=ABOUT_ANA)
        assert answer == Person(first_name="Ana", age=34)

    @BOTH_WAYS
    def test_an_answer_of_a_shape_streams(self, llm: Any, is_async: bool) -> None:
        self._skip_without(structured_output=self.supports_structured_output)
        prompt = PromptTemplate("{text}")
        name = "stream_structured_predict"
        answers = streamed(llm, name, is_async, Person, prompt, text=ABOUT_ANA)
        assert len(answers) > 1
        assert answers[-1] == Person(first_name="Ana", age=34)

    @BOTH_WAYS
    def test_a_structured_llm_chats(self, llm: Any, is_async: bool) -> None:
        self._skip_without(structured_output=self.supports_structured_output)
        structured = llm.as_structured_llm(Person)
        response = called(structured, "chat", is_async, [ChatMessage(ABOUT_ANA)])
        assert response.raw == Person(first_name="Ana", age=34)

    def test_a_shape_may_hold_others(self, llm: Any) -> None:
        self._skip_without(structured_output=self.supports_structured_output)
        answer = llm.structured_predict(Group, PromptTemplate("{text}"), text=ABOUT_ANA)
        assert answer.members[0] == Person(first_name="Ana", age=34)

    @BOTH_WAYS
    def test_a_shape_may_be_asked_for_by_a_function(self, is_async: bool) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        llm = self.make_llm(pydantic_program_mode=PydanticProgramMode.FUNCTION)
        prompt = PromptTemplate("{text}")
        answer = called(llm, "structured_predict", is_async, Person, prompt, text=ABOUT_ANA)
        assert answer == Person(first_name="Ana", age=34)

    def test_a_shape_begins_with_the_system_prompt(self, events: list[BaseEvent]) -> None:
        self._skip_without(structured_output=self.supports_structured_output)
        llm = self.make_llm(system_prompt="You answer briefly.")
        llm.structured_predict(Person, PromptTemplate("{text}"), text=ABOUT_ANA)
        [start] = [event for event in events if isinstance(event, LLMChatStartEvent)]
        assert start.messages[0].content == "You answer briefly."

    def test_a_structured_prediction_is_reported_as_events(
        self, llm: Any, events: list[BaseEvent]
    ) -> None:
        self._skip_without(structured_output=self.supports_structured_output)
        llm.structured_predict(Person, PromptTemplate("{text}"), text=ABOUT_ANA)
        assert count(events, LLMStructuredPredictEndEvent) == 1

    def test_the_arguments_of_a_prediction_are_not_changed(self, llm: Any) -> None:
        self._skip_without(structured_output=self.supports_structured_output)
        arguments = {"max_tokens": 200}
        llm.structured_predict(Person, PromptTemplate("{text}"), arguments, text=ABOUT_ANA)
        assert arguments == {"max_tokens": 200}

    # those who use it

    @pytest.mark.parametrize("streaming", [True, False], ids=["streamed", "whole"])
    def test_a_function_agent_works(self, llm: Any, streaming: bool) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        one_by_one = {"allow_parallel_tool_calls": False}
        agent = FunctionAgent(tools=TOOLS, llm=llm, streaming=streaming, **one_by_one)
        said, results = asyncio.run(run_agent(agent, WEATHER))
        assert results == ["22 degrees in Paris"]
        assert "22 degrees" in said

    def test_a_react_agent_works(self, llm: Any) -> None:
        said, _ = asyncio.run(run_agent(ReActAgent(tools=[], llm=llm), CAPITAL))
        assert "Paris" in said

    def test_agents_hand_over(self, llm: Any) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        first = FunctionAgent(name="greeter", description="Greets.", llm=llm, tools=[])
        second = FunctionAgent(name="calculator", description="Adds.", llm=llm, tools=TOOLS[1:])
        team = AgentWorkflow(agents=[first, second], root_agent="greeter")
        asked = 'Please handoff to "calculator" to add 2 and 3.'
        _, results = asyncio.run(run_agent(team, asked))
        assert results[0].startswith("Agent calculator is now handling the request")

    def test_a_selector_chooses(self, llm: Any) -> None:
        self._skip_without(function_calling=self.supports_function_calling)
        selector = PydanticSingleSelector.from_defaults(llm=llm)
        assert selector.select(["facts about France", "facts about sports"], CAPITAL).ind == 0

    def test_one_instance_serves_one_event_loop_after_another(self, llm: Any) -> None:
        for _ in range(3):
            assert "Paris" in asyncio.run(asked_async(llm)).text

    def test_one_instance_serves_threads(self, llm: Any) -> None:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(llm.complete, [CAPITAL] * 4))
        assert all("Paris" in answer.text for answer in answers)

    def test_it_is_copied_after_use(self, llm: Any) -> None:
        llm.complete(CAPITAL)
        assert "Paris" in copy.deepcopy(llm).complete(CAPITAL).text

    def test_it_is_pickled_after_use(self, llm: Any) -> None:
        llm.complete(CAPITAL)
        assert "Paris" in pickle.loads(pickle.dumps(llm)).complete(CAPITAL).text

    def _counted(self) -> tuple[TokenCountingHandler, Any]:
        # an estimate would be seen: every text counts a thousand tokens
        counter = TokenCountingHandler(tokenizer=lambda text: [0] * 1000)
        return counter, self.make_llm(callback_manager=CallbackManager([counter]))

    @staticmethod
    def _skip_without(**supported: bool) -> None:
        for name, is_supported in supported.items():
            if not is_supported:
                pytest.skip(f"supports_{name} is false")


def called(llm: Any, name: str, is_async: bool, *args: Any, **kwargs: Any) -> Any:
    """Call a method, or its async twin in an event loop of its own."""
    if not is_async:
        return getattr(llm, name)(*args, **kwargs)
    return in_new_loop(lambda: getattr(llm, f"a{name}")(*args, **kwargs))


def streamed(llm: Any, name: str, is_async: bool, *args: Any, **kwargs: Any) -> list[Any]:
    """Collect what a streaming method, or its async twin, yields."""
    if not is_async:
        return list(getattr(llm, name)(*args, **kwargs))

    async def collect() -> list[Any]:
        return [item async for item in await getattr(llm, f"a{name}")(*args, **kwargs)]

    return in_new_loop(collect)


def in_new_loop(call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        return await call()

    return asyncio.run(run())


async def asked_async(llm: Any) -> Any:
    return await llm.acomplete(CAPITAL)


async def run_agent(agent: Any, question: str) -> tuple[str, list[str]]:
    """Return what an agent answers, and what its tools did."""
    handler = agent.run(question)
    events = [event async for event in handler.stream_events()]
    results = [str(event.tool_output) for event in events if isinstance(event, ToolCallResult)]
    return str(await handler), results


def text_of(response: Any) -> str:
    return response.message.content or ""


def calls_in(llm: Any, response: Any) -> list[Any]:
    return llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)


def count(events: list[BaseEvent], kind: type[BaseEvent]) -> int:
    return sum(type(event) is kind for event in events)


def total_tokens(response: Any) -> int:
    """Return what the provider itself counted, as LlamaIndex's raw responses tell it."""
    raw = response.raw if isinstance(response.raw, dict) else dict(response.raw)
    usage = raw["usage"]
    return int(usage["total_tokens"] if isinstance(usage, dict) else usage.total_tokens)
