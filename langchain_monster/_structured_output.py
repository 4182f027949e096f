"""Read answers as the shape that was asked for, whole and while they stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.output_parsers import BaseTransformOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import ConfigDict, PrivateAttr, TypeAdapter
from pydantic.errors import PydanticUserError
from typing_extensions import is_typeddict, override

from langchain_monster.errors import as_langchain_errors
from monster_core.errors import InvalidRequestError, StructuredAnswerError, TruncatedAnswerError
from monster_core.json_values import copied
from monster_core.request.structured import OutputSpec, output_spec_of
from monster_core.response.partial_json import PartialJson
from monster_core.response.structured import check_value

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.runnables import Runnable

__all__ = ["StructuredOutputParser", "parsed_by", "parser_for"]


def parser_for(shape: Any, method: str | None) -> StructuredOutputParser:
    """Return the parser for a shape; its structure says how to ask for it.

    Args:
        shape: What ``with_structured_output`` was given.
        method: One of the core's METHODS; None for the one that fits the shape.

    Raises:
        InvalidRequestError: The shape or the method cannot be used.
    """
    is_openai_function = isinstance(shape, dict) and ("function" in shape or "parameters" in shape)
    known = convert_to_json_schema(shape) if is_typeddict(shape) or is_openai_function else shape
    return StructuredOutputParser(output_spec_of(known, method), _built_by(shape))


def parsed_by(
    parser: StructuredOutputParser,
    llm: Runnable[LanguageModelInput, AIMessage],
    *,
    include_raw: bool,
) -> Runnable[LanguageModelInput, Any]:
    """Return a model whose answers are parsed.

    Args:
        parser: What reads the answers.
        llm: The model, bound to ask for the shape.
        include_raw: Whether to return the message and what is wrong with it as well.
    """
    if not include_raw:
        return llm | parser
    parsed = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
    )
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    # the model stands first, so that it is what gets the arguments of the call
    kept = parsed.with_fallbacks([failed], exception_key="parsing_error")
    return llm | RunnableMap(raw=RunnablePassthrough()) | kept


class StructuredOutputParser(BaseTransformOutputParser[Any]):
    """Turn an answer into the value it stands for, or say why it is none.

    Args:
        structure: How the shape was asked for.
        build: Makes the caller's class of a JSON object; None where the value is wanted itself.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    _structure: OutputSpec = PrivateAttr()
    _build: Callable[[Any], Any] | None = PrivateAttr()

    def __init__(self, structure: OutputSpec, build: Callable[[Any], Any] | None) -> None:
        super().__init__()
        self._structure = structure
        self._build = build

    @property
    def structure(self) -> OutputSpec:
        """How the shape is asked for."""
        return self._structure

    @property
    def _type(self) -> str:
        return "monster-structured-output"

    @override
    def parse(self, text: str) -> Any:
        """Read a text."""
        return self.parse_message(AIMessage(content=text))

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Read a chat generation."""
        generation = result[0]
        if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
            return self.parse_message(generation.message)
        return self.parse(generation.text)

    def arguments(self, schema: Any, strict: bool | None) -> dict[str, Any]:
        """Return the arguments of ``bind_tools`` that ask for the shape.

        Args:
            schema: What ``with_structured_output`` was given, for the traces.
            strict: Likewise.
        """
        method = self._structure.method
        given: dict[str, Any] = dict(self._structure.fields)
        shown = schema if isinstance(schema, (dict, type)) else self._titled_schema
        if self._structure.schema is not None and _is_traceable(shown):
            how = {"method": method, "strict": strict}
            given["ls_structured_output_format"] = {"kwargs": how, "schema": shown}
        if method == "function_calling":
            if shown is not schema and "properties" not in self._titled_schema:
                raise InvalidRequestError(
                    "function_calling needs the schema of an object: use method='guided_json'."
                )
            definition = convert_to_openai_tool(shown)
            name = definition["function"]["name"]
            given = {**given, "tools": [definition], "tool_choice": name}
            del given["response_format"]
        return given

    @property
    def _titled_schema(self) -> dict[str, Any]:
        """The schema of a shape that LangChain does not know, such as a union."""
        schema = self._structure.schema or {}
        return {"title": "answer", "description": "The answer.", "type": "object", **schema}

    def parse_message(self, message: AIMessage) -> Any:
        """Read a whole message.

        Args:
            message: The answer.

        Raises:
            StructuredAnswerError: It is not what was asked for; also an OutputParserException.
        """
        with as_langchain_errors():
            if self._structure.method == "function_calling":
                return self._finished(_arguments(message))
            if message.tool_calls and not message.text:
                return None  # tools were bound as well, and the model chose one
            finish_reason = message.response_metadata.get("finish_reason")
            return self._finished(self._structure.read(message.text, finish_reason))

    def _finished(self, value: Any) -> Any:
        if self._structure.schema is None:
            return value
        if self._build is None:
            return check_value(value, self._structure.schema)
        try:
            return self._build(value)
        except ValueError as error:
            raise StructuredAnswerError(
                f"The answer does not satisfy its schema: {error}"
            ) from error

    @override
    def _transform(self, input: Iterator[str | BaseMessage]) -> Iterator[Any]:
        growing = _Growing(self)
        for chunk in input:
            yield from growing.feed(chunk)
        yield from growing.finish()

    @override
    async def _atransform(self, input: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
        growing = _Growing(self)
        async for chunk in input:
            for value in growing.feed(chunk):
                yield value
        for value in growing.finish():
            yield value

    def partial(self, value: Any) -> Any:
        """Return what a value that still grows can be shown as; None if as nothing yet.

        Args:
            value: The JSON value so far.
        """
        own = copied(value)
        if self._build is None:
            return own
        try:
            return self._build(own)
        except ValueError:
            return None


class _Growing:
    """Follow one stream: give what has grown, and at the end what it became."""

    def __init__(self, parser: StructuredOutputParser) -> None:
        self._parser = parser
        self._json = PartialJson() if parser.structure.schema is not None else None
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
        first, *rest = self._pieces
        value = self._parser.parse_message(add_ai_message_chunks(first, *rest))
        if value != self._last or self._last is None:
            yield value

    def _text_of(self, piece: AIMessageChunk) -> str:
        if self._parser.structure.method == "function_calling":
            return "".join(c["args"] or "" for c in piece.tool_call_chunks if not c["index"])
        return piece.text


def _arguments(message: AIMessage) -> Any:
    if message.tool_calls:
        return message.tool_calls[0]["args"]
    if message.invalid_tool_calls:
        problem = message.invalid_tool_calls[0].get("error")
        if message.response_metadata.get("finish_reason") == "length":
            raise TruncatedAnswerError(
                "max_tokens cut the arguments: raise max_tokens and ask again."
            )
        raise StructuredAnswerError(problem or "The arguments are no JSON object.")
    raise StructuredAnswerError(
        f"The model called no function; it said {message.text[:200]!r}. The server may not enforce "
        "tool_choice."
    )


def _as_chunk(piece: str | BaseMessage) -> AIMessageChunk:
    if isinstance(piece, AIMessageChunk):
        return piece
    if not isinstance(piece, AIMessage):
        return AIMessageChunk(content=str(getattr(piece, "text", piece)))
    calls = {"tool_calls": piece.tool_calls, "invalid_tool_calls": piece.invalid_tool_calls}
    return AIMessageChunk(content=piece.content, response_metadata=piece.response_metadata, **calls)


def _is_traceable(schema: Any) -> bool:
    """Whether LangChain can write a schema into its traces: it takes it for a tool, and may not."""
    try:
        convert_to_json_schema(schema)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


def _built_by(shape: Any) -> Callable[[Any], Any] | None:
    """Return what makes the caller's type of a JSON value; None where the value is wanted."""
    if isinstance(shape, (dict, str, bytes)) or is_typeddict(shape):
        return None
    if isinstance(shape, type) and is_basemodel_subclass(shape):
        of_version_1: Any = getattr(shape, "parse_obj", None)
        build: Callable[[Any], Any] = getattr(shape, "model_validate", of_version_1)
        return build
    try:
        return TypeAdapter(shape).validate_python
    except PydanticUserError:  # no type: a pattern or a grammar
        return None
