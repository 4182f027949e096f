"""Structured output: how a schema, a choice, a pattern or a grammar is asked for and parsed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, ClassVar

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import AddableDict, RunnableConfig
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, ConfigDict, PrivateAttr, RootModel, TypeAdapter, create_model
from pydantic.errors import PydanticUserError
from typing_extensions import is_typeddict, override

from langchain_monster._tools import definition_of, inlined, tool_definition
from langchain_monster._typed_dicts import RecursiveTypeError, readable
from langchain_monster.errors import as_langchain_errors
from monster_core.errors import (
    IGNORED_GUIDE_ADVICE,
    InvalidRequestError,
    StructuredAnswerError,
    TruncatedAnswerError,
)
from monster_core.json_values import copied
from monster_core.request.structured import OutputSpec, output_spec_of
from monster_core.response.json import PartialJson
from monster_core.response.structured import check_value, misfit, raise_for_refusal

__all__ = [
    "RawOutputParser",
    "StructuredOutputParser",
    "bound_arguments",
    "check_beside_tools",
]


def bound_arguments(parser: StructuredOutputParser, strict: bool | None) -> dict[str, Any]:
    """Return the arguments of ``bind_tools`` that ask for what a parser reads.

    Args:
        parser: The parser.
        strict: What ``with_structured_output`` was given, for the traces.

    Raises:
        InvalidRequestError: The method does not take this schema.
    """
    spec, given = parser.spec, parser.requested
    arguments: dict[str, Any] = dict(spec.fields)
    schema = spec.schema
    if schema is None:
        return arguments
    schema = inlined(schema)
    needs_object = spec.method in ("function_calling", "json_mode")
    if needs_object and not _is_object(schema, strictly=spec.method == "function_calling"):
        raise InvalidRequestError(
            f"method={spec.method!r} answers with a JSON object, and the schema asks for another "
            "value: use method='guided_json'."
        )
    titled = {"title": "answer", "description": "The answer.", "type": "object", **schema}
    is_known = _is_known_to_langchain(given)
    arguments["ls_structured_output_format"] = {
        "kwargs": {"method": spec.method, "strict": strict},
        "schema": given if is_known else titled,
    }
    if spec.method == "function_calling":
        is_class = is_known and isinstance(given, type)
        definition = tool_definition(given) if is_class else definition_of(titled)
        del arguments["response_format"]
        arguments["tools"] = [definition]
        arguments["tool_choice"] = definition["function"]["name"]
    return arguments


def check_beside_tools(method: str, tool_choice: Any) -> None:
    """Check that the model can answer in a schema although it has tools.

    Raises:
        InvalidRequestError: It must call one of the tools, or the function that is the schema.
    """
    if method == "function_calling":
        raise InvalidRequestError(
            "method='function_calling' forces its own function, so that no other tool can be "
            "called: use method='guided_json', or leave the tools out."
        )
    if tool_choice not in (None, False, "auto", "none"):
        raise InvalidRequestError(
            f"tool_choice={tool_choice!r} forces the call of a tool, so that the model cannot "
            "answer in the schema: leave out tool_choice, or the tools."
        )


class StructuredOutputParser(BaseTransformOutputParser[Any]):
    """Parse a response to the value that was asked for.

    Args:
        schema: What ``with_structured_output`` was given.
        method: One of the core's METHODS; None for the one that fits the schema.

    Raises:
        InvalidRequestError: The schema or the method cannot be used.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    _requested: Any = PrivateAttr()
    _spec: OutputSpec = PrivateAttr()
    _build: Callable[[Any], Any] | None = PrivateAttr()

    def __init__(self, schema: Any, method: str | None) -> None:
        super().__init__()
        if schema is None and method == "json_mode":
            schema = {"type": "object"}
        self._requested = schema
        self._spec = output_spec_of(_known_to_the_core(schema), method)
        self._build = _builder_of(schema)

    @property
    def requested(self) -> Any:
        """What ``with_structured_output`` was given."""
        return self._requested

    @property
    def spec(self) -> OutputSpec:
        """How the response is constrained and read."""
        return self._spec

    @property
    @override
    def OutputType(self) -> Any:
        """The type of the parsed value."""
        schema, spec = self._requested, self._spec
        if spec.schema is None:  # a choice, a pattern or a grammar
            return schema if _builder_of(schema) is not None else str
        if isinstance(schema, (Mapping, str, bytes)):
            return dict[str, Any] if spec.schema.get("type") == "object" else Any
        return schema

    @override
    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return a pydantic class whose JSON schema is that of the parsed value."""
        requested, schema = self._requested, self._spec.schema
        if isinstance(requested, type) and issubclass(requested, BaseModel):
            return requested
        if schema is None:
            described: Any = super().get_output_schema(config)
            return described  # type: ignore[no-any-return]
        return type(str(schema.get("title", "Answer")), (_Output,), {"output_schema": schema})

    @property
    def _type(self) -> str:
        return "monster-structured-output"

    @override
    def parse(self, text: str) -> Any:
        """Parse a text."""
        return self.parse_message(AIMessage(content=text))

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Parse the message of a chat generation."""
        generation = result[0]
        if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
            return self.parse_message(generation.message)
        return self.parse(generation.text)

    def parse_message(self, message: AIMessage) -> Any:
        """Parse a whole message.

        Raises:
            StructuredAnswerError: It is not what was asked for; also an OutputParserException.
        """
        with as_langchain_errors():
            if self._spec.method == "function_calling":
                return self._built(_arguments(message))
            if message.tool_calls:
                return None  # tools were bound as well, and the model chose one
            if message.invalid_tool_calls and not message.text:
                raise _problem_of(message)
            raise_for_refusal(message.additional_kwargs.get("refusal"))
            finish_reason = message.response_metadata.get("finish_reason")
            return self._built(self._spec.read(message.text, finish_reason))

    def _built(self, value: Any) -> Any:
        if self._spec.schema is None:
            return value
        if self._build is None:
            return check_value(value, self._spec.schema, is_guided=self._spec.is_guided)
        try:
            return self._build(value)
        except ValueError as error:
            raise misfit(value, self._spec.schema, error, is_guided=self._spec.is_guided) from error

    @override
    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:
        streamed = _StreamedValue(self)
        for chunk in input:
            yield from streamed.feed(chunk)
        yield from streamed.finish()

    @override
    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
        streamed = _StreamedValue(self)
        async for chunk in input:
            for value in streamed.feed(chunk):
                yield value
        for value in streamed.finish():
            yield value

    def partial(self, value: Any) -> Any:
        """Return what a stream yields of a value that is not complete; None if nothing yet."""
        if self._build is None:
            return value
        try:
            return self._build(value)
        except ValueError:
            return None


