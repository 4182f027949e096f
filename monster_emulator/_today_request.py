"""The request model of vLLM 0.32.0, and what the model sees of it: functions and calls, too.

It takes any key, and ignores those that it does not name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ._conversation import Turn, text_of
from ._errors import Failure, Refusal
from ._prompts import hermes_call
from ._request import INT64

_MAX_LISTED_ERRORS = 10
_MAX_INPUT_CHARS = 200
# branches of a union, as pydantic writes them into the place of an error
_UNION_BRANCH = re.compile(r"[\[\]]|^(?:str|int|float|bool|list|dict|none|nonetype)$", re.I)
_USAGE = 'Correct usage: `{"type": "function", "function": {"name": "my_function"}}`'
_PARTS_OF_TEXT = {"text": "text", "refusal": "refusal", "thinking": "thinking"}


class Lenient(BaseModel):
    """A model that ignores the keys it does not name."""

    model_config = ConfigDict(extra="ignore")


class StreamOptions(Lenient):
    """`stream_options`."""

    include_usage: bool | None = False
    continuous_usage_stats: bool | None = False


class Function(Lenient):
    """`tools[].function`."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(Lenient):
    """`tools[]`."""

    type: Literal["function"] = "function"
    function: Function


class NamedFunction(Lenient):
    """`tool_choice.function`."""

    name: str


class NamedToolChoice(Lenient):
    """`tool_choice`, when it is not a string."""

    function: NamedFunction
    type: Literal["function"] = "function"


class JsonSchema(BaseModel):
    """`response_format.json_schema`."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    name: str
    description: str | None = None
    json_schema: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class ResponseFormat(Lenient):
    """`response_format`."""

    type: Literal["text", "json_object", "json_schema", "structural_tag"]
    json_schema: JsonSchema | None = None


class StructuredOutputs(BaseModel):
    """`structured_outputs`: exactly one constraint, and options that change nothing here."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    json_: str | dict[str, Any] | None = Field(None, alias="json")
    regex: str | None = None
    choice: list[str] | None = None
    grammar: str | None = None
    json_object: bool | None = None
    disable_any_whitespace: bool = False
    disable_additional_properties: bool = False
    whitespace_pattern: str | None = None
    structural_tag: str | None = None


class CalledFunction(Lenient):
    """The function of a call in the history."""

    name: str
    arguments: str


class Call(Lenient):
    """A call in the history, which the template shows to the model."""

    id: str
    function: CalledFunction
    type: Literal["function"]


class TodayMessage(Lenient):
    """A message of any role; only an assistant's may come without content."""

    role: str
    content: str | list[Any] | None = ""
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[Call] | None = None

    @model_validator(mode="after")
    def check_content(self) -> TodayMessage:
        """Refuse null as the content of another role."""
        if self.content is None and self.role != "assistant":
            raise ValueError("Input should be a valid string")
        return self


class TodayRequest(Lenient):
    """The body of `POST /v1/chat/completions`; what has no effect on an answer is left out."""

    messages: list[TodayMessage]
    model: str | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = False
    top_logprobs: int | None = 0
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = 1
    presence_penalty: float | None = None
    response_format: ResponseFormat | None = None
    seed: int | None = Field(None, ge=-INT64, le=INT64 - 1)
    stop: str | list[str] | None = Field(default_factory=list)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedToolChoice | None = "none"
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = (
        None
    )
    include_reasoning: bool = True
    parallel_tool_calls: bool | None = True
    user: str | None = None
    use_beam_search: bool = False
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    length_penalty: float = 1.0
    stop_token_ids: list[int] | None = Field(default_factory=list)
    include_stop_str_in_output: bool = False
    ignore_eos: bool = False
    min_tokens: int = 0
    skip_special_tokens: bool = True
    spaces_between_special_tokens: bool = True
    prompt_logprobs: int | None = None
    allowed_token_ids: list[int] | None = None
    bad_words: list[str] = Field(default_factory=list)
    echo: bool = False
    add_generation_prompt: bool = True
    continue_final_message: bool = False
    add_special_tokens: bool = False
    chat_template: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    structured_outputs: StructuredOutputs | None = None
    priority: int = Field(0, ge=-INT64, le=INT64 - 1)
    return_token_ids: bool | None = None
    request_id: str | None = None

    @property
    def include_usage(self) -> bool:
        """Whether a stream reports its usage."""
        return bool(self.stream_options and self.stream_options.include_usage)


