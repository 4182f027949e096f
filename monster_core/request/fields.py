"""Declare every request field once: its type, its range and what it does.

Both framework classes inherit :class:`RequestParameters`, so that each field is an argument of
their constructors and of each call. ``None`` means "not sent": the server's own default holds. The
fields are those of ``ChatCompletionRequest`` in vLLM 0.5.0's ``protocol.py``.
"""

# Without `from __future__ import annotations`: pydantic would compile every annotation by itself.
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
)

__all__ = [
    "FRAMEWORK_FIELDS",
    "REQUEST_FIELDS",
    "CallParameters",
    "ConversationParameters",
    "RequestParameters",
    "split_unknown_fields",
]

from monster_core.errors import InvalidRequestError
from monster_core.model_families import ToolFormat
from monster_core.server_profiles import server_profile

_INT64 = 2**63


def _token_biases(value: Any) -> Any:
    """Refuse a key that is not a token id: one such request takes the whole server down.

    vLLM 0.5.0 calls int() on the keys inside of the engine (logits processors of protocol.py), and
    an exception there ends its background loop.
    """
    if not isinstance(value, Mapping):
        return value
    biases: dict[str, Any] = {}
    for token, bias in value.items():
        if isinstance(token, bool) or not re.fullmatch(r"[0-9]{1,9}", str(token)):
            raise ValueError(f"the key {token!r} is not a token id: keys are integers from 0")
        biases[str(token)] = bias
    return biases


def _not_zero(value: int) -> int:
    if value == 0:
        raise ValueError("the server takes -1 (all tokens) or a number from 1, not 0")
    return value


def _json_schema(value: Any) -> Any:
    """Return the JSON schema of a dict, of JSON text or of a type."""
    from monster_core.json_schema import SchemaError, schema_of  # only for those who give one

    try:
        return schema_of(value)
    except (SchemaError, TypeError) as error:
        reason = error.reason if isinstance(error, SchemaError) else error
        raise ValueError(
            f"{reason}; a JSON schema is a dict, its JSON text or a pydantic class"
        ) from None


def _pattern(value: Any) -> Any:
    """Refuse a pattern that the server cannot compile, which it answers with a bare 500."""
    if not isinstance(value, (str, re.Pattern)):
        return value
    from monster_core.request.structured import guidable_pattern

    try:
        return guidable_pattern(re.compile(value))
    except re.error as error:
        raise ValueError(f"the pattern does not compile: {error}") from None