class RawOutputParser(StructuredOutputParser):
    """Parse a response to a dict of the message, its value, and what is wrong with it.

    A stream yields the chunks of the message as ``raw``, and at its end the rest.
    """

    @property
    @override
    def OutputType(self) -> Any:
        """The type of the dict."""
        return dict[str, Any]

    @override
    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return a pydantic class for any dict."""
        return create_model("RawOutput", __base__=RootModel[dict[str, Any]])

    @override
    def parse_message(self, message: AIMessage) -> Any:
        """Parse a whole message; a response that does not fit is reported, not raised."""
        return {"raw": message, **self._parsed(message)}

    def _parsed(self, message: AIMessage) -> AddableDict:
        try:
            return AddableDict(parsed=super().parse_message(message), parsing_error=None)
        except OutputParserException as error:
            return AddableDict(parsed=None, parsing_error=error)

    @override
    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:
        pieces: list[AIMessageChunk] = []
        for chunk in input:
            pieces.append(_as_chunk(chunk))
            yield AddableDict(raw=chunk)
        if pieces:
            yield self._parsed(add_ai_message_chunks(*pieces))

    @override
    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
        pieces: list[AIMessageChunk] = []
        async for chunk in input:
            pieces.append(_as_chunk(chunk))
            yield AddableDict(raw=chunk)
        if pieces:
            yield self._parsed(add_ai_message_chunks(*pieces))


class _Output(RootModel[Any]):
    """A value whose JSON schema is known, but whose type pydantic cannot describe."""

    output_schema: ClassVar[dict[str, Any]] = {}

    @classmethod
    @override
    def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
        """Return the JSON schema of the value."""
        return copied(cls.output_schema)  # type: ignore[no-any-return]


class _StreamedValue:
    """The value of one stream: yields it each time it has grown, and checked at the end."""

    def __init__(self, parser: StructuredOutputParser) -> None:
        self._parser = parser
        self._json = PartialJson() if parser.spec.schema is not None else None
        self._pieces: list[AIMessageChunk] = []
        self._last: Any = None

    def feed(self, chunk: str | BaseMessage) -> Iterator[Any]:
        piece = _as_chunk(chunk)
        self._pieces.append(piece)
        if self._json is not None and self._json.feed(self._text_of(piece)):
            value = self._parser.partial(self._json.value)
            if value is not None and value != self._last:
                self._last = value
                yield value

    def finish(self) -> Iterator[Any]:
        if not self._pieces:
            return
        value = self._parser.parse_message(add_ai_message_chunks(*self._pieces))
        if value != self._last or self._last is None:
            yield value

    def _text_of(self, piece: AIMessageChunk) -> str:
        if self._parser.spec.method == "function_calling":
            return "".join(c["args"] or "" for c in piece.tool_call_chunks if not c["index"])
        return piece.text


def _arguments(message: AIMessage) -> Any:
    if message.tool_calls:
        return message.tool_calls[0]["args"]
    if message.invalid_tool_calls:
        raise _problem_of(message)
    raise_for_refusal(message.additional_kwargs.get("refusal"))
    raise StructuredAnswerError(
        f"The model called no function, and wrote {message.text[:200]!r} instead. "
        f"{IGNORED_GUIDE_ADVICE}"
    )


def _problem_of(message: AIMessage) -> StructuredAnswerError:
    """Make the error for a message whose call must not be used."""
    if message.response_metadata.get("finish_reason") == "length":
        return TruncatedAnswerError("max_tokens cut the arguments: raise max_tokens and ask again.")
    problem = message.invalid_tool_calls[0].get("error")
    return StructuredAnswerError(problem or "The arguments are not a whole JSON object.")


def _as_chunk(piece: str | BaseMessage) -> AIMessageChunk:
    if isinstance(piece, AIMessageChunk):
        return piece
    if not isinstance(piece, AIMessage):
        return AIMessageChunk(content=str(getattr(piece, "text", piece)))
    calls = {"tool_calls": piece.tool_calls, "invalid_tool_calls": piece.invalid_tool_calls}
    return AIMessageChunk(content=piece.content, response_metadata=piece.response_metadata, **calls)


def _known_to_the_core(schema: Any) -> Any:
    """Return a schema; of a TypedDict as LangChain writes it, with its descriptions."""
    if not is_typeddict(schema):
        return schema
    try:
        return convert_to_json_schema(readable(schema))
    except RecursiveTypeError:
        return schema


def _is_known_to_langchain(schema: Any) -> bool:
    """Whether LangChain can convert a schema, as it does for its traces."""
    if is_typeddict(schema) or isinstance(schema, dict):
        try:
            convert_to_json_schema(schema)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            return False
        return True
    return is_basemodel_subclass(schema)


def _is_object(schema: dict[str, Any], *, strictly: bool) -> bool:
    """Whether only objects satisfy a schema, or, if not strictly, whether objects may."""
    kinds = schema.get("type", "object" if "properties" in schema else None)
    if strictly or kinds is not None:
        return kinds == "object" or (not strictly and isinstance(kinds, list) and "object" in kinds)
    return schema.keys().isdisjoint(("enum", "const"))


def _builder_of(schema: Any) -> Callable[[Any], Any] | None:
    """Return what makes the caller's type of a JSON value; None where the value is wanted."""
    if isinstance(schema, (Mapping, str, bytes)) or is_typeddict(schema):
        return None
    if isinstance(schema, type) and is_basemodel_subclass(schema):
        of_version_1: Any = getattr(schema, "parse_obj", None)
        build: Callable[[Any], Any] = getattr(schema, "model_validate", of_version_1)
        return build
    try:
        return TypeAdapter(schema).validate_python
    except PydanticUserError:  # not a type: a pattern or a grammar
        return None
