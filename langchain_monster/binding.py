"""Bind tools and answer shapes to a chat model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_monster.errors import as_langchain_errors
from langchain_monster.model_part import ModelPart
from monster_core.errors import InvalidRequestError
from monster_core.request.validation import validate_parameters

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelInput
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

__all__ = ["ToolBinding"]


_TRACED_OR_OURS = ("ls_structured_output_format", "stream_usage", "config")


class ToolBinding(ModelPart):
    """Turn what callers bind into the arguments of each call; imports what it needs when used."""

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Let the model call tools.

        Args:
            tools: LangChain tools, functions, pydantic classes, TypedDicts, OpenAI's or
                JSON-schema dicts; none at all sends nothing.
            tool_choice: "auto" (or None), "none", "any" (or "required", True), a tool's name, or
                OpenAI's dict.
            strict: Accepted for agents that pass it; forced calls are always guided by their
                schema, and the server knows no such field.
            parallel_tool_calls: Whether several tools may be called at once; they may by default.
            response_format: OpenAI's json_schema format for the answer that calls no tool.
            **kwargs: Further arguments of each call.

        Raises:
            InvalidRequestError: The choice names no tool of these.
        """
        from langchain_core.utils.function_calling import convert_to_openai_tool

        from monster_core.request.tool_definitions import read_definitions, resolve_tool_choice

        definitions = [convert_to_openai_tool(tool) for tool in tools]
        by_name = {definition["function"]["name"]: definition for definition in definitions}
        with as_langchain_errors():  # two tools of one name are refused by the call
            validate_parameters({k: v for k, v in kwargs.items() if k not in _TRACED_OR_OURS})
            resolve_tool_choice(tool_choice, read_definitions(list(by_name.values())))
        given = {
            "tools": definitions or None,
            "tool_choice": tool_choice,
            "parallel_tool_calls": parallel_tool_calls,
            "response_format": response_format,
        }
        return self.bind(**{k: v for k, v in given.items() if v is not None}, **kwargs)

    def with_structured_output(
        self,
        schema: Any,
        *,
        include_raw: bool = False,
        method: str | None = None,
        strict: bool | None = None,
        tools: Sequence[Any] | None = None,
        schema_in_prompt: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a model that answers in a given shape.

        Args:
            schema: A pydantic class, TypedDict, JSON schema or OpenAI function (guided JSON), a
                Literal or Enum (guided choice), a compiled pattern (guided regex), or a Lark
                grammar with a ``start`` rule (guided grammar).
            include_raw: Return a dict of ``raw``, ``parsed`` and ``parsing_error`` instead, and
                raise nothing for an answer that does not fit.
            method: "guided_json" (or its other name "json_schema"), "function_calling",
                "json_mode", "guided_choice", "guided_regex", "guided_grammar"; by default the one
                that fits the schema.
            strict: Accepted; answers are always held against the schema.
            tools: Tools that the model may call instead of answering.
            schema_in_prompt: Whether the model is also told the schema; it is by default.
            **kwargs: Further arguments of each call.

        Raises:
            InvalidRequestError: The schema or the method cannot be used.
        """
        from langchain_monster.structured_output import parsed_by, parser_for

        with as_langchain_errors():
            parser = parser_for(schema, method)
            given = {**parser.arguments(schema, strict), **kwargs}
            if schema_in_prompt is not None:
                given["schema_in_prompt"] = schema_in_prompt
            if tools and "tools" in given:
                raise InvalidRequestError(
                    "function_calling leaves no choice of tools: use method='guided_json'."
                )
        bound = self.bind_tools(given.pop("tools", tools or ()), **given)
        return parsed_by(parser, bound, include_raw=include_raw)
