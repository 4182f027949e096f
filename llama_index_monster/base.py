"""Implement LlamaIndex's LLM interface on a MonsterAPI endpoint."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.callbacks import CallbackManager
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.program.function_program import get_function_tool
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import BasePromptTemplate, PromptTemplate
from llama_index.core.tools.types import BaseTool
from llama_index.core.types import BaseOutputParser, Model, PydanticProgramMode
from pydantic import BaseModel, ConfigDict, Field, SecretStr, Strict
from typing_extensions import Self, Unpack

from llama_index_monster._messages import to_core_messages
from llama_index_monster._responses import (
    ato_chat_responses,
    to_chat_response,
    to_chat_responses,
    to_completion_response,
)
from llama_index_monster._structured_output import (
    Output,
    StreamedObject,
    called_output,
    guided_output,
    has_fields,
)
from llama_index_monster._tool_calls import (
    ToolDefinitions,
    raise_for,
    raising_for_unknown_tools,
    read_tool_calls,
    to_selection,
    unknown_tools,
    without_later_calls,
)
from monster_core.errors import InvalidRequestError, MonsterError, StructuredAnswerError
from monster_core.model_arguments import AsyncHttpClient, BaseUrl, ModelArguments
from monster_core.model_base import MonsterModelBase
from monster_core.model_families import context_window_of_family
from monster_core.models_endpoint import MAX_DISCOVERY_SECONDS, ServedModel
from monster_core.name_suggestions import unknown_name
from monster_core.request.validation import CALL_OPTIONS
from monster_core.secrets import with_masked_secrets

if TYPE_CHECKING:
    import httpx

    from monster_core.request.builder import ChatRequest
    from monster_core.request.call_options import CallOptions

__all__ = ["MonsterLLM"]

_DEFAULT_CONTEXT_WINDOW_TOKENS = 8192
_TOOL_NAMES = "tool_names"
"""The argument of a chat that holds the tools' own names by those that are sent."""

_PROGRAM_ARGUMENTS = ("allow_parallel_tool_calls", "tool_choice", "tool_required")
"""Arguments that structured output decides itself; LlamaIndex's programs drop them, too."""

dispatcher = get_dispatcher(__name__)
_log = logging.getLogger(__name__)
_warned: set[str] = set()

DEFAULT_MODEL = "meta-llama/Meta-Llama-3-8B-Instruct"


class MonsterLLMArguments(ModelArguments, total=False):
    """The arguments that :class:`MonsterLLM` takes by name only, for type checkers and editors."""

    class_name: str  # written by to_dict(), and not used
    async_http_client: httpx.AsyncClient | None
    context_window: int | None
    query_wrapper_prompt: BasePromptTemplate | None
    rate_limiter: Any


