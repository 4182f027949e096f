"""Implement LangChain's chat model interface on a MonsterAPI endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from operator import itemgetter
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, model_validator
from typing_extensions import Self

from langchain_monster.answers import MODEL_PROVIDER, to_generation_chunk, to_result
from langchain_monster.errors import to_langchain
from langchain_monster.messages import to_core
from langchain_monster.structured_output import parser_for
from monster_core.call import ChatCall, plan_call
from monster_core.connection import MonsterConnection
from monster_core.conversation.definitions import read_definitions, resolve_tool_choice
from monster_core.errors import MonsterError
from monster_core.parameters import CallParameters
from monster_core.version import __version__

__all__ = ["ChatMonster"]


class ChatMonster(MonsterConnection, BaseChatModel):
    """Chat with a model that MonsterAPI, or any vLLM 0.5 endpoint, serves.

    Every request field of the server is an argument here and of each call; the call's wins, and
    None means "not sent". Settings come from an argument, else from the environment
    (``MONSTER_API_KEY``, ``MONSTER_API_BASE``, ``MONSTER_MODEL``, ``MONSTER_TIMEOUT``,
    ``MONSTER_MAX_RETRIES``), else from their default.

    Example:
        .. code-block:: python

            from langchain_monster import ChatMonster

            llm = ChatMonster(model="meta-llama/Meta-Llama-3.1-8B-Instruct")
            print(llm.invoke("What is the capital of France?").text)

    Raises:
        pydantic.ValidationError: An argument is unknown, of the wrong type or out of range.
    """

    base_url: str | None = Field(
        default=None, description="The endpoint's base URL; MONSTER_API_BASE."
    )
    http_async_client: Any = Field(
        default=None, exclude=True, repr=False, description="An httpx.AsyncClient of your own."
    )
    model_kwargs: dict[str, Any] | None = Field(
        default=None, description="Request fields this package does not know; sent as they are."
    )
    streaming: bool = Field(default=False, description="Let invoke stream, and hand out tokens.")
    stream_usage: bool = Field(default=True, description="Ask streams for the token usage.")

    @model_validator(mode="after")
    def _set_langchain_monster_version(self) -> Self:
        self._add_version("langchain-monster", __version__)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        self.__dict__.pop("_serialized", None)  # the cache key must follow a changed field

    @property
    def _llm_type(self) -> str:
        return "monster-chat"

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Allow LangChain to write the model down and to build it again."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Map the secret arguments to the variables that hold them when it is built again."""
        return {"api_key": "MONSTER_API_KEY"}

    @property
    def _identifying_params(self) -> dict[str, Any]:
        fields = {name: self.__dict__[name] for name in CallParameters.model_fields}
        given = {name: value for name, value in fields.items() if value is not None}
        if self.model_kwargs:
            given["model_kwargs"] = self.model_kwargs
        return {"base_url": self.base_url, **given}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = LangSmithParams(ls_provider=MODEL_PROVIDER, ls_model_type="chat")
        given = {"stop": stop or self.stop, **kwargs}
        for name, key in (
            ("model", "ls_model_name"),
            ("temperature", "ls_temperature"),
            ("max_tokens", "ls_max_tokens"),
        ):
            value = given.get(name, self.__dict__[name])
            if value is not None:
                params[key] = value  # type: ignore[literal-required]
        if given["stop"]:
            params["ls_stop"] = [given["stop"]] if isinstance(given["stop"], str) else given["stop"]
        return params

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]:
        total: dict[str, int] = {}
        combined: dict[str, Any] = {}
        for output in llm_outputs:
            if output is None:
                continue
            combined.setdefault("model_name", output.get("model_name"))
            for name, count in (output.get("token_usage") or {}).items():
                total[name] = total.get(name, 0) + count
        return {"token_usage": total, **combined}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Let the model call tools.

        Args:
            tools: LangChain tools, functions, pydantic classes, TypedDicts, OpenAI's or
                JSON-schema dicts; none at all sends nothing.
            tool_choice: "auto" (or None), "none", "any" (or "required", True), a tool's name, or
                OpenAI's dict.
            strict: Accepted for agents that pass it; forced calls are always guided by their
                schema, and the server knows no such field.
            parallel_tool_calls: Whether several tools may be called at once; they may by default.
            response_format: OpenAI's json_schema format for the answer that calls no tool.
            **kwargs: Further arguments of each call.

        Raises:
            InvalidRequestError: The choice names no tool of these.
        """
        definitions = [convert_to_openai_tool(tool) for tool in tools]
        try:
            resolve_tool_choice(tool_choice, read_definitions(definitions))
        except MonsterError as error:
            raise to_langchain(error) from None
        given = {
            "tools": definitions or None,
            "tool_choice": tool_choice,
            "parallel_tool_calls": parallel_tool_calls,
            "response_format": response_format,
        }
        return self.bind(**{k: v for k, v in given.items() if v is not None}, **kwargs)

    def with_structured_output(
        self,
        schema: Any,
        *,
        include_raw: bool = False,
        method: str | None = None,
        strict: bool | None = None,
        tools: Sequence[Any] | None = None,
        schema_in_prompt: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a model that answers in a given shape.

        Args:
            schema: A pydantic class, TypedDict, JSON schema or OpenAI function (guided JSON), a
                Literal or Enum (guided choice), a compiled pattern (guided regex), or a Lark
                grammar with a ``start`` rule (guided grammar).
            include_raw: Return a dict of ``raw``, ``parsed`` and ``parsing_error`` instead, and
                raise nothing for an answer that does not fit.
            method: "guided_json" (or its other name "json_schema"), "function_calling",
                "json_mode", "guided_choice", "guided_regex", "guided_grammar"; by default the one
                that fits the schema.
            strict: Accepted; answers are always held against the schema.
            tools: Tools that the model may call instead of answering.
            schema_in_prompt: Whether the model is also told the schema; it is by default.
            **kwargs: Further arguments of each call.

        Raises:
            InvalidRequestError: The schema or the method cannot be used.
        """
        try:
            parser = parser_for(schema, method)
        except MonsterError as error:
            raise to_langchain(error) from error.__cause__
        given = dict(kwargs)
        if parser.structure.schema is not None:
            how = {"method": parser.structure.method, "strict": strict}
            given["ls_structured_output_format"] = {"kwargs": how, "schema": schema}
        if schema_in_prompt is not None:
            given["schema_in_prompt"] = schema_in_prompt
        if parser.structure.method == "function_calling":
            definition = convert_to_openai_tool(schema)
            name = definition["function"]["name"]
            llm = self.bind_tools([definition, *(tools or ())], tool_choice=name, **given)
        else:
            llm = self.bind_tools(tools or (), **parser.structure.fields, **given)
        if not include_raw:
            return llm | parser
        parsed = RunnablePassthrough.assign(
            parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
        )
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=llm) | parsed.with_fallbacks([failed], exception_key="parsing_error")

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        try:
            return to_result(self._client().answer(self._plan(messages, stop, kwargs)))
        except MonsterError as error:
            raise to_langchain(error) from error.__cause__

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        try:
            call = self._plan(messages, stop, kwargs)
            return to_result(await self._async_client().answer(call))
        except MonsterError as error:
            raise to_langchain(error) from error.__cause__

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        try:
            for chunk in self._client().stream(self._plan(messages, stop, kwargs, stream=True)):
                generated = to_generation_chunk(chunk)
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=generated)
                yield generated
        except MonsterError as error:
            raise to_langchain(error) from error.__cause__

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        try:
            call = self._plan(messages, stop, kwargs, stream=True)
            async with aclosing(self._async_client().stream(call)) as chunks:
                async for chunk in chunks:
                    generated = to_generation_chunk(chunk)
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=generated)
                    yield generated
        except MonsterError as error:
            raise to_langchain(error) from error.__cause__

    def _plan(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
        *,
        stream: bool = False,
    ) -> ChatCall:
        given = {name: value for name, value in kwargs.items() if name != "stream"}
        usage = given.pop("stream_usage", self.stream_usage)
        if stop is not None:
            given["stop"] = stop
        fields = self._request_fields(given)
        if stream and usage:
            fields.setdefault("stream_options", {"include_usage": True})
        return plan_call(to_core(messages), fields, stream=stream, extra=self._unknown_fields())