def _check_combinations(data: dict[str, Any]) -> None:
    """Make the checks that precede those of types, in the server's order."""
    iter(data.get("messages", []))
    if data.get("continue_final_message") and data.get("add_generation_prompt"):
        raise Refusal(
            "Cannot set both `continue_final_message` and `add_generation_prompt` to True."
        )
    _check_tools(data)
    _check_structured_outputs(data)
    _check_logprobs(data)
    if data.get("stream_options") and not data.get("stream"):
        raise Refusal("Stream options can only be defined when `stream=True`.", "stream_options")
    match data.get("response_format"):
        case {"type": "json_schema", **others} if not others.get("json_schema"):
            raise Refusal(
                "When response_format type is 'json_schema', the 'json_schema' field must be "
                "provided.",
                "response_format",
            )


def _check_logprobs(data: dict[str, Any]) -> None:
    for name in ("prompt_logprobs", "top_logprobs"):
        value = data.get(name)
        if value is None:
            continue
        if not isinstance(value, int | float):
            raise Refusal(f"`{name}` must be an integer.", name, value)
        if name == "prompt_logprobs" and data.get("stream") and (value > 0 or value == -1):
            raise Refusal("`prompt_logprobs` are not available when `stream=True`.", name)
        if value < 0 and value != -1:
            raise Refusal(f"`{name}` must be a positive value or -1.", name, value)
        if name == "top_logprobs" and value and not data.get("logprobs"):
            raise Refusal("when using `top_logprobs`, `logprobs` must be set to true.", name)


def _check_structured_outputs(data: dict[str, Any]) -> None:
    given = data.get("structured_outputs")
    if given is None:
        return
    if not isinstance(given, dict):
        raise Failure(f"'{type(given).__name__}' object has no attribute 'get'")
    count = sum(given.get(kind) is not None for kind in ("json", "regex", "choice"))
    if count > 1:
        raise Refusal(
            "You can only use one kind of constraints for structured outputs ('json', 'regex' or "
            "'choice')."
        )
    if count and data.get("tool_choice", "none") not in ("none", "auto", "required"):
        raise Refusal(
            "You can only either use constraints for structured outputs or tools, not both."
        )


def _check_tools(data: dict[str, Any]) -> None:
    if data.get("tools") == []:
        raise Refusal(
            "`tools` must not be an empty array. Either provide at least one tool or omit the "
            "field entirely.",
            "tools",
        )
    if "tool_choice" not in data and data.get("tools"):
        data["tool_choice"] = "auto"
    choice = data.get("tool_choice")
    if choice is None or choice == "none":
        return
    if data.get("tools") is None:
        raise Refusal("When using `tool_choice`, `tools` must be set.", "tool_choice")
    if isinstance(choice, dict):
        _check_named_tool(choice, data["tools"])
    elif choice not in ("auto", "required"):
        raise Refusal(
            f"Invalid value for `tool_choice`: {choice}! "
            'Only named tools, "none", "auto" or "required" are supported.',
            "tool_choice",
        )


def _check_named_tool(choice: Mapping[str, Any], tools: Any) -> None:
    function = choice.get("function")
    if not isinstance(function, dict):
        raise Refusal(
            f"Invalid value for `function`: `{function}` in `tool_choice`! {_USAGE}",
            "tool_choice.function",
        )
    if "name" not in function:
        raise Refusal(
            f"Expected field `name` in `function` in `tool_choice`! {_USAGE}",
            "tool_choice.function.name",
        )
    if function["name"] not in [tool["function"]["name"] for tool in tools]:
        raise Refusal(
            "The tool specified in `tool_choice` does not match any of the specified `tools`",
            "tool_choice",
        )


