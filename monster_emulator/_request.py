"""The request model: the 41 fields of vLLM 0.5.0 (vllm/entrypoints/openai/protocol.py:129)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ._errors import Crash, Refusal
from ._messages import Message
from ._wording import of_errors

INT64 = 2**63


class Strict(BaseModel):
    """A model that takes no key it does not name."""

    model_config = ConfigDict(extra="forbid")


class ResponseFormat(Strict):
    """`response_format`: no `json_schema` in this generation."""

    type: Literal["text", "json_object"]


class StreamOptions(Strict):
    """`stream_options`."""

    include_usage: bool | None


class FunctionDefinition(Strict):
    """`tools[].function`: no `strict` in this generation."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(Strict):
    """`tools[]`."""

    type: Literal["function"] = "function"
    function: FunctionDefinition


class NamedFunction(Strict):
    """`tool_choice.function`."""

    name: str


class ChatCompletionNamedToolChoiceParam(Strict):
    """`tool_choice`, when it is not a string; the class name stands in the server's refusals."""

    function: NamedFunction
    type: Literal["function"] = "function"


class ChatCompletionRequest(Strict):
    """The body of `POST /v1/chat/completions`.

    Types are checked here, ranges later (`_sampling`), because the server answers the two
    differently and in this order.
    """

    messages: list[Message]
    model: str
    frequency_penalty: float | None = 0.0
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = False
    top_logprobs: int | None = 0
    max_tokens: int | None = None
    n: int | None = 1
    presence_penalty: float | None = 0.0
    response_format: ResponseFormat | None = None
    seed: int | None = Field(None, ge=-INT64, le=INT64 - 1)
    stop: str | list[str] | None = Field(default_factory=list)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: float | None = 0.7
    top_p: float | None = 1.0
    tools: list[Tool] | None = None
    tool_choice: Literal["none"] | ChatCompletionNamedToolChoiceParam | None = "none"
    user: str | None = None
    best_of: int | None = None
    use_beam_search: bool | None = False
    top_k: int | None = -1
    min_p: float | None = 0.0
    repetition_penalty: float | None = 1.0
    length_penalty: float | None = 1.0
    early_stopping: bool | None = False
    ignore_eos: bool | None = False
    min_tokens: int | None = 0
    stop_token_ids: list[int] | None = Field(default_factory=list)
    skip_special_tokens: bool | None = True
    spaces_between_special_tokens: bool | None = True
    echo: bool | None = False
    add_generation_prompt: bool | None = True
    add_special_tokens: bool | None = False
    include_stop_str_in_output: bool | None = False
    guided_json: str | dict[Any, Any] | BaseModel | None = None
    guided_regex: str | None = None
    guided_choice: list[str] | None = None
    guided_grammar: str | None = None
    guided_decoding_backend: str | None = None
    guided_whitespace_pattern: str | None = None

    @model_validator(mode="before")
    @classmethod
    def check_combinations(cls, data: Any) -> Any:
        """Make the checks that precede those of types (vllm/entrypoints/openai/protocol.py:277)."""
        _check_top_logprobs(data)
        if data.get("tool_choice", "none") != "none":
            if not isinstance(data["tool_choice"], dict):
                raise ValueError("Currently only named tools are supported.")
            if data.get("tools") is None:
                raise ValueError("When using `tool_choice`, `tools` must be set.")
        guides = ("guided_json", "guided_regex", "guided_choice")
        if sum(data.get(guide) is not None for guide in guides) > 1:
            raise ValueError(
                "You can only use one kind of guided decoding "
                "('guided_json', 'guided_regex' or 'guided_choice')."
            )
        if data.get("stream_options") is not None and not data.get("stream"):
            raise ValueError("stream_options can only be set if stream is true")
        return data

    @property
    def include_usage(self) -> bool:
        """Whether a stream reports its usage."""
        return bool(self.stream_options and self.stream_options.include_usage)


def _check_top_logprobs(data: dict[str, Any]) -> None:
    top_logprobs = data.get("top_logprobs")
    if top_logprobs is None:
        return
    if data.get("logprobs", False) is False:
        raise ValueError("when using `top_logprobs`, `logprobs` must be set to true.")
    if top_logprobs < 0:
        raise ValueError("`top_logprobs` must be a value a positive value.")


def parse(data: Any) -> ChatCompletionRequest:
    """Read a request from a parsed body; the server crashes on what is not an object."""
    if not isinstance(data, dict):
        raise Crash("the body is not an object")
    try:
        return ChatCompletionRequest.model_validate(data, from_attributes=True)
    except ValidationError as error:
        raise Refusal(of_errors(error)) from error
    except TypeError as error:
        raise Crash("a check compared what cannot be compared") from error
