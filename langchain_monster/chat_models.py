"""The chat model: LangChain's interface to a MonsterAPI endpoint.

Every request takes the same way: LangChain's messages and arguments become a ``ChatRequest``
(``_messages``), the client sends it, and the completion or its chunks become LangChain's
(``_results``). What the core decides is the same for every framework.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing, suppress
from typing import TYPE_CHECKING, Any, Literal, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import (
    BaseChatModel,
    LangSmithParams,
    LanguageModelInput,
    ModelProfile,
)
from langchain_core.load.serializable import SerializedConstructor, SerializedNotImplemented
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool
from pydantic import ConfigDict, Field, field_validator, model_validator
from typing_extensions import Self, Unpack

from langchain_monster._content_blocks import MODEL_PROVIDER
from langchain_monster._model_profile import is_derived, profile_of, with_context_window
from langchain_monster._serialization import to_constructor
from langchain_monster._token_counting import (
    check_tokenizer,
    count_message_tokens,
    count_tokens,
    token_ids,
)
from langchain_monster._tracing import cached_arguments, traced_params
from langchain_monster.errors import InvalidRequestError, as_langchain_errors, to_langchain
from monster_core.errors import MonsterError
from monster_core.model_arguments import AsyncHttpClient, BaseUrl, ModelArguments
from monster_core.model_base import MonsterModelBase
from monster_core.models_endpoint import MAX_DISCOVERY_SECONDS, ServedModel
from monster_core.secrets import with_masked_secrets
from monster_core.version import __version__

if TYPE_CHECKING:
    import httpx
    from langchain_core.caches import BaseCache
    from langchain_core.callbacks import Callbacks
    from langchain_core.rate_limiters import BaseRateLimiter
    from pydantic import SecretStr

    from monster_core.request.builder import ChatRequest
    from monster_core.request.call_options import CallOptions

__all__ = ["ChatMonster"]

_NOT_SENT = frozenset({"config", "ls_structured_output_format", "stream_usage"})
"""Arguments of a call that LangChain, or :class:`ChatMonster` itself, takes out of it."""

_BESIDE_SCHEMA = ("include_raw", "method", "schema")
"""Arguments of ``with_structured_output`` that are not arguments of a call."""


class ChatMonsterArguments(ModelArguments, total=False):
    """The arguments of :class:`ChatMonster`, for type checkers and editors."""

    model: str | None
    temperature: float | None
    max_tokens: int | None
    max_retries: int | None
    api_key: str | SecretStr | None
    base_url: str | None
    http_async_client: httpx.AsyncClient | None
    model_kwargs: dict[str, Any] | None
    streaming: bool | None
    stream_usage: bool
    tokenizer: Any

    name: str | None
    cache: BaseCache | bool | None
    verbose: bool
    callbacks: Callbacks
    tags: list[str] | None
    metadata: dict[str, Any] | None
    custom_get_token_ids: Callable[[str], list[int]] | None
    rate_limiter: BaseRateLimiter | None
    disable_streaming: bool | Literal["tool_calling"]
    output_version: str | None
    profile: ModelProfile | None


class ChatMonster(MonsterModelBase, BaseChatModel):
    """Chat with a model that MonsterAPI, or any vLLM endpoint since 0.5, serves.

    The arguments of all groups but the last two are arguments of each call, too, and the call's
    win. What is None is not sent: the server's default holds. A call also takes ``timeout`` and
    ``extra_headers``. A setting comes from its argument, else from its environment variable, else
    from its default. Making a model opens no connection.

    Guides: https://monsterapi-integrations.github.io/monsterapi-integrations/langchain/

    Example:
        .. code-block:: python

            from langchain_monster import ChatMonster

            llm = ChatMonster(model="meta-llama/Meta-Llama-3.1-8B-Instruct")
            print(llm.invoke("What is the capital of France?").text)

    The model, and how it writes:

    - ``model``: Name of the model to ask; MONSTER_MODEL.
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
    - ``model_kwargs``: Request fields this package does not know; sent as they are.
    - ``add_generation_prompt``: Open the assistant's turn in the prompt. Server: true.
    - ``add_special_tokens``: Add special tokens beyond the chat template's. Server: false.

    The connection:

    - ``api_key``: The API key; MONSTER_API_KEY.
    - ``base_url``: The endpoint's base URL; MONSTER_API_BASE, else MonsterAPI's.
    - ``timeout``: Seconds for each phase, or an httpx.Timeout; MONSTER_TIMEOUT, else 120.
    - ``stream_idle_timeout``: Seconds between two content chunks of a stream; the read timeout if
      None.
    - ``total_timeout``: Seconds for a whole call with its retries; no limit if None.
    - ``max_retries``: How often a failed request is sent again; MONSTER_MAX_RETRIES, else 2.
    - ``max_response_bytes``: Most bytes of one response, decompressed; 64 MiB if None.
    - ``default_headers``: Headers of every request; secret.
    - ``allow_http``: Allow plain http off the loopback; MONSTER_ALLOW_HTTP, else false.
    - ``http_client``: An httpx.Client of your own.
    - ``http_async_client``: An httpx.AsyncClient of your own.
    - ``async_transport``: What async requests are sent with; MONSTER_ASYNC_TRANSPORT, else httpx.

    LangChain's own, and how it streams and counts:

    - ``streaming``: True lets invoke stream; False keeps stream from streaming.
    - ``stream_usage``: Ask streams for the token usage. Default: true.
    - ``tokenizer``: Counts tokens: a callable, or an object with encode, from text to token ids.
    - ``name``: The name of runs in traces.
    - ``cache``: A cache, or whether to use the global one.
    - ``verbose``: Whether LangChain prints what is sent and comes back.
    - ``callbacks``: Callbacks of every run.
    - ``tags``: Tags of every run.
    - ``metadata``: Metadata of every run.
    - ``custom_get_token_ids``: Counts tokens; ``tokenizer`` does the same.
    - ``rate_limiter``: Holds requests back; see LangChain's InMemoryRateLimiter.
    - ``disable_streaming``: Whether stream is answered whole: always, or with tools only. Default:
      false.
    - ``output_version``: The form of content: LangChain's own, or ``v1``.
    - ``profile``: What the model can do; follows from its name.

    Raises:
        pydantic.ValidationError: An argument is unknown, of the wrong type or out of range.
    """

    model_config = ConfigDict(defer_build=False)

    base_url: BaseUrl = Field(
        default=None, description="The endpoint's base URL; MONSTER_API_BASE, else MonsterAPI's."
    )
    http_async_client: AsyncHttpClient = Field(
        default=None, exclude=True, repr=False, description="An httpx.AsyncClient of your own."
    )
    model_kwargs: dict[str, Any] | None = Field(
        default=None, description="Request fields this package does not know; sent as they are."
    )
    streaming: bool | None = Field(
        default=None, description="True lets invoke stream; False keeps stream from streaming."
    )
    stream_usage: bool = Field(default=True, description="Ask streams for the token usage.")
    tokenizer: Any = Field(
        default=None,
        exclude=True,
        repr=False,
        description="Counts tokens: a callable, or an object with encode, from text to token ids.",
    )

    def __init__(self, **arguments: Unpack[ChatMonsterArguments]) -> None:
        # masked here as well, so that a traceback does not show the secrets of this frame
        arguments = cast("ChatMonsterArguments", with_masked_secrets(arguments))
        # LangChain assigns an empty one otherwise, and an assignment is validated like a model
        arguments.setdefault("metadata", {})
        super().__init__(**arguments)

    @field_validator("tokenizer")
    @classmethod
    def _check_tokenizer(cls, value: Any) -> Any:
        return check_tokenizer(value)

    @model_validator(mode="after")
    def _set_model_profile(self) -> Self:
        """Derive the profile from the model's name, unless the caller gives one.

        Configurable fields bring along the profile of another model. LangChain assigns the profile,
        which validates the whole model a second time.
        """
        profile: Any = self.profile
        if profile is None or (is_derived(profile) and profile["name"] != self.model):
            with suppress(Exception):  # as LangChain does: a call says what is wrong
                self.__dict__["profile"] = self._resolve_model_profile() or profile
        return self

    @model_validator(mode="after")
    def _check_profile_keys(self) -> Self:
        """Let LangChain check the keys of a caller's profile; of ours, that would take 0.1 ms."""
        if not is_derived(self.profile):
            super()._check_profile_keys()  # type: ignore[operator]  # a method, once it is bound
        return self

    @model_validator(mode="after")
    def _set_langchain_monster_version(self) -> Self:
        self._add_version("langchain-monster", __version__)
        return self

    def _is_default(self, name: str, value: Any) -> bool:
        if name == "profile" and is_derived(value):
            return bool(value == profile_of(value["name"], self.family))
        if name == "metadata" and value.keys() == {"lc_versions"}:
            return True
        return super()._is_default(name, value)

    def _field_was_assigned(self, name: str) -> None:
        super()._field_was_assigned(name)
        self.__dict__.pop("_serialized", None)  # the cache key follows the fields
        if name == "family" and self.model and is_derived(self.profile):
            with as_langchain_errors():
                self.profile = profile_of(self.model, self.family)

    def _framework_error(self, error: MonsterError) -> MonsterError:
        return to_langchain(error)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, which are checked as in an assignment.

        Args:
            update: New values by field name.
            deep: Whether values are copied, too; clients of your own never are.
        """
        copied = super().model_copy(deep=deep)
        for name, value in (update or {}).items():
            setattr(copied, name, value)
        return copied

    # --- Requests

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        from langchain_monster._results import to_chat_result

        with as_langchain_errors():
            request, options = self._build_request(messages, stop, kwargs)
            completion = self._client(options).complete(request)
            return to_chat_result(completion)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        from langchain_monster._results import to_chat_result

        with as_langchain_errors():
            request, options = self._build_request(messages, stop, kwargs)
            completion = await self._async_client(options).complete(request)
            return to_chat_result(completion)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        from langchain_monster._results import ChunkConverter

        with as_langchain_errors():
            request, options = self._build_request(messages, stop, kwargs, stream=True)
            converter = ChunkConverter(for_protocol_events=run_manager is not None)
            with closing(self._client(options).stream(request)) as chunks:
                for chunk in chunks:
                    generation = converter.convert(chunk)
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=generation)
                    yield generation

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        from langchain_monster._results import ChunkConverter

        with as_langchain_errors():
            request, options = self._build_request(messages, stop, kwargs, stream=True)
            converter = ChunkConverter(for_protocol_events=run_manager is not None)
            async with aclosing(self._async_client(options).stream(request)) as chunks:
                async for chunk in chunks:
                    generation = converter.convert(chunk)
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=generation)
                    yield generation

    def _build_request(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
        *,
        stream: bool = False,
    ) -> tuple[ChatRequest, CallOptions | None]:
        from langchain_monster._messages import to_core

        call = dict(kwargs)
        call.pop("stream", None)  # LangChain's own, which has decided already
        ask_usage = call.pop("stream_usage", self.stream_usage)
        if stop is not None:
            call["stop"] = stop
        return self._request(to_core(messages), call, stream=stream, ask_usage=ask_usage)

    def _check_arguments(self, kwargs: dict[str, Any], beside: Iterable[str] = ()) -> None:
        """Check the arguments of a call where they are bound to it.

        Args:
            kwargs: The arguments.
            beside: The other arguments of the method, one of which a misspelt name may mean.

        Raises:
            InvalidRequestError: One is unknown, of the wrong type or out of range.
        """
        from monster_core.request.call_options import split_call_options
        from monster_core.request.validation import validate_parameters

        fields, _ = split_call_options(kwargs, self._call_options)
        own = {name: value for name, value in fields.items() if name not in _NOT_SENT}
        validate_parameters(own, server=self.server, also=type(self).model_fields, beside=beside)

    # --- Tools and structured output

    def bind(self, **kwargs: Any) -> RunnableBinding[LanguageModelInput, AIMessage]:  # type: ignore[override]
        """Return a model with arguments for each call, kept by what is bound after them."""
        from langchain_monster._binding import BoundChatMonster

        return BoundChatMonster(bound=self, kwargs=kwargs, config={})

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
            tools: LangChain tools, functions, pydantic classes, TypedDicts, JSON schemas with a
                title, and definitions in OpenAI's, Anthropic's or Bedrock's form. Without any,
                nothing is sent.
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
        from langchain_monster._tools import bound_arguments

        with as_langchain_errors():
            arguments = bound_arguments(
                tools,
                tool_choice=tool_choice,
                parallel_tool_calls=parallel_tool_calls,
                response_format=response_format,
            )
            if kwargs:
                self._check_arguments(kwargs)
        return self.bind(**arguments, **kwargs)

    def with_structured_output(
        self,
        schema: Any = None,
        *,
        include_raw: bool = False,
        method: str | None = None,
        strict: bool | None = None,
        tools: Sequence[Any] | None = None,
        schema_in_prompt: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a model whose responses are parsed to a value that satisfies a schema.

        Args:
            schema: A pydantic class, TypedDict, any other type, or a JSON schema, alone or in the
                wrapper that OpenAI, Anthropic or Bedrock have for one (guided JSON), a
                Literal or Enum (guided choice), a compiled pattern (guided regex), or a Lark
                grammar with a ``start`` rule (guided grammar). With "json_mode" it may be left
                out: the value is any JSON object then.
            include_raw: Return a dict of ``raw``, ``parsed`` and ``parsing_error`` instead, and
                raise nothing for an answer that does not fit.
            method: "guided_json" (or its other name "json_schema"), "function_calling",
                "json_mode", "guided_choice", "guided_regex", "guided_grammar"; by default the one
                that fits the schema.
            strict: Accepted; answers are always held against the schema.
            tools: Tools that the model may call instead of answering.
            schema_in_prompt: Whether the prompt holds the schema, too; it does by default.
            **kwargs: Further arguments of each call.

        Raises:
            InvalidRequestError: The schema or the method cannot be used.
        """
        from langchain_monster._structured_output import (
            RawOutputParser,
            StructuredOutputParser,
            bound_arguments,
            check_beside_tools,
        )

        with as_langchain_errors():
            if kwargs:
                self._check_arguments(kwargs, _BESIDE_SCHEMA)
            kind: type[StructuredOutputParser]
            kind = RawOutputParser if include_raw else StructuredOutputParser
            parser = kind(schema, method)
            arguments = {**bound_arguments(parser, strict), **kwargs}
            if schema_in_prompt is not None:
                arguments["schema_in_prompt"] = schema_in_prompt
            if tools:
                check_beside_tools(parser.spec.method, kwargs.get("tool_choice"))
        bound = self.bind_tools(arguments.pop("tools", tools or ()), **arguments)
        return bound | parser

    # --- What the endpoint serves

    def models(self) -> list[ServedModel]:
        """Return the models that the endpoint serves, each with its context window.

        Raises:
            MonsterError: The request failed.
        """
        with as_langchain_errors():
            return self._client().models()

    async def amodels(self) -> list[ServedModel]:
        """Return the models that the endpoint serves; the async version of :meth:`models`."""
        with as_langchain_errors():
            return await self._async_client().models()

    def discover_model_profile(self, timeout: float = MAX_DISCOVERY_SECONDS) -> ModelProfile:
        """Ask the endpoint for the model's context window, and put it into ``profile``.

        Args:
            timeout: Seconds for each of the two requests that may be needed.

        Returns:
            The profile; what you set in it yourself stays as it is.

        Raises:
            InvalidRequestError: There is no model.
            MonsterError: The request failed.
        """
        with as_langchain_errors():
            window = self._client().context_window(self._required_model(), timeout)
        return self._set_context_window(window)

    async def adiscover_model_profile(self, timeout: float = MAX_DISCOVERY_SECONDS) -> ModelProfile:
        """Ask for the context window; the async version of :meth:`discover_model_profile`."""
        with as_langchain_errors():
            window = await self._async_client().context_window(self._required_model(), timeout)
        return self._set_context_window(window)

    def _set_context_window(self, window: int | None) -> ModelProfile:
        profile = with_context_window(window, self._required_model(), self.family, self.profile)
        self.profile = profile
        return profile

    def _required_model(self) -> str:
        if self.model is None:
            raise InvalidRequestError("No model: pass model or set MONSTER_MODEL.")
        return self.model

    def _resolve_model_profile(self) -> ModelProfile | None:
        return profile_of(self.model, self.family) if self.model else None

    # --- Token counting

    def get_token_ids(self, text: str) -> list[int]:
        """Return the token ids of a text, from ``custom_get_token_ids`` or else ``tokenizer``.

        Raises:
            ConfigurationError: There is neither.
        """
        with as_langchain_errors():
            return token_ids(self.custom_get_token_ids or self.tokenizer, text)

    def get_num_tokens(self, text: str) -> int:
        """Return how many tokens a text has.

        Without a tokenizer it is an estimate that is rather too high: on Llama 3's vocabulary 1.0
        to 1.7 times the true number for English, code and JSON, up to 2.5 times for other scripts.
        """
        return count_tokens(self.custom_get_token_ids or self.tokenizer, text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Return how many tokens of the context window a conversation takes.

        What is counted is what would be sent: calls, results and definitions as the text that
        they become, and the marks around each turn. An image counts as 1,000 tokens.

        Args:
            messages: The conversation.
            tools: Tools of any kind that ``bind_tools`` takes.

        Raises:
            InvalidRequestError: The conversation holds what cannot be sent.
        """
        with as_langchain_errors():
            return count_message_tokens(
                messages,
                tools,
                model=self.model,
                family=self.family,
                tool_format=self.tool_format,
                count=self.get_num_tokens,
            )

    # --- What LangChain asks of every model

    @property
    def _llm_type(self) -> str:
        return "monster-chat"

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Allow LangChain to serialize the model and to load it again."""
        return True

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """Return how the model is constructed again, without its secrets."""
        if type(self) is ChatMonster:
            return to_constructor(self)
        return super().to_json()

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Map the secret arguments to the environment variables that hold them at loading."""
        return {"api_key": "MONSTER_API_KEY"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """Return the arguments that LangChain's own serialization gets wrong: an httpx.Timeout."""
        if self.timeout is None or isinstance(self.timeout, (int, float)):
            return {}
        return self.model_dump(include={"timeout"})

    @property
    def _identifying_params(self) -> dict[str, Any]:
        given = {"base_url": self.base_url, **self._set_fields()}
        if self.model_kwargs:
            given["model_kwargs"] = self.model_kwargs
        return given

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        fields = {**self.__dict__, **kwargs}
        params = LangSmithParams(ls_provider=MODEL_PROVIDER, ls_model_type="chat")
        if fields["model"] is not None:
            params["ls_model_name"] = fields["model"]
        if fields["temperature"] is not None:
            params["ls_temperature"] = fields["temperature"]
        if fields["max_tokens"] is not None:
            params["ls_max_tokens"] = fields["max_tokens"]
        stops = stop or fields["stop"]
        if stops:
            params["ls_stop"] = [stops] if isinstance(stops, str) else stops
        return params

    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        return traced_params(super()._get_invocation_params(stop, **kwargs))

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        return super()._get_llm_string(stop, **cached_arguments(kwargs))

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
