"""Ask for objects of a class, and read them from responses, whole and streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, get_origin

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.program.utils import create_flexible_model
from llama_index.core.types import Model
from pydantic import BaseModel, RootModel, TypeAdapter

from llama_index_monster._tool_calls import raise_for, read_tool_calls
from monster_core.errors import (
    IGNORED_GUIDE_ADVICE,
    InvalidRequestError,
    StructuredAnswerError,
)
from monster_core.json_values import copied, write_json
from monster_core.request.structured import output_spec_of
from monster_core.response.json import PartialJson
from monster_core.response.structured import check_value, misfit, raise_for_refusal

if TYPE_CHECKING:
    from llama_index.core.program.utils import FlexibleModel

__all__ = ["Output", "StreamedObject", "called_output", "guided_output", "has_fields"]


@dataclass(frozen=True, slots=True)
class Output(Generic[Model]):
    """Hold how an object of a class is asked for, and how it is read.

    Args:
        output_cls: The class.
        arguments: The arguments of the chat that asks for it.
        read: Returns the object of a whole response.
        partial_text: Returns the object's JSON text in a response of a stream, so far.
    """

    output_cls: type[Model]
    arguments: Mapping[str, Any]
    read: Callable[[ChatResponse], Model]
    partial_text: Callable[[ChatResponse], str]


def has_fields(output_cls: Any) -> bool:
    """Return whether a class is a pydantic model with fields, so that a function can take them.

    Args:
        output_cls: The class, or another type.
    """
    is_model = isinstance(output_cls, type) and issubclass(output_cls, BaseModel)
    return is_model and not issubclass(output_cls, RootModel)


def guided_output(output_cls: type[Model]) -> Output[Model]:
    """Ask for the object as the response's text, which the class's JSON schema guides.

    Args:
        output_cls: The class, any other type that pydantic can validate, or a JSON schema.

    Raises:
        InvalidRequestError: The type has no JSON schema.
    """
    spec = output_spec_of(output_cls)
    is_type = not isinstance(output_cls, (Mapping, str))

    def read(response: ChatResponse) -> Model:
        raise_for_refusal(response.message.additional_kwargs.get("refusal"))
        finish_reason = response.additional_kwargs.get("finish_reason")
        value = spec.read(response.message.content or "", finish_reason)
        if spec.schema is None:  # a Literal or an Enum: the value is read already
            read_value: Model = value
            return read_value
        if is_type:
            return _validated(output_cls, value, spec.schema)
        checked: Model = check_value(value, spec.schema)
        return checked

    return Output(output_cls, spec.fields, read, lambda response: response.message.content or "")


def called_output(output_cls: type[Model], arguments: Mapping[str, Any]) -> Output[Model]:
    """Ask for a call of a function that takes the class's fields.

    Args:
        output_cls: The class.
        arguments: The arguments of the chat that forces the call.
    """

    def read(response: ChatResponse) -> Model:
        for call in read_tool_calls(response):
            raise_for(call, response)
            return _validated(output_cls, call.arguments, _parameters(arguments))
        raise_for_refusal(response.message.additional_kwargs.get("refusal"))
        raise StructuredAnswerError(
            f"The model called no function; it said {(response.message.content or '')[:200]!r}. "
            f"{IGNORED_GUIDE_ADVICE}"
        )

    return Output(output_cls, arguments, read, _arguments_text)


class StreamedObject(Generic[Model]):
    """Make an object from each response of a stream that changes it; the last one is whole.

    Args:
        output: How the object was asked for.

    Raises:
        InvalidRequestError: The object would be a list, which LlamaIndex takes for several ones.
    """

    def __init__(self, output: Output[Model]) -> None:
        if list in (output.output_cls, get_origin(output.output_cls)):
            raise InvalidRequestError(
                f"{output.output_cls} cannot be streamed: make a model of it with "
                "pydantic.RootModel, or ask for it whole with structured_predict."
            )
        self._output = output
        has_flexible = has_fields(output.output_cls)
        self._flexible = create_flexible_model(output.output_cls) if has_flexible else None
        self._json = PartialJson()
        self._length = 0  # of the text that has been parsed
        self._last: Model | FlexibleModel | None = None
        self._response: ChatResponse | None = None

    def add(self, response: ChatResponse) -> Iterator[Model | FlexibleModel]:
        """Yield the object as it is now, if it has changed.

        Args:
            response: The next response.
        """
        self._response = response
        text = self._output.partial_text(response)
        piece, self._length = text[self._length :], len(text)
        if not self._json.feed(piece):
            return
        partial = self._partial(self._json.value)
        if partial is not None and partial != self._last:
            self._last = partial
            yield partial

    def end(self) -> Iterator[Model]:
        """Yield the whole object, unless it was the last one that was yielded.

        Raises:
            TruncatedAnswerError: ``max_tokens`` cut it.
            StructuredAnswerError: The response does not hold an object of the class.
        """
        if self._response is not None:
            whole = self._output.read(self._response)
            if whole != self._last:
                yield whole

    def _partial(self, value: Any) -> Model | FlexibleModel | None:
        if value is None or isinstance(self._output.output_cls, Mapping):
            return copied(value)  # type: ignore[no-any-return]
        try:
            return _parsed(self._output.output_cls, value)
        except Exception:  # the caller's validators may fail in any way on half an object
            if self._flexible is None or not isinstance(value, dict):
                return None
            return self._flexible.model_validate(value)


def _arguments_text(response: ChatResponse) -> str:
    for block in response.message.blocks:
        if isinstance(block, ToolCallBlock):
            kwargs = block.tool_kwargs
            return kwargs if isinstance(kwargs, str) else write_json(kwargs)
    return ""


def _parameters(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of the function that a chat forces."""
    parameters: dict[str, Any] = arguments["tools"][0]["function"]["parameters"]
    return parameters


def _validated(output_cls: type[Model], value: Any, schema: Mapping[str, Any]) -> Model:
    try:
        return _parsed(output_cls, value)
    except ValueError as error:  # as the errors of pydantic 1 and 2 are
        raise misfit(value, schema, error) from error


def _parsed(output_cls: type[Model], value: Any) -> Model:
    """Validate a value as JSON: a strict class takes an enum's value or a date only from there."""
    text = write_json(value)
    if isinstance(output_cls, type):
        if issubclass(output_cls, BaseModel):
            return output_cls.model_validate_json(text)
        of_version_1: Callable[[str], Model] | None = getattr(output_cls, "parse_raw", None)
        if of_version_1 is not None:
            return of_version_1(text)
    parsed: Model = TypeAdapter(output_cls).validate_json(text)
    return parsed
