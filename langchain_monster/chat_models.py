"""Implement LangChain's chat model interface on a MonsterAPI endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, closing
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, field_validator, model_validator
from typing_extensions import Self, Unpack

from langchain_monster.binding import ToolBinding
from langchain_monster.errors import as_langchain_errors, to_langchain
from langchain_monster.events import ProtocolEvents
from langchain_monster.provider import MODEL_PROVIDER
from langchain_monster.served_models import ServedModels, is_derived, profile_of
from langchain_monster.token_counting import TokenCounting, check_tokenizer
from langchain_monster.tracing import langsmith_params, traced_params
from monster_core.errors import MonsterError
from monster_core.model_arguments import BaseUrl, ModelArguments
from monster_core.model_base import MonsterModelBase
from monster_core.secrets import with_masked_secrets
from monster_core.version import __version__

if TYPE_CHECKING:
    import httpx
    from langchain_core.caches import BaseCache
    from langchain_core.callbacks import Callbacks
    from langchain_core.language_models import ModelProfile
    from langchain_core.rate_limiters import BaseRateLimiter
    from pydantic import SecretStr

    from monster_core.request.chat_request import ChatRequest

__all__ = ["ChatMonster"]


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


class ChatMonster(
    ToolBinding, ProtocolEvents, ServedModels, TokenCounting, MonsterModelBase, BaseChatModel
):
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

    model_config = ConfigDict(defer_build=False)

    base_url: BaseUrl = Field(
        default=None, description="The endpoint's base URL; MONSTER_API_BASE."
    )
    http_async_client: Any = Field(
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
        super().__init__(**arguments)

    @field_validator("tokenizer")
    @classmethod
    def _check_tokenizer(cls, value: Any) -> Any:
        return check_tokenizer(value)

    @model_validator(mode="after")
    def _set_model_profile(self) -> Self:
        """Make the profile of the model, unless the caller gave one."""
        if self.model and (self.profile is None or self._is_profile_of_another_model()):
            self.profile = profile_of(self.model, self.family)
        return self

    def _is_profile_of_another_model(self) -> bool:
        profile: Any = self.profile
        return is_derived(profile) and profile["name"] != self.model

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

    def _field_was_assigned(self, name: str) -> None:
        super()._field_was_assigned(name)
        self.__dict__.pop("_serialized", None)  # the cache key follows the fields
        if name == "family" and self.model and is_derived(self.profile):
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
    def lc_attributes(self) -> dict[str, Any]:
        """Write an httpx.Timeout as JSON."""
        timeout = self.model_dump(include={"timeout"})["timeout"]
        return {} if timeout is None else {"timeout": timeout}

    @property
    def _identifying_params(self) -> dict[str, Any]:
        given = {"base_url": self.base_url, **self._set_fields()}
        if self.model_kwargs:
            given["model_kwargs"] = self.model_kwargs
        return given

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return langsmith_params({**self._identifying_params, **kwargs}, stop, MODEL_PROVIDER)

    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        if _tells_more(type(self)):
            return traced_params(super()._get_invocation_params(stop, **kwargs))
        # as LangChain does, without its detour by a deprecated method
        params = {**self._identifying_params, "_type": self._llm_type, "stop": stop}
        return traced_params({**params, **kwargs})

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

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        from langchain_monster.answers import to_result

        with as_langchain_errors():
            return to_result(self._client().answer(self._plan(messages, stop, kwargs)))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        from langchain_monster.answers import to_result

        with as_langchain_errors():
            call = self._plan(messages, stop, kwargs)
            return to_result(await self._async_client().answer(call))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        from langchain_monster.answers import to_generation_chunk

        with as_langchain_errors():
            call = self._plan(messages, stop, kwargs, stream=True)
            with closing(self._client().stream(call)) as chunks:
                for chunk in chunks:
                    generated = to_generation_chunk(chunk)
                    if run_manager:
                        run_manager.on_llm_new_token(chunk.text, chunk=generated)
                    yield generated

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        from langchain_monster.answers import to_generation_chunk

        with as_langchain_errors():
            call = self._plan(messages, stop, kwargs, stream=True)
            async with aclosing(self._async_client().stream(call)) as chunks:
                async for chunk in chunks:
                    generated = to_generation_chunk(chunk)
                    if run_manager:
                        await run_manager.on_llm_new_token(chunk.text, chunk=generated)
                    yield generated

    def _plan(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
        *,
        stream: bool = False,
    ) -> ChatRequest:
        from langchain_monster.messages import to_core
        from monster_core.request.builder import build_request

        given = {name: value for name, value in kwargs.items() if name != "stream"}
        usage = given.pop("stream_usage", self.stream_usage)
        if stop is not None:
            given["stop"] = stop
        fields = self._request_fields(given, stream=stream, ask_usage=usage)
        return build_request(to_core(messages), fields, stream=stream, extra=self._unknown_fields())


@cache
def _tells_more(model: type[ChatMonster]) -> bool:
    """Whether a subclass says of itself, by LangChain's methods, what ours does not."""
    names = ("asdict", "dict")
    return any(getattr(model, name, None) is not getattr(ChatMonster, name, None) for name in names)
