"""The request model: the 41 fields of vLLM 0.5.0 (vllm/entrypoints/openai/protocol.py:129).

What it refuses is worded as pydantic 2.7 does under FastAPI.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
    with_config,
)
from typing_extensions import Required, TypedDict

from ._conversation import Turn, text_of
from ._errors import Crash, Refusal

INT64 = 2**63
# pydantic 2.7 calls each typed dictionary "typed-dict"; later ones call it by its name
_TYPED_DICTS = re.compile(
    r"\b(?:(?:System|User|Assistant|Tool|Function|Custom)Message"
    r"|(?:Text|Image|Custom)Part|ImageURL|CalledFunction|ToolCall)\b"
)
_DOCUMENTATION = re.compile(r"(?<=errors\.pydantic\.dev/)[\d.]+(?=/v/)")
_PART = re.compile(r"^\d+\..*$", re.MULTILINE)


class TextPart(TypedDict, total=False):
    """A part of text."""

    text: Required[str]
    type: Required[Literal["text"]]


class ImageURL(TypedDict, total=False):
    """Where an image is."""

    url: Required[str]
    detail: Literal["auto", "low", "high"]


class ImagePart(TypedDict, total=False):
    """An image, which only a multimodal model takes."""

    image_url: Required[ImageURL]
    type: Required[Literal["image_url"]]


@with_config(ConfigDict(extra="allow"))
class CustomPart(TypedDict, total=False):
    """Any other part: the request model lets it through, the server then refuses its type."""

    type: Required[str]


Part = TextPart | ImagePart | CustomPart


class SystemMessage(TypedDict, total=False):
    """A system message."""

    content: Required[str]
    role: Required[Literal["system"]]
    name: str


class UserMessage(TypedDict, total=False):
    """A user's turn."""

    content: Required[str | Iterable[Part]]
    role: Required[Literal["user"]]
    name: str


class CalledFunction(TypedDict, total=False):
    """The function of a call in the history."""

    arguments: Required[str]
    name: Required[str]


class ToolCall(TypedDict, total=False):
    """A call in the history; the server never shows it to the model."""

    id: Required[str]
    function: Required[CalledFunction]
    type: Required[Literal["function"]]


class AssistantMessage(TypedDict, total=False):
    """An assistant's turn."""

    role: Required[Literal["assistant"]]
    content: str | None
    function_call: CalledFunction | None
    name: str
    tool_calls: Iterable[ToolCall]


class ToolMessage(TypedDict, total=False):
    """A tool's result."""

    content: Required[str]
    role: Required[Literal["tool"]]
    tool_call_id: Required[str]


class FunctionMessage(TypedDict, total=False):
    """A function's result, the older form."""

    content: Required[str | None]
    name: Required[str]
    role: Required[Literal["function"]]


class CustomMessage(TypedDict, total=False):
    """A message of any other role, or of a known role without its particular keys."""

    role: Required[str]
    content: str | list[Part]
    name: str


Message = (
    SystemMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage | CustomMessage
)


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
        raise Refusal(_wording_of(error)) from error
    except TypeError as error:
        raise Crash("a check compared what cannot be compared") from error


def conversation_of_0_5(request: ChatCompletionRequest) -> list[Turn]:
    """Return what a chat template sees: no tool calls, names or ids, no message without content."""
    if request.add_special_tokens is None:
        raise Crash("the tokenizer takes no null")
    contents = [(message["role"], message.get("content")) for message in request.messages]
    return [Turn(role, _text(content)) for role, content in contents if content is not None]


# vllm/entrypoints/openai/serving_chat.py:98
def _text(content: str | Iterable[Any]) -> str:
    if isinstance(content, str):
        return text_of(content)
    try:
        return text_of("\n".join(map(_part_text, content)))
    except ValidationError as error:  # parts are validated when they are read
        raise Refusal(_wording_of_parts(error)) from error


def _part_text(part: Any) -> str:
    match part["type"]:
        case "text" if "text" in part:
            return str(part["text"])
        case "text":
            raise Refusal("'text'")
        case "image_url":
            raise Refusal(
                "'image_url' input is not supported as the loaded model is not multimodal."
            )
        case unknown:
            raise Refusal(f"Unknown part type: {unknown}")


def _wording_of(error: ValidationError) -> str:
    """Word what is wrong with a body."""
    details = error.errors(include_url=False)
    return str([{**detail, "loc": ("body", *map(_place, detail["loc"]))} for detail in details])


def _wording_of_parts(error: ValidationError) -> str:
    """Word what is wrong with a part of a content list."""
    lines = _PART.sub(lambda place: _TYPED_DICTS.sub("typed-dict", place[0]), str(error))
    return _DOCUMENTATION.sub("2.7", lines)


def _place(step: str | int) -> str | int:
    return _TYPED_DICTS.sub("typed-dict", step) if isinstance(step, str) else step
