"""Send what LlamaIndex asks and give the answers back: what its entry points share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import ChatMessage

from llama_index_monster.answers import StreamedAnswer, to_chat_response
from llama_index_monster.async_responses import AsyncResponses
from llama_index_monster.messages import to_core
from llama_index_monster.model_part import ModelPart
from llama_index_monster.tool_calling import TOOL_NAMES
from llama_index_monster.tool_calls import CallReading
from monster_core.request.builder import build_request
from monster_core.request.chat_request import ChatRequest

if TYPE_CHECKING:
    from llama_index.core.base.llms.types import (
        ChatResponse,
        ChatResponseAsyncGen,
        ChatResponseGen,
    )

__all__ = ["Asking"]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Hold a planned call, and how the calls of its answer are given."""

    call: ChatRequest
    reading: CallReading


class Asking(ModelPart):
    """Plan calls, and translate what comes back; nothing here emits LlamaIndex's events."""

    def _chat(self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]) -> ChatResponse:
        plan = self._plan(messages, kwargs)
        return to_chat_response(self._client().answer(plan.call), plan.reading)

    async def _achat(
        self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]
    ) -> ChatResponse:
        plan = self._plan(messages, kwargs)
        return to_chat_response(await self._async_client().answer(plan.call), plan.reading)

    def _responses(self, plan: _Plan) -> ChatResponseGen:
        answer = StreamedAnswer(plan.reading)
        with closing(self._client().stream(plan.call)) as chunks:
            for chunk in chunks:
                yield answer.add(chunk)

    def _aresponses(self, plan: _Plan) -> ChatResponseAsyncGen:
        chunks = self._async_client().stream(plan.call)
        return AsyncResponses(chunks, StreamedAnswer(plan.reading).add)

    def _as_messages(self, prompt: str, formatted: bool) -> list[ChatMessage]:
        if not formatted and self.completion_to_prompt is not None:
            prompt = self.completion_to_prompt(prompt)
        return [ChatMessage(prompt)]

    def _plan(
        self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any], *, stream: bool = False
    ) -> _Plan:
        given = dict(kwargs)
        names = given.pop(TOOL_NAMES, {})
        fields = self._request_fields(given, stream=stream)
        reading = CallReading(names, fields.get("parallel_tool_calls", True))
        told, extra = to_core(messages, names), self._unknown_fields()
        return _Plan(build_request(told, fields, stream=stream, extra=extra), reading)
