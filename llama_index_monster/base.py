"""Implement LlamaIndex's LLM interface on a MonsterAPI endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from pydantic import ConfigDict, Field, Strict

from llama_index_monster.answers import to_completion_response, to_streamed_completion
from llama_index_monster.asking import Asking
from llama_index_monster.async_responses import AsyncResponses
from llama_index_monster.served_models import ServedModels, assumed_context_window
from llama_index_monster.structured_output import StructuredOutput
from llama_index_monster.tool_calling import ToolCalling
from monster_core.model_arguments import BaseUrl, ModelArguments
from monster_core.model_base import MonsterModelBase
from monster_core.secrets import with_masked_secrets

if TYPE_CHECKING:
    import httpx
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.prompts import BasePromptTemplate
    from llama_index.core.types import BaseOutputParser, PydanticProgramMode
    from pydantic import SecretStr
    from typing_extensions import Self, Unpack

__all__ = ["MonsterLLM"]

DEFAULT_MODEL = "meta-llama/Meta-Llama-3-8B-Instruct"


class MonsterLLMArguments(ModelArguments, total=False):
    """The arguments that :class:`MonsterLLM` takes by name only, for type checkers and editors."""

    class_name: str  # written by to_dict(), and not used
    async_http_client: httpx.AsyncClient | None
    context_window: int | None
    query_wrapper_prompt: BasePromptTemplate | None
    rate_limiter: Any


class MonsterLLM(
    Asking, ToolCalling, StructuredOutput, ServedModels, MonsterModelBase, FunctionCallingLLM
):
    """Ask a model that MonsterAPI, or any vLLM 0.5 endpoint, serves.

    Every request field of the server is an argument here and of each call; the call's wins, and
    None means "not sent". Settings come from an argument, else from the environment
    (``MONSTER_API_KEY``, ``MONSTER_API_BASE``, ``MONSTER_MODEL``, ``MONSTER_TIMEOUT``,
    ``MONSTER_MAX_RETRIES``), else from their default. Making one opens no connection.

    Example:
        .. code-block:: python

            from llama_index_monster import MonsterLLM

            llm = MonsterLLM(model="meta-llama/Meta-Llama-3.1-8B-Instruct")
            print(llm.complete("What is the capital of France?"))

    Args:
        model: Name of the model to ask; ``MONSTER_MODEL``.
        temperature: Randomness; the server's default is 0.7.
        max_tokens: Most tokens to answer with; what the context leaves if None.
        additional_kwargs: Request fields this package does not know; sent as they are.
        max_retries: How often a failed request is sent again; ``MONSTER_MAX_RETRIES``.
        api_base: The endpoint's base URL; ``MONSTER_API_BASE``.
        api_key: The API key; ``MONSTER_API_KEY``.
        callback_manager: LlamaIndex's callbacks.
        system_prompt: What ``predict``, ``stream`` and structured output begin with.
        messages_to_prompt: Not used by a chat model; LlamaIndex's own argument.
        completion_to_prompt: What makes a message of the prompt of ``complete``.
        pydantic_program_mode: How LlamaIndex makes structured output.
        output_parser: What LlamaIndex parses predictions with.
        **kwargs: Every other field, by name.

    Raises:
        pydantic.ValidationError: An argument is unknown, of the wrong type or out of range.
    """

    model_config = ConfigDict(defer_build=False)

    _base_url_field: ClassVar[str] = "api_base"
    _async_client_field: ClassVar[str] = "async_http_client"
    _extra_fields_field: ClassVar[str] = "additional_kwargs"

    model: Annotated[str, Strict()] | None = Field(
        default=DEFAULT_MODEL, description="Name of the model to ask; MONSTER_MODEL."
    )
    api_base: BaseUrl = Field(
        default=None, description="The endpoint's base URL; MONSTER_API_BASE."
    )
    async_http_client: Any = Field(
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

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex asks of a model; the same for the same fields, and never a request."""
        model = self.model or ""
        return LLMMetadata(
            context_window=self.context_window or assumed_context_window(model, self.family),
            num_output=self.max_tokens or -1,
            is_chat_model=True,
            is_function_calling_model=True,
            model_name=model,
            system_role=MessageRole.SYSTEM,
        )

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a conversation.

        Args:
            messages: The conversation.
            **kwargs: Request fields for this call.

        Raises:
            MonsterError: The call failed.
        """
        return self._chat(messages, kwargs)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt, sent as a user's message.

        Args:
            prompt: The prompt.
            formatted: Whether completion_to_prompt has been applied.
            **kwargs: Request fields for this call.

        Raises:
            MonsterError: The call failed.
        """
        return to_completion_response(self._chat(self._as_messages(prompt, formatted), kwargs))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Answer a conversation piece by piece; each response holds everything so far.

        Args:
            messages: The conversation.
            **kwargs: Request fields for this call.

        Raises:
            MonsterError: The call failed, or its stream was cut.
        """
        return self._responses(self._plan(messages, kwargs, stream=True))

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Answer a prompt piece by piece; see :meth:`stream_chat` and :meth:`complete`."""
        call = self._plan(self._as_messages(prompt, formatted), kwargs, stream=True)
        return (to_streamed_completion(response) for response in self._responses(call))

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a conversation; the twin of :meth:`chat`."""
        return await self._achat(messages, kwargs)

    @llm_completion_callback()
    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """Answer a prompt; the twin of :meth:`complete`."""
        messages = self._as_messages(prompt, formatted)
        return to_completion_response(await self._achat(messages, kwargs))

    @llm_chat_callback()
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Answer a conversation piece by piece; the twin of :meth:`stream_chat`."""
        return self._aresponses(self._plan(messages, kwargs, stream=True))

    @llm_completion_callback()
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Answer a prompt piece by piece; the twin of :meth:`stream_complete`."""
        call = self._plan(self._as_messages(prompt, formatted), kwargs, stream=True)
        return AsyncResponses(self._aresponses(call), to_streamed_completion)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        memo = {} if memo is None else memo
        # a copy keeps to the same budget and reports to the same handlers
        for shared in (getattr(self, "rate_limiter", None), self.callback_manager):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)
