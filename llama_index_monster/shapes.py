"""Ask for an answer in the shape of a pydantic class, and read it back, whole and as it grows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol

from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from llama_index.core.program.utils import create_flexible_model
from llama_index.core.types import Model
from pydantic import ValidationError

from llama_index_monster.selections import to_selections
from monster_core.errors import StructuredAnswerError
from monster_core.json_values import copied
from monster_core.request.structured import OutputSpec, output_spec_of
from monster_core.response.partial_json import PartialJson

if TYPE_CHECKING:
    from llama_index.core.program.utils import FlexibleModel

__all__ = ["CalledShape", "GrowingObject", "GuidedShape", "Shape"]


class Shape(Protocol):
    """Know how a class is asked for and where its value stands in a response."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the chat that asks for it."""

    def value(self, response: ChatResponse) -> Any:
        """Return the value of a whole response; an error says why there is none."""

    def growing(self) -> ShapeStream:
        """Return what follows the value through a stream."""


class ShapeStream(Protocol):
    """Follow a value through one stream."""

    def feed(self, response: ChatResponse) -> Any:
        """Return the value so far; None if it has not changed or not begun."""


class GuidedShape:
    """Ask for the class's JSON as the answer's text.

    Args:
        output_cls: The class.
    """

    def __init__(self, output_cls: type[Any]) -> None:
        self._structure: OutputSpec = output_spec_of(output_cls, "guided_json")
        self.arguments: Mapping[str, Any] = self._structure.fields

    def value(self, response: ChatResponse) -> Any:
        """Read the response's text."""
        finish_reason = response.additional_kwargs.get("finish_reason")
        return self._structure.read(response.message.content or "", finish_reason)

    def growing(self) -> ShapeStream:
        """Return what parses the stream's text."""
        return _GrowingText()


class CalledShape:
    """Ask for a call of a function that takes the class's fields.

    Args:
        arguments: The arguments of the chat that forces the call.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.arguments = arguments

    def value(self, response: ChatResponse) -> Any:
        """Return the arguments of the response's call."""
        for selection in to_selections(response):
            return selection.tool_kwargs
        raise StructuredAnswerError(
            f"The model called no function; it said {(response.message.content or '')[:200]!r}. "
            "The server may not enforce tool_choice."
        )

    def growing(self) -> ShapeStream:
        """Return what watches the call's arguments."""
        return _GrowingArguments()


class _GrowingText:
    def __init__(self) -> None:
        self._json = PartialJson()

    def feed(self, response: ChatResponse) -> Any:
        return self._json.value if self._json.feed(response.delta or "") else None


class _GrowingArguments:
    def __init__(self) -> None:
        self._last: Any = None

    def feed(self, response: ChatResponse) -> Any:
        for block in response.message.blocks:
            if isinstance(block, ToolCallBlock):
                if block.tool_kwargs == self._last or isinstance(block.tool_kwargs, str):
                    return None
                self._last = block.tool_kwargs
                return self._last
        return None


class GrowingObject(Generic[Model]):
    """Make objects of a stream: each is new, and the last one is whole.

    Args:
        output_cls: The class.
        shape: How it was asked for.
    """

    def __init__(self, output_cls: type[Model], shape: Shape) -> None:
        self._output_cls = output_cls
        self._shape = shape
        self._stream = shape.growing()
        self._partial_cls = create_flexible_model(output_cls)
        self._last: Model | FlexibleModel | None = None
        self._response: ChatResponse | None = None

    def add(self, response: ChatResponse) -> Iterator[Model | FlexibleModel]:
        """Yield the object as it stands now, if it has changed.

        Args:
            response: The stream's next response.
        """
        self._response = response
        value = self._stream.feed(response)
        grown = None if value is None else self._partial(copied(value))
        if grown is not None and grown != self._last:
            self._last = grown
            yield grown

    def finish(self) -> Iterator[Model]:
        """Yield the whole object, if it is not the one that was yielded last.

        Raises:
            TruncatedAnswerError: ``max_tokens`` cut it.
            StructuredAnswerError: The answer is not of the class.
        """
        if self._response is not None:
            whole = build(self._output_cls, self._shape.value(self._response))
            if whole != self._last:
                yield whole

    def _partial(self, value: Any) -> Model | FlexibleModel | None:
        try:
            return self._output_cls.model_validate(value)
        except Exception:  # a validator of the caller's may trip over half an object in any way
            return self._partial_cls.model_validate(value) if isinstance(value, dict) else None


def build(output_cls: type[Model], value: Any) -> Model:
    """Return an object of the class.

    Args:
        output_cls: The class.
        value: The JSON value.

    Raises:
        StructuredAnswerError: The value does not satisfy the class; the message says where.
    """
    try:
        return output_cls.model_validate(value)
    except ValidationError as error:
        raise StructuredAnswerError(f"The answer does not satisfy its schema: {error}") from error