def parse_today(data: Any) -> TodayRequest:
    """Read a request from a parsed JSON body."""
    try:
        if isinstance(data, dict):
            data = dict(data)
            _check_combinations(data)
        return TodayRequest.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        found = [{**detail, "loc": ("body", *detail["loc"])} for detail in details]
        raise refusal_of(found) from error
    except (TypeError, KeyError) as error:
        raise Refusal(str(error)) from error


def refusal_of(details: Sequence[Mapping[str, Any]]) -> Refusal:
    """Refuse a body for what pydantic finds wrong with it."""
    lines = [str({**detail, **_summary(detail)}) for detail in details]
    message = f"{len(lines)} validation error{'s' if len(lines) > 1 else ''}:\n" + "\n".join(
        f"  {line}" for line in lines[:_MAX_LISTED_ERRORS]
    )
    if len(lines) > _MAX_LISTED_ERRORS:
        message += f"\n  ...and {len(lines) - _MAX_LISTED_ERRORS} more errors"
    refusal = Refusal(message, _place(details[0]["loc"]))
    refusal.type = "Bad Request"
    return refusal


def _summary(detail: Mapping[str, Any]) -> dict[str, str]:
    given = detail["input"]
    if isinstance(given, list | dict):
        shown = f"<{type(given).__name__} of {len(given)} items>"
    else:
        shown = str(given)
        if len(shown) > _MAX_INPUT_CHARS:
            shown = f"{shown[:_MAX_INPUT_CHARS]}...[truncated]"
    return {"loc": _place(detail["loc"]), "input": shown}


def _place(steps: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in steps if not _UNION_BRANCH.search(str(step)))


def conversation_of_today(request: TodayRequest) -> list[Turn]:
    """Reduce a request to the turns that the model sees."""
    if not request.messages:
        raise Refusal(
            "Cannot apply chat template to an empty conversation. Provide at least one message."
        )
    if request.chat_template is not None:
        raise Refusal(
            "Chat template is passed with request, but --trust-request-chat-template is not set. "
            "Refused request with untrusted chat template."
        )
    if request.continue_final_message and request.add_generation_prompt:
        raise Refusal(
            "continue_final_message and add_generation_prompt are not compatible. Use "
            "continue_final_message when you want the model to continue the final message, and "
            "add_generation_prompt when you want to add a header that will prompt it to start a "
            "new assistant message instead."
        )
    turns = [Turn(message.role, _said(message)) for message in request.messages]
    if not request.tools:
        return turns
    shown = [json.dumps(tool.model_dump(exclude_none=True)) for tool in request.tools]
    functions = "You may call functions. Functions:\n" + "\n".join(shown)
    functions += "\nCall one with <tool_call>...</tool_call>"
    if turns[0].role == "system":
        return [Turn("system", f"{turns[0].content}\n\n{functions}"), *turns[1:]]
    return [Turn("system", functions), *turns]


def _said(message: TodayMessage) -> str:
    content = message.content or ""
    written = text_of(content if isinstance(content, str) else "\n".join(map(_part_text, content)))
    calls = [
        hermes_call(call.function.name, _arguments(call.function.arguments))
        for call in message.tool_calls or ()
    ]
    return "\n".join(filter(None, [written, *calls]))


def _arguments(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def _part_text(part: Any) -> str:
    if isinstance(part, dict):
        key = _PARTS_OF_TEXT.get(part.get("type", ""))
        if key and isinstance(part.get(key), str):
            return str(part[key])
        if part.get("type") == "image_url" and "image_url" in part:
            raise Refusal("This model is not a multimodal model")
    raise Refusal("validation errors for ValidatorIterator")
