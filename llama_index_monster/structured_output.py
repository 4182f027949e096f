"""Answer in the shape of a pydantic class, in every mode of LlamaIndex's programs.

By default the class's JSON schema guides the answer; PydanticProgramMode.FUNCTION forces a call of
a function that takes its fields. The other modes are LlamaIndex's own programs.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.program.function_program import get_function_tool
from llama_index.core.types import Model, PydanticProgramMode

from llama_index_monster.model_part import ModelPart
from llama_index_monster.shapes import CalledShape, GrowingObject, GuidedShape, Shape, build

if TYPE_CHECKING:
    from llama_index.core.base.llms.types import ChatMessage
    from llama_index.core.program.utils import FlexibleModel
    from llama_index.core.prompts import BasePromptTemplate, PromptTemplate

__all__ = ["StructuredOutput"]

dispatcher = get_dispatcher(__name__)

_OF_TOOLS = ("allow_parallel_tool_calls", "tool_choice", "tool_required")
"""Arguments that a structured answer decides itself; LlamaIndex's programs drop them, too."""


class StructuredOutput(ModelPart):
    """Predict objects; the class and its prompt are LlamaIndex's to give."""

    @dispatcher.span
    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Answer a prompt with an object.

        Args:
            output_cls: The object's class.
            prompt: The prompt.
            llm_kwargs: Request fields for this call.
            **prompt_args: What the prompt is filled with.

        Raises:
            TruncatedAnswerError: ``max_tokens`` cut the answer.
            StructuredAnswerError: The answer is not of the class.
        """
        kwargs = _call_arguments(llm_kwargs)
        shape = self._shape(output_cls)
        if shape is None:
            predicted: Model = super().structured_predict(
                output_cls, copy.copy(prompt), kwargs, **prompt_args
            )
            return predicted
        dispatcher.event(_start(output_cls, prompt, prompt_args))
        messages = self._told(prompt, prompt_args)
        response = self.chat(messages, **{**kwargs, **shape.arguments})
        result = build(output_cls, shape.value(response))
        dispatcher.event(LLMStructuredPredictEndEvent(output=result))
        return result

    @dispatcher.span
    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Answer a prompt with an object; the twin of :meth:`structured_predict`."""
        kwargs = _call_arguments(llm_kwargs)
        shape = self._shape(output_cls)
        if shape is None:
            predicted: Model = await super().astructured_predict(
                output_cls, copy.copy(prompt), kwargs, **prompt_args
            )
            return predicted
        dispatcher.event(_start(output_cls, prompt, prompt_args))
        messages = self._told(prompt, prompt_args)
        response = await self.achat(messages, **{**kwargs, **shape.arguments})
        result = build(output_cls, shape.value(response))
        dispatcher.event(LLMStructuredPredictEndEvent(output=result))
        return result

    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Model | list[Model] | FlexibleModel | list[FlexibleModel], None, None]:
        kwargs = _call_arguments(llm_kwargs)
        shape = self._shape(output_cls)
        if shape is None:
            return super()._structured_stream_call(
                output_cls, copy.copy(prompt), kwargs, **prompt_args
            )
        return self._objects(output_cls, shape, self._told(prompt, prompt_args), kwargs)

    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Model | list[Model] | FlexibleModel | list[FlexibleModel], None]:
        kwargs = _call_arguments(llm_kwargs)
        shape = self._shape(output_cls)
        if shape is None:
            return await super()._structured_astream_call(
                output_cls, copy.copy(prompt), kwargs, **prompt_args
            )
        return self._aobjects(output_cls, shape, self._told(prompt, prompt_args), kwargs)

    def _objects(
        self,
        output_cls: type[Model],
        shape: Shape,
        messages: list[ChatMessage],
        kwargs: Mapping[str, Any],
    ) -> Generator[Model | FlexibleModel, None, None]:
        growing = GrowingObject(output_cls, shape)
        with closing(self.stream_chat(messages, **{**kwargs, **shape.arguments})) as responses:
            for response in responses:
                yield from growing.add(response)
        yield from growing.finish()

    async def _aobjects(
        self,
        output_cls: type[Model],
        shape: Shape,
        messages: list[ChatMessage],
        kwargs: Mapping[str, Any],
    ) -> AsyncGenerator[Model | FlexibleModel, None]:
        growing = GrowingObject(output_cls, shape)
        stream = await self.astream_chat(messages, **{**kwargs, **shape.arguments})
        async with aclosing(stream) as responses:
            async for response in responses:
                for grown in growing.add(response):
                    yield grown
        for whole in growing.finish():
            yield whole

    def _shape(self, output_cls: type[Any]) -> Shape | None:
        """Return how a class is asked for; None where a program of LlamaIndex's does it."""
        if self.pydantic_program_mode == PydanticProgramMode.DEFAULT:
            return GuidedShape(output_cls)
        if self.pydantic_program_mode == PydanticProgramMode.FUNCTION:
            tool = get_function_tool(output_cls)
            arguments = self._prepare_chat_with_tools([tool], tool_required=True)
            return CalledShape({k: v for k, v in arguments.items() if k != "messages"})
        return None

    def _told(
        self, prompt: BasePromptTemplate, prompt_args: Mapping[str, Any]
    ) -> list[ChatMessage]:
        return self._extend_messages(prompt.format_messages(llm=self, **prompt_args))


def _call_arguments(llm_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (llm_kwargs or {}).items() if k not in _OF_TOOLS}


def _start(
    output_cls: type[Any], prompt: PromptTemplate, prompt_args: dict[str, Any]
) -> LLMStructuredPredictStartEvent:
    return LLMStructuredPredictStartEvent(
        output_cls=output_cls, template=prompt, template_args=prompt_args
    )