class MonsterLLM(MonsterModelBase, FunctionCallingLLM):
    """Ask a model that MonsterAPI, or any vLLM endpoint since 0.5, serves.

    The arguments of all groups but the last two are arguments of each call, too, and the call's
    win. What is None is not sent: the server's default holds. A call also takes ``timeout``,
    ``extra_headers`` and ``extra_body``. A setting comes from its argument, else from its
    environment variable, else from its default. Making a model opens no connection.

    Guides: https://monsterapi-integrations.github.io/monsterapi-integrations/llama-index/

    Example:
        .. code-block:: python

            from llama_index_monster import MonsterLLM

            llm = MonsterLLM(model="meta-llama/Meta-Llama-3.1-8B-Instruct")
            print(llm.complete("What is the capital of France?"))

    The model, and how it writes:

    - ``model``: Name of the model to ask; MONSTER_MODEL, else ``meta-llama/Meta-
      Llama-3-8B-Instruct``.
    - ``user``: The caller's own id of its end user.
    - ``temperature``: Randomness; 0 always takes the likeliest token. Server: 0.7.
    - ``top_p``: Sample from the likeliest tokens of this total. Server: 1.
    - ``top_k``: Sample from this many tokens; -1 from all, not 0. Server: -1.
    - ``min_p``: Least probability, relative to the likeliest token. Server: 0.
    - ``seed``: Seed that makes sampling repeatable.
    - ``frequency_penalty``: Penalty for each earlier use of a token. Server: 0.
    - ``presence_penalty``: Penalty for tokens used at all before. Server: 0.
    - ``repetition_penalty``: Factor against repetition; above 1 discourages it. Server: 1.
    - ``logit_bias``: Bias per token id, -100 to 100.

    Length and stops:

    - ``max_tokens``: Most tokens to generate. Server: what the context leaves.
    - ``min_tokens``: Fewest tokens before a stop is honoured. Server: 0.
    - ``stop``: Text, or texts, at which the response ends.
    - ``stop_token_ids``: Token ids at which the response ends.
    - ``include_stop_str_in_output``: Keep the stop text in the response. Server: false.
    - ``ignore_eos``: Go on after the model's own end token. Server: false.

    Several answers:

    - ``n``: How many answers to give; 1 in a stream. Server: 1.
    - ``best_of``: How many candidates to draw; at least n. Server: n.
    - ``use_beam_search``: Beam search; needs temperature 0 and best_of > 1. Server: false.
    - ``length_penalty``: Beam search only: weight of the length. Server: 1.
    - ``early_stopping``: Beam search only: stop at best_of candidates. Server: false.

    What comes back:

    - ``logprobs``: Return log probabilities of the tokens. Server: false.
    - ``top_logprobs``: Also those of this many likeliest tokens; implies logprobs.
    - ``echo``: Begin the response with the last message; not in a stream. Server: false.
    - ``skip_special_tokens``: Leave special tokens out of the response. Server: true.
    - ``spaces_between_special_tokens``: Put spaces between special tokens. Server: true.
    - ``stream_options``: Only in a stream: whether its end reports the usage.

    Tools:

    - ``tools``: Functions that the model may call, in the form of any provider.
    - ``tool_choice``: auto, none, any, required, a tool's name, or OpenAI's dict.
    - ``parallel_tool_calls``: Whether the model may call several tools at once.
    - ``tool_strategy``: How a forced call is obtained; the best one by default.
    - ``tool_format``: How the model writes calls: llama, hermes or mistral.

    Answers of a given shape:

    - ``response_format``: Type text, json_object, or json_schema (becomes a guide).
    - ``guided_json``: JSON schema (dict, text, pydantic class) that the response must satisfy.
    - ``guided_regex``: Regular expression that the whole response must match.
    - ``guided_choice``: Texts of which the response must be one.
    - ``guided_grammar``: Lark grammar that the response must follow.
    - ``guided_decoding_backend``: What enforces a guided response. Server: outlines.
    - ``guided_whitespace_pattern``: Pattern of the white space allowed inside guided JSON.
    - ``schema_in_prompt``: Put the schema into the prompt, too. On by default.
    - ``ask_again``: Ask once more after an answer that breaks its schema. Off by default.
    - ``max_schema_seconds``: Most seconds to compile a schema; MONSTER_MAX_SCHEMA_SECONDS, or 5.

    The server and its chat template:

    - ``server``: What serves the model: vllm-0.5 by default, another release, or vllm.
    - ``family``: Model family, where the model's name does not tell it.
    - ``additional_kwargs``: Request fields this package does not know; sent as they are.
    - ``add_generation_prompt``: Open the assistant's turn in the prompt. Server: true.
    - ``add_special_tokens``: Add special tokens beyond the chat template's. Server: false.

    The connection:

    - ``api_key``: The API key; MONSTER_API_KEY.
    - ``api_base``: The endpoint's base URL; MONSTER_API_BASE, else MonsterAPI's.
    - ``timeout``: Seconds for each phase, or an httpx.Timeout; MONSTER_TIMEOUT, else 120.
    - ``stream_idle_timeout``: Seconds between two content chunks of a stream; the read timeout if
      None.
    - ``total_timeout``: Seconds for a whole call with its retries; no limit if None.
    - ``max_retries``: How often a failed request is sent again; MONSTER_MAX_RETRIES, else 2.
    - ``max_response_bytes``: Most bytes of one response, decompressed; 64 MiB if None.
    - ``default_headers``: Headers of every request; secret.
    - ``allow_http``: Allow plain http off the loopback; MONSTER_ALLOW_HTTP, else false.
    - ``http_client``: An httpx.Client of your own.
    - ``async_http_client``: An httpx.AsyncClient of your own.
    - ``async_transport``: What async requests are sent with; MONSTER_ASYNC_TRANSPORT, else httpx.

    LlamaIndex's own:

    - ``context_window``: Tokens that prompt and answer may have together; assumed if None.
    - ``callback_manager``: LlamaIndex's callbacks.
    - ``system_prompt``: What ``predict``, ``stream`` and structured output begin with.
    - ``messages_to_prompt``: Not used by a chat model.
    - ``completion_to_prompt``: What makes a message of the prompt of ``complete``.
    - ``output_parser``: What LlamaIndex parses predictions with.
    - ``pydantic_program_mode``: How structured output is made. Default: ``default``.
    - ``query_wrapper_prompt``: What LlamaIndex wraps queries in.
    - ``rate_limiter``: Holds requests back, as LlamaIndex does it.

    Raises:
        pydantic.ValidationError: An argument is unknown, of the wrong type or out of range.
    """

    model_config = ConfigDict(defer_build=False)

    _base_url_field: ClassVar[str] = "api_base"
    _async_client_field: ClassVar[str] = "async_http_client"
    _extra_fields_field: ClassVar[str] = "additional_kwargs"
    _call_options: ClassVar[tuple[str, ...]] = (*CALL_OPTIONS, "extra_body")

    model: Annotated[str, Strict()] | None = Field(
        default=DEFAULT_MODEL, description="Name of the model to ask; MONSTER_MODEL."
    )
    api_base: BaseUrl = Field(
        default=None, description="The endpoint's base URL; MONSTER_API_BASE, else MonsterAPI's."
    )
    async_http_client: AsyncHttpClient = Field(
        default=None, exclude=True, repr=False, description="An httpx.AsyncClient of your own."
    )
    additional_kwargs: dict[str, Any] = Field(
        default_factory=dict,
        description="Request fields this package does not know; sent as they are.",
    )
    context_window: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Tokens that prompt and answer may have together; assumed if None.",
    )

    def __init__(
        self,
        model: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        additional_kwargs: dict[str, Any] | None = None,
        max_retries: int | None = None,
        api_base: str | None = None,
        api_key: str | SecretStr | None = None,
        callback_manager: CallbackManager | None = None,
        system_prompt: str | None = None,
        messages_to_prompt: Callable[[Sequence[ChatMessage]], str] | None = None,
        completion_to_prompt: Callable[[str], str] | None = None,
        pydantic_program_mode: PydanticProgramMode | None = None,
        output_parser: BaseOutputParser | None = None,
        **kwargs: Unpack[MonsterLLMArguments],
    ) -> None:
        # masked here as well, so that a traceback does not show the secrets of this frame
        api_key = with_masked_secrets({"api_key": api_key})["api_key"]
        kwargs = cast("MonsterLLMArguments", with_masked_secrets(kwargs))
        kwargs.pop("class_name", None)
        super().__init__(
            model=model,
            temperature=temperature,
            max_tokens=max_tokens,
            additional_kwargs=additional_kwargs,
            max_retries=max_retries,
            api_base=api_base,
            api_key=api_key,
            callback_manager=callback_manager,
            system_prompt=system_prompt,
            messages_to_prompt=messages_to_prompt,
            completion_to_prompt=completion_to_prompt,
            pydantic_program_mode=pydantic_program_mode,
            output_parser=output_parser,
            **kwargs,
        )

    @classmethod
    def class_name(cls) -> str:
        """Return the name that serialized models carry."""
        return "MonsterLLM"

    def _is_default(self, name: str, value: Any) -> bool:
        if name == "callback_manager":
            return not value.handlers
        if name in ("messages_to_prompt", "completion_to_prompt"):
            return str(value.__module__).startswith("llama_index.")
        return super()._is_default(name, value)

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex asks of a model; the same for the same fields, and never a request."""
        model = self.model or ""
        return LLMMetadata(
            context_window=self.context_window or _assumed_context_window(model, self.family),
            num_output=self.max_tokens or -1,
            is_chat_model=True,
            is_function_calling_model=True,
            model_name=model,
            system_role=MessageRole.SYSTEM,
        )

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Send a conversation and return the model's response.

        Args:
            messages: The conversation.
            **kwargs: Request fields for this call, ``timeout``, ``extra_headers``, ``extra_body``.

        Raises:
            MonsterError: The call failed.
        """
        request, options = self._build_request(messages, kwargs)
        completion = self._client(options).complete(request)
        return to_chat_response(completion, _tool_names(kwargs))

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Send a prompt as a user's message and return the model's response.

        Args:
            prompt: The prompt.
            formatted: Whether completion_to_prompt has been applied.
            **kwargs: Request fields for this call, ``timeout``, ``extra_headers``, ``extra_body``.

        Raises:
            MonsterError: The call failed.
        """
        request, options = self._build_request(self._prompt_messages(prompt, formatted), kwargs)
        completion = self._client(options).complete(request)
        return to_completion_response(to_chat_response(completion, _tool_names(kwargs)))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Send a conversation and yield the response as it arrives.

        Args:
            messages: The conversation.
            **kwargs: Request fields for this call, ``timeout``, ``extra_headers``, ``extra_body``.

        Yields:
            Responses; each holds everything so far, and what is new as its delta.

        Raises:
            MonsterError: The call failed, or its stream was cut.
        """
        request, options = self._build_request(messages, kwargs, stream=True)
        chunks = self._client(options).stream(request)
        return to_chat_responses(chunks, _tool_names(kwargs))

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Send a prompt and yield the response as it arrives.

        Args and errors are those of :meth:`complete`.
        """
        messages = self._prompt_messages(prompt, formatted)
        request, options = self._build_request(messages, kwargs, stream=True)
        chunks = self._client(options).stream(request)
        responses = to_chat_responses(chunks, _tool_names(kwargs))
        return (to_completion_response(response) for response in responses)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Async version of :meth:`chat`."""
        request, options = self._build_request(messages, kwargs)
        completion = await self._async_client(options).complete(request)
        return to_chat_response(completion, _tool_names(kwargs))

    @llm_completion_callback()
    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """Async version of :meth:`complete`."""
        request, options = self._build_request(self._prompt_messages(prompt, formatted), kwargs)
        completion = await self._async_client(options).complete(request)
        return to_completion_response(to_chat_response(completion, _tool_names(kwargs)))

    @llm_chat_callback()
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Async version of :meth:`stream_chat`."""
        request, options = self._build_request(messages, kwargs, stream=True)
        chunks = self._async_client(options).stream(request)
        return ato_chat_responses(chunks, _tool_names(kwargs))

    @llm_completion_callback()
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Async version of :meth:`stream_complete`."""
        messages = self._prompt_messages(prompt, formatted)
        request, options = self._build_request(messages, kwargs, stream=True)
        chunks = self._async_client(options).stream(request)
        responses = ato_chat_responses(chunks, _tool_names(kwargs))
        return (to_completion_response(response) async for response in responses)

    def _prompt_messages(self, prompt: str, formatted: bool) -> list[ChatMessage]:
        if not formatted and self.completion_to_prompt is not None:
            prompt = self.completion_to_prompt(prompt)
        return [ChatMessage(prompt)]

    def _build_request(
        self,
        messages: Sequence[ChatMessage],
        arguments: Mapping[str, Any],
        *,
        stream: bool = False,
    ) -> tuple[ChatRequest, CallOptions | None]:
        call = dict(arguments)
        converted = to_core_messages(messages, call.pop(_TOOL_NAMES, {}))
        return self._request(converted, call, stream=stream)

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: str | bool | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Return the arguments of a chat with tools; a tool_choice of None means "not given"."""
        messages = list(chat_history or ())
        if user_msg:
            messages.append(ChatMessage(user_msg) if isinstance(user_msg, str) else user_msg)
        if not tools:
            return {"messages": messages, **kwargs}
        definitions = ToolDefinitions(tools)
        arguments: dict[str, Any] = {
            "messages": messages,
            "tools": definitions.sent,
            "parallel_tool_calls": allow_parallel_tool_calls,
        }
        if tool_choice is None and tool_required:
            tool_choice = "required"
        if tool_choice is not None:  # else the instance's holds
            arguments["tool_choice"] = definitions.choice(tool_choice)
        if definitions.own_names:
            arguments[_TOOL_NAMES] = definitions.own_names
        return {**arguments, **kwargs}

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        message = response.message
        if not allow_parallel_tool_calls:
            message = without_later_calls(message)
        extra = {**response.additional_kwargs, **unknown_tools(message, tools)}
        return response.model_copy(update={"message": message, "additional_kwargs": extra})

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """Return the tools that a response calls; those of a stream's response as far as it goes.

        Args:
            response: The response, whole or of a stream.
            error_on_no_tool_call: Whether it is an error if the response calls no tool, or one
                with arguments that cannot be used. Where it is not, such a call selects a tool
                that does not exist: an agent runs nothing, and its model is told what was wrong.
            **kwargs: Accepted and ignored.

        Raises:
            TruncatedAnswerError: ``max_tokens`` cut a call's arguments.
            StructuredAnswerError: A call's arguments are not a JSON object, it calls a tool that
                was not offered, or there is no call.
        """
        calls = read_tool_calls(response)
        if error_on_no_tool_call:
            if not calls:
                text = (response.message.content or "")[:200]
                raise StructuredAnswerError(
                    f"Expected at least one tool call; the model called none and said {text!r}."
                )
            for call in calls:
                raise_for(call, response)
        return [to_selection(call) for call in calls]

    def predict_and_call(
        self, tools: Sequence[BaseTool], *args: Any, **kwargs: Any
    ) -> AgentChatResponse:
        """Run the tools that the model calls; the arguments are those of LlamaIndex's LLMs.

        Raises:
            StructuredAnswerError: The model called no tool, or one that cannot be run.
        """
        with raising_for_unknown_tools():
            return super().predict_and_call(tools, *args, **kwargs)

    async def apredict_and_call(
        self, tools: Sequence[BaseTool], *args: Any, **kwargs: Any
    ) -> AgentChatResponse:
        """Async version of :meth:`predict_and_call`."""
        with raising_for_unknown_tools():
            return await super().apredict_and_call(tools, *args, **kwargs)

    @dispatcher.span
    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Return the model's response to a prompt as an object.

        Args:
            output_cls: The object's class: a pydantic model or, in the default
                pydantic_program_mode, any type that pydantic can validate.
            prompt: The prompt.
            llm_kwargs: Request fields for this call.
            **prompt_args: What the prompt is filled with.

        Raises:
            TruncatedAnswerError: ``max_tokens`` cut the response.
            StructuredAnswerError: The response is not an object of the class.
        """
        kwargs = _without_program_arguments(llm_kwargs)
        output = self._output(output_cls)
        if output is None:
            predicted: Model = super().structured_predict(
                output_cls, copy.copy(prompt), kwargs, **prompt_args
            )
            return predicted
        dispatcher.event(_start_event(output_cls, prompt, prompt_args))
        messages = self._template_messages(prompt, prompt_args)
        result = output.read(self.chat(messages, **{**kwargs, **output.arguments}))
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
        """Async version of :meth:`structured_predict`."""
        kwargs = _without_program_arguments(llm_kwargs)
        output = self._output(output_cls)
        if output is None:
            predicted: Model = await super().astructured_predict(
                output_cls, copy.copy(prompt), kwargs, **prompt_args
            )
            return predicted
        dispatcher.event(_start_event(output_cls, prompt, prompt_args))
        messages = self._template_messages(prompt, prompt_args)
        result = output.read(await self.achat(messages, **{**kwargs, **output.arguments}))
        dispatcher.event(LLMStructuredPredictEndEvent(output=result))
        return result

    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Model | list[Model] | FlexibleModel | list[FlexibleModel], None, None]:
        kwargs = _without_program_arguments(llm_kwargs)
        output = self._output(output_cls)
        if output is None:
            return super()._structured_stream_call(
                output_cls, copy.copy(prompt), kwargs, **prompt_args
            )
        messages = self._template_messages(prompt, prompt_args)
        return self._stream_objects(output, messages, kwargs)

    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Model | list[Model] | FlexibleModel | list[FlexibleModel], None]:
        kwargs = _without_program_arguments(llm_kwargs)
        output = self._output(output_cls)
        if output is None:
            return await super()._structured_astream_call(
                output_cls, copy.copy(prompt), kwargs, **prompt_args
            )
        messages = self._template_messages(prompt, prompt_args)
        return self._astream_objects(output, messages, kwargs)

    def _stream_objects(
        self, output: Output[Model], messages: list[ChatMessage], kwargs: Mapping[str, Any]
    ) -> Generator[Model | FlexibleModel, None, None]:
        streamed = StreamedObject(output)
        with closing(self.stream_chat(messages, **{**kwargs, **output.arguments})) as responses:
            for response in responses:
                yield from streamed.add(response)
        yield from streamed.end()

    async def _astream_objects(
        self, output: Output[Model], messages: list[ChatMessage], kwargs: Mapping[str, Any]
    ) -> AsyncGenerator[Model | FlexibleModel, None]:
        streamed = StreamedObject(output)
        stream = await self.astream_chat(messages, **{**kwargs, **output.arguments})
        async with aclosing(stream) as responses:
            async for response in responses:
                for partial in streamed.add(response):
                    yield partial
        for whole in streamed.end():
            yield whole

    def _output(self, output_cls: type[Model]) -> Output[Model] | None:
        """Return how a class is asked for; None where a program of LlamaIndex's does it."""
        mode = self.pydantic_program_mode
        if mode == PydanticProgramMode.FUNCTION and has_fields(output_cls):
            tool = get_function_tool(output_cls)
            arguments = self._prepare_chat_with_tools([tool], tool_required=True)
            del arguments["messages"]
            return called_output(output_cls, arguments)
        if mode in (PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION):
            return guided_output(output_cls)
        return None

    def _template_messages(
        self, prompt: BasePromptTemplate, prompt_args: Mapping[str, Any]
    ) -> list[ChatMessage]:
        return self._extend_messages(prompt.format_messages(llm=self, **prompt_args))

    def as_structured_llm(self, output_cls: type[BaseModel], **kwargs: Any) -> StructuredLLM:
        """Return an LLM whose responses are objects of a class.

        Args:
            output_cls: A pydantic model.
            **kwargs: Further fields of the StructuredLLM.

        Raises:
            InvalidRequestError: The class is not a pydantic model, or an argument is not a field.
        """
        for name in sorted(kwargs.keys() - StructuredLLM.model_fields.keys()):
            raise InvalidRequestError(
                f"{unknown_name('argument', name, StructuredLLM.model_fields)} Request fields are "
                "arguments of the model, or of a call."
            )
        if not (isinstance(output_cls, type) and issubclass(output_cls, BaseModel)):
            raise InvalidRequestError(
                f"as_structured_llm takes a pydantic model, not {output_cls!r}: structured_predict "
                "takes any type, or make a model of it with pydantic.RootModel."
            )
        structured: StructuredLLM = super().as_structured_llm(output_cls, **kwargs)
        return structured

    def models(self) -> list[ServedModel]:
        """Return the models that the endpoint serves, each with its context window.

        Raises:
            MonsterError: The request failed.
        """
        return self._client().models()

    async def amodels(self) -> list[ServedModel]:
        """Async version of :meth:`models`."""
        return await self._async_client().models()

    def discover_context_window(self, timeout: float = MAX_DISCOVERY_SECONDS) -> int:
        """Ask the endpoint for the model's context window and keep it; warn if it is not found.

        Args:
            timeout: Seconds for each of the two paths that may tell it.

        Returns:
            The context window in tokens that holds from now on.
        """
        try:
            found = self._client().context_window(self.model or "", timeout)
        except MonsterError as error:
            return self._keep_context_window(None, str(error))
        return self._keep_context_window(found)

    async def adiscover_context_window(self, timeout: float = MAX_DISCOVERY_SECONDS) -> int:
        """Async version of :meth:`discover_context_window`."""
        try:
            found = await self._async_client().context_window(self.model or "", timeout)
        except MonsterError as error:
            return self._keep_context_window(None, str(error))
        return self._keep_context_window(found)

    def _keep_context_window(
        self, found: int | None, problem: str = "The endpoint does not tell it."
    ) -> int:
        if found is not None:
            self.context_window = found
        tokens = int(self.metadata.context_window)
        if found is None:
            warnings.warn(
                f"The context window of {self.model!r} stays at {tokens} tokens: {problem} "
                "Pass context_window to set it.",
                stacklevel=3,
            )
        return tokens

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        memo = {} if memo is None else memo
        # a copy keeps to the same budget and reports to the same handlers
        for shared in (getattr(self, "rate_limiter", None), self.callback_manager):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)


def _tool_names(arguments: Mapping[str, Any]) -> Mapping[str, str]:
    names: Mapping[str, str] = arguments.get(_TOOL_NAMES, {})
    return names


def _without_program_arguments(llm_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (llm_kwargs or {}).items() if k not in _PROGRAM_ARGUMENTS}


def _start_event(
    output_cls: type[Any], prompt: PromptTemplate, prompt_args: dict[str, Any]
) -> LLMStructuredPredictStartEvent:
    return LLMStructuredPredictStartEvent(
        output_cls=output_cls, template=prompt, template_args=prompt_args
    )


def _assumed_context_window(model: str, family: str | None) -> int:
    """Return the context window of a model's family, or a safe one with a warning in the log."""
    window = context_window_of_family(model, family)
    if window is None and model not in _warned:
        _warned.add(model)
        _log.warning(  # not a warning: metadata must not raise where warnings are errors
            "The context window of %r is not known, %d tokens are assumed: pass context_window, or "
            "let discover_context_window() ask the endpoint.",
            model,
            _DEFAULT_CONTEXT_WINDOW_TOKENS,
        )
    return window or _DEFAULT_CONTEXT_WINDOW_TOKENS
