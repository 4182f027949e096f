"""Build the request of one call: its body, and what must be known to read its response."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from monster_core.errors import InvalidRequestError
from monster_core.model_families import ModelFamily, ToolFormat, family_of
from monster_core.request.fields import ConversationParameters
from monster_core.request.guides import in_form_of
from monster_core.request.messages import Message, render
from monster_core.request.request_part import RequestPart
from monster_core.request.validation import OUTPUT_CONSTRAINTS, check_combinations
from monster_core.response.types import ResponseSpec
from monster_core.server_profiles import ServerProfile, server_profile

__all__ = ["ChatRequest", "build_request"]


@dataclass(slots=True)
class ChatRequest:
    """Hold one request for a chat completion.

    Args:
        body: The request's body, as JSON.
        spec: What must be known of the request to read its response.
        is_guided: Whether the server compiles a schema, pattern or grammar for it.
        shorter_body: Makes a shorter body that asks for the same, for a prompt that does not fit
            the context window; None if nothing can be left out.
        follow_up: The request that is sent next if the model calls no tool; its response takes the
            place of this one's text. The text is guided there, which it cannot be while tools may
            be called.
        schema: The original schema of the response's text; None where it has none.
        ask_again: Makes the request that asks for the same once more, of what is wrong with the
            response, and whether it is JSON at least; None unless the caller allows it.
    """

    body: bytes
    spec: ResponseSpec
    is_guided: bool = False
    shorter_body: Callable[[], bytes] | None = None
    follow_up: ChatRequest | None = None
    schema: Mapping[str, Any] | None = None
    ask_again: Callable[[str, bool], ChatRequest] | None = None


def build_request(
    messages: Sequence[Message],
    fields: Mapping[str, Any],
    *,
    stream: bool,
    extra: Mapping[str, Any] | None = None,
) -> ChatRequest:
    """Build the request of one call.

    Args:
        messages: The conversation.
        fields: The request fields to use, validated one by one.
        stream: Whether to stream the response.
        extra: Fields that this package does not know, sent as they are; None values are not sent.

    Raises:
        InvalidRequestError: The server would refuse it.
    """
    sent = dict(fields)
    options = {name: sent.pop(name) for name in _OPTIONS if name in sent}
    if "model" not in sent:
        raise InvalidRequestError("No model: pass model or set MONSTER_MODEL.")
    if not messages:
        raise InvalidRequestError("No messages: a conversation needs at least one.")
    server = server_profile(options.get("server"))
    family = family_of(sent["model"], options.get("family"))
    tool_format = options.get("tool_format") or family.tool_format
    write = _BodyWriter(
        messages, server, family, tool_format, _keeps_calls(server, options), stream, extra or {}
    )

    again = options.get("ask_again", False)

    given, choice = sent.pop("tools", None), sent.pop("tool_choice", None)
    tools = _tools_part(given, choice, tool_format, sent, options, server)
    if tools.is_forced:  # a call takes the place of a response in a schema
        _take_schema_part(sent, options, server)
        return _request(write, sent, tools, ask_again=again)
    if not tools.spec.tool_names:
        part = _take_schema_part(sent, options, server)
        return _request(write, sent, part, ask_again=again)
    constraints = _take_constraints(sent)
    request = _request(write, sent, tools, ask_again=again)
    if constraints:
        constrained = {**sent, **constraints}
        part = _take_schema_part(constrained, options, server)
        request.spec = replace(request.spec, withholds_text=True)
        request.follow_up = _request(write, constrained, part, ask_again=again)
    return request


_OPTIONS = frozenset(ConversationParameters.model_fields)
_COMPILED_FIELDS = ("guided_json", "guided_regex", "guided_grammar")


def _keeps_calls(server: ServerProfile, options: Mapping[str, Any]) -> bool:
    """Whether the conversation's calls and results are sent as such.

    Templates differ in what they take of them (Llama 3.1's refuses two calls in a message), so it
    is only done for a caller who asks for native tools.
    """
    return server.renders_tools and options.get("tool_strategy") == "native"


def _tools_part(
    tools: Sequence[Mapping[str, Any]] | None,
    choice: Any,
    tool_format: ToolFormat,
    fields: Mapping[str, Any],
    options: Mapping[str, Any],
    server: ServerProfile,
) -> RequestPart:
    if not tools and choice in (None, False, "none", "auto"):
        return RequestPart()
    from monster_core.request.engine_choice import engine_choice
    from monster_core.request.tools import read_definitions, resolve_tool_choice, tools_part

    definitions = read_definitions(tools or ())
    return tools_part(
        definitions,
        resolve_tool_choice(choice, definitions),
        tool_format,
        is_parallel=options.get("parallel_tool_calls", True),
        strategy=options.get("tool_strategy"),
        server=server,
        engines=engine_choice(fields, options, server),
    )


def _take_schema_part(
    fields: dict[str, Any], options: Mapping[str, Any], server: ServerProfile
) -> RequestPart:
    """Take the schema of the response out of the fields, and return what it adds.

    The prompt holds the schema of OpenAI's json_schema format; that of guided_json only if the
    caller asks for it.
    """
    kind = fields.get("response_format", {}).get("type")
    is_format = kind == "json_schema"
    if is_format and "guided_json" in fields:
        raise InvalidRequestError(
            "Only one schema can guide an answer: leave out guided_json or response_format."
        )
    has_schema = is_format or "guided_json" in fields
    if not has_schema and (kind != "json_object" or not server.shares_grammar):
        return RequestPart()
    from monster_core.request.engine_choice import engine_choice
    from monster_core.request.structured import object_part, schema_part

    engines = engine_choice(fields, options, server)
    if not has_schema:
        part = object_part(engines)
        if part.fields.keys() != {"response_format"}:
            del fields["response_format"]
            return part
        return RequestPart()
    if is_format:
        schema = fields.pop("response_format")["json_schema"]["schema"]
    else:
        schema = fields.pop("guided_json")
    return schema_part(
        schema,
        in_prompt=options.get("schema_in_prompt", is_format),
        is_single=fields.get("best_of", fields.get("n", 1)) == 1,
        engines=engines,
    )


def _take_constraints(fields: dict[str, Any]) -> dict[str, Any]:
    """Take out the fields that constrain the response: under them, no tool could be called."""
    taken = {name: fields.pop(name) for name in list(fields) if name in OUTPUT_CONSTRAINTS}
    return {} if taken == {"response_format": {"type": "text"}} else taken


def _request(
    write: _BodyWriter, fields: Mapping[str, Any], part: RequestPart, *, ask_again: bool = False
) -> ChatRequest:
    sent = dict(fields)
    for name, value in part.fields.items():
        if name in sent:
            raise InvalidRequestError(
                f"{name} cannot be combined with a forced tool or a json_schema answer, which "
                "set it themselves."
            )
        sent[name] = value
    check_combinations(sent, stream=write.stream, server=write.server)
    is_guided = part.is_forced or not sent.keys().isdisjoint(_COMPILED_FIELDS)
    request = ChatRequest(write.body(sent, part.prompt), part.spec, is_guided)
    if part.prompt and part.is_prompt_optional:
        request.shorter_body = lambda: write.body(sent, None)
    after = part.after
    if ask_again and after is not None:
        request.schema = part.schema
        request.ask_again = lambda problem, is_json: _request(
            write, fields, after(f"Your first answer cannot be used: {problem}", is_json)
        )
    return request


@dataclass(frozen=True, slots=True)
class _BodyWriter:
    """Write the bodies of one call, which have the conversation in common."""

    messages: Sequence[Message]
    server: ServerProfile
    family: ModelFamily
    tool_format: ToolFormat
    keeps_calls: bool
    stream: bool
    extra: Mapping[str, Any]

    def body(self, fields: Mapping[str, Any], prompt: str | None) -> bytes:
        messages = render(
            self.messages, self.family, self.tool_format, prompt, keeps_calls=self.keeps_calls
        )
        sent = in_form_of(self.server, fields)
        body = {"model": fields["model"], "messages": messages, **sent}
        body.update({name: value for name, value in self.extra.items() if value is not None})
        if self.stream:
            body["stream"] = True
        try:
            return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
        except TypeError as error:
            raise InvalidRequestError(f"The request cannot be written as JSON: {error}.") from None