def _response_format(value: Any) -> Any:
    """Accept the server's two formats, and ``json_schema`` as both of OpenAI's APIs write it."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    if kind in ("text", "json_object") and set(value) == {"type"}:
        return dict(value)
    if kind == "json_schema":
        given = value.get("json_schema", value)
        if isinstance(given, Mapping) and isinstance(given.get("schema"), Mapping):
            return {"type": kind, "json_schema": {**given, "schema": _json_schema(given["schema"])}}
    raise ValueError(
        'it is {"type": "text"}, {"type": "json_object"} or '
        '{"type": "json_schema", "json_schema": {"name": ..., "schema": ...}}'
    )


def _server(value: Any) -> Any:
    """Refuse the name of a server that has no profile."""
    try:
        server_profile(value)
    except InvalidRequestError as error:
        raise ValueError(str(error)) from None
    return value


_Flag = Annotated[bool, Strict()]
_Number = Annotated[float, Strict(), AllowInfNan(False)]
_Whole = Annotated[int, Strict()]
_Text = Annotated[str, Strict()]


class RequestParameters(BaseModel):
    """Hold the request fields that a caller may set; None is never sent."""

    # a class's parts validate nothing: building schemas for them would be half of an import
    model_config = ConfigDict(hide_input_in_errors=True, defer_build=True)

    model: _Text | None = Field(default=None, description="Name of the model to ask.")
    user: _Text | None = Field(default=None, description="The caller's own id of its end user.")

    temperature: Annotated[_Number, Field(ge=0)] | None = Field(
        default=None, description="Randomness; 0 always takes the likeliest token. Server: 0.7."
    )
    top_p: Annotated[_Number, Field(gt=0, le=1)] | None = Field(
        default=None, description="Sample from the likeliest tokens of this total. Server: 1."
    )
    top_k: Annotated[_Whole, Field(ge=-1), AfterValidator(_not_zero)] | None = Field(
        default=None, description="Sample from this many tokens; -1 from all, not 0. Server: -1."
    )
    min_p: Annotated[_Number, Field(ge=0, le=1)] | None = Field(
        default=None, description="Least probability, relative to the likeliest token. Server: 0."
    )
    seed: Annotated[_Whole, Field(ge=-_INT64, le=_INT64 - 1)] | None = Field(
        default=None, description="Seed that makes sampling repeatable."
    )
    frequency_penalty: Annotated[_Number, Field(ge=-2, le=2)] | None = Field(
        default=None, description="Penalty for each earlier use of a token. Server: 0."
    )
    presence_penalty: Annotated[_Number, Field(ge=-2, le=2)] | None = Field(
        default=None, description="Penalty for tokens used at all before. Server: 0."
    )
    repetition_penalty: Annotated[_Number, Field(gt=0, le=2)] | None = Field(
        default=None, description="Factor against repetition; above 1 discourages it. Server: 1."
    )
    logit_bias: (
        Annotated[
            dict[str, Annotated[_Number, Field(ge=-100, le=100)]], BeforeValidator(_token_biases)
        ]
        | None
    ) = Field(default=None, description="Bias per token id, -100 to 100.")

    max_tokens: Annotated[_Whole, Field(ge=1)] | None = Field(
        default=None, description="Most tokens to generate. Server: what the context leaves."
    )
    min_tokens: Annotated[_Whole, Field(ge=0)] | None = Field(
        default=None, description="Fewest tokens before a stop is honoured. Server: 0."
    )
    stop: _Text | list[_Text] | None = Field(
        default=None, description="Text, or texts, at which the response ends."
    )
    stop_token_ids: list[Annotated[_Whole, Field(ge=0)]] | None = Field(
        default=None, description="Token ids at which the response ends."
    )
    include_stop_str_in_output: _Flag | None = Field(
        default=None, description="Keep the stop text in the response. Server: false."
    )
    ignore_eos: _Flag | None = Field(
        default=None, description="Go on after the model's own end token. Server: false."
    )

    n: Annotated[_Whole, Field(ge=1)] | None = Field(
        default=None, description="How many answers to give; 1 in a stream. Server: 1."
    )
    best_of: Annotated[_Whole, Field(ge=1)] | None = Field(
        default=None, description="How many candidates to draw; at least n. Server: n."
    )
    use_beam_search: _Flag | None = Field(
        default=None, description="Beam search; needs temperature 0 and best_of > 1. Server: false."
    )
    length_penalty: _Number | None = Field(
        default=None, description="Beam search only: weight of the length. Server: 1."
    )
    early_stopping: _Flag | None = Field(
        default=None, description="Beam search only: stop at best_of candidates. Server: false."
    )

    logprobs: _Flag | None = Field(
        default=None, description="Return log probabilities of the tokens. Server: false."
    )
    top_logprobs: Annotated[_Whole, Field(ge=0)] | None = Field(
        default=None, description="Also those of this many likeliest tokens; implies logprobs."
    )

    echo: _Flag | None = Field(
        default=None,
        description="Begin the response with the last message; not in a stream. Server: false.",
    )
    add_generation_prompt: _Flag | None = Field(
        default=None, description="Open the assistant's turn in the prompt. Server: true."
    )
    add_special_tokens: _Flag | None = Field(
        default=None, description="Add special tokens beyond the chat template's. Server: false."
    )
    skip_special_tokens: _Flag | None = Field(
        default=None, description="Leave special tokens out of the response. Server: true."
    )
    spaces_between_special_tokens: _Flag | None = Field(
        default=None, description="Put spaces between special tokens. Server: true."
    )

    stream_options: dict[Literal["include_usage"], _Flag] | None = Field(
        default=None, description="Only in a stream: whether its end reports the usage."
    )

    tools: list[dict[str, Any]] | None = Field(
        default=None, description="Functions that the model may call, in the form of any provider."
    )
    tool_choice: str | bool | dict[str, Any] | None = Field(
        default=None, description="auto, none, any, required, a tool's name, or OpenAI's dict."
    )
    response_format: Annotated[dict[str, Any], BeforeValidator(_response_format)] | None = Field(
        default=None, description="Type text, json_object, or json_schema (becomes a guide)."
    )

    guided_json: Annotated[dict[str, Any], BeforeValidator(_json_schema)] | None = Field(
        default=None,
        description="JSON schema (dict, text, pydantic class) that the response must satisfy.",
    )
    guided_regex: Annotated[_Text, BeforeValidator(_pattern)] | None = Field(
        default=None, description="Regular expression that the whole response must match."
    )
    guided_choice: Annotated[list[_Text], Field(min_length=1)] | None = Field(
        default=None, description="Texts of which the response must be one."
    )
    guided_grammar: _Text | None = Field(
        default=None, description="Lark grammar that the response must follow."
    )
    guided_decoding_backend: Literal["outlines", "lm-format-enforcer"] | None = Field(
        default=None, description="What enforces a guided response. Server: outlines."
    )
    guided_whitespace_pattern: _Text | None = Field(
        default=None, description="Pattern of the white space allowed inside guided JSON."
    )


class ConversationParameters(BaseModel):
    """Hold what decides how a conversation and its tools are put to the model."""

    model_config = ConfigDict(hide_input_in_errors=True, defer_build=True)

    server: Annotated[_Text, BeforeValidator(_server)] | None = Field(
        default=None,
        description="What serves the model: vllm-0.5 by default, another release, or vllm.",
    )
    family: _Text | None = Field(
        default=None, description="Model family, where the model's name does not tell it."
    )
    tool_format: ToolFormat | None = Field(
        default=None, description="How the model writes calls: llama, hermes or mistral."
    )
    tool_strategy: Literal["native", "guided", "prompt"] | None = Field(
        default=None, description="How a forced call is obtained; the best one by default."
    )
    parallel_tool_calls: _Flag | None = Field(
        default=None, description="Whether the model may call several tools at once."
    )
    schema_in_prompt: _Flag | None = Field(
        default=None,
        description="Put the schema into the prompt, too. On by default.",
    )
    ask_again: _Flag | None = Field(
        default=None,
        description="Ask once more after an answer that breaks its schema. Off by default.",
    )
    max_schema_seconds: Annotated[_Number, Field(ge=0)] | None = Field(
        default=None,
        description="Most seconds to compile a schema; MONSTER_MAX_SCHEMA_SECONDS, or 5.",
    )


class CallParameters(ConversationParameters, RequestParameters):
    """Hold everything a caller may set, for an instance and for a call."""


def split_unknown_fields(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that this package knows and those that it does not.

    Args:
        fields: Fields by name.
    """
    known = {name: fields[name] for name in fields if name in CallParameters.model_fields}
    return known, {name: fields[name] for name in fields if name not in known}


FRAMEWORK_FIELDS = ("messages", "stream")
"""Request fields that follow from the framework's method and input, not from an argument."""

REQUEST_FIELDS = frozenset(RequestParameters.model_fields) | set(FRAMEWORK_FIELDS)
"""Every key that the server's strict request model knows."""
