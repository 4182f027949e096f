"""Build the request of one call: its body, and what must be known to read its response."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson

from monster_core.errors import InvalidRequestError
from monster_core.model_families import ModelFamily, ToolFormat, family_of
from monster_core.request.fields import ConversationParameters
from monster_core.request.messages import Message, render
from monster_core.request.request_part import RequestPart
from monster_core.request.validation import GUIDES, OUTPUT_CONSTRAINTS, check_combinations
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
    if "model" not in fields:
        raise InvalidRequestError("No model: pass model or set MONSTER_MODEL.")
    if not messages:
        raise InvalidRequestError("No messages: a conversation needs at least one.")
    server = server_profile(fields.get("server"))
    family = family_of(fields["model"], fields.get("family"))
    tool_format = fields.get("tool_format") or family.tool_format
    writer = _RequestWriter(messages, fields, stream, extra or {}, server, family, tool_format)

    tools = _NOTHING
    if fields.get("tools") or fields.get("tool_choice") not in _CHOICES_WITHOUT_TOOLS:
        asked = {name: fields[name] for name in _TOOLS_FOLLOW_FROM if name in fields}
        tools = _worked_out_once(_tools_part, asked, server, tool_format)
    sent = {name: value for name, value in fields.items() if name not in _NOT_SENT_AS_GIVEN}
    if tools.spec.tool_names and not tools.is_forced:
        constraints = _take_constraints(sent)
        request = writer.request(sent, tools)
        if constraints:
            constrained = {**sent, **constraints}
            answer = _take_schema_part(constrained, fields, server)
            request.spec = replace(request.spec, withholds_text=True)
            request.follow_up = writer.request(constrained, answer)
        return request
    answer = _NOTHING
    if not _SCHEMA_FIELDS.isdisjoint(sent):
        answer = _take_schema_part(sent, fields, server)
    # the forced call of a tool takes the place of an answer in a schema
    return writer.request(sent, tools if tools.is_forced else answer)


_NOTHING = RequestPart()
_NOT_SENT_AS_GIVEN = {*ConversationParameters.model_fields, "tools", "tool_choice"}
_CHOICES_WITHOUT_TOOLS = (None, False, "none", "auto")
_SCHEMA_FIELDS = frozenset({"guided_json", "response_format"})
_COMPILED_FIELDS = frozenset({"guided_json", "guided_regex", "guided_grammar"})
_ENGINE_FOLLOWS_FROM = ("guided_decoding_backend", "max_schema_seconds")
_TOOLS_FOLLOW_FROM = (
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "tool_strategy",
    *_ENGINE_FOLLOWS_FROM,
)


def _worked_out_once(
    work: Callable[..., RequestPart], asked: Mapping[str, Any], *around: Hashable
) -> RequestPart:
    """Return what tools, or a schema, add to a request.

    An agent asks for the same with every call, and ten tools take half a millisecond; so what the
    last 64 added is kept.

    Args:
        work: What works it out, of what is asked and what is around it.
        asked: What the caller asks for, by the names of the fields.
        *around: The server's profile, and for tools how calls are written.
    """
    try:
        written = orjson.dumps(asked)
    except TypeError:  # it is not JSON, or not for orjson: the work says what is wrong
        return work(asked, *around)
    return _kept(work, written, *around)


@lru_cache(maxsize=64)
def _kept(work: Callable[..., RequestPart], written: bytes, *around: Hashable) -> RequestPart:
    return work(orjson.loads(written), *around)


def _tools_part(
    asked: Mapping[str, Any], server: ServerProfile, tool_format: ToolFormat
) -> RequestPart:
    """Return what tools add, and the choice among them."""
    from monster_core.request.engine_choice import engine_choice
    from monster_core.request.tools import read_definitions, resolve_tool_choice, tools_part

    definitions = read_definitions(asked.get("tools") or ())
    return tools_part(
        definitions,
        resolve_tool_choice(asked.get("tool_choice"), definitions),
        tool_format,
        is_parallel=asked.get("parallel_tool_calls", True),
        strategy=asked.get("tool_strategy"),
        server=server,
        engines=engine_choice(asked, server),
    )


def _take_schema_part(
    sent: dict[str, Any], fields: Mapping[str, Any], server: ServerProfile
) -> RequestPart:
    """Take the schema of the response out of what is sent, and return what it adds.

    The prompt holds the schema of OpenAI's json_schema format; that of guided_json only if the
    caller asks for it.
    """
    kind = sent.get("response_format", {}).get("type")
    is_format = kind == "json_schema"
    if is_format and "guided_json" in sent:
        raise InvalidRequestError(
            "Only one schema can guide an answer: leave out guided_json or response_format."
        )
    asked = {name: fields[name] for name in _ENGINE_FOLLOWS_FROM if name in fields}
    if is_format:
        asked["schema"] = sent.pop("response_format")["json_schema"]["schema"]
    elif "guided_json" in sent:
        asked["schema"] = sent.pop("guided_json")
    elif kind == "json_object" and server.shares_grammar:
        part = _worked_out_once(_schema_part, asked, server)
        if part.fields.keys() == {"response_format"}:
            return _NOTHING
        del sent["response_format"]
        return part
    else:
        return _NOTHING
    asked["in_prompt"] = fields.get("schema_in_prompt", is_format)
    asked["is_single"] = fields.get("best_of", fields.get("n", 1)) == 1
    return _worked_out_once(_schema_part, asked, server)


def _schema_part(asked: Mapping[str, Any], server: ServerProfile) -> RequestPart:
    """Return what a schema adds, or the wish for any object, which has none."""
    from monster_core.request.engine_choice import engine_choice
    from monster_core.request.structured import object_part, schema_part

    engines = engine_choice(asked, server)
    if "schema" not in asked:
        return object_part(engines)
    return schema_part(
        asked["schema"],
        in_prompt=asked["in_prompt"],
        is_single=asked["is_single"],
        engines=engines,
    )


def _take_constraints(sent: dict[str, Any]) -> dict[str, Any]:
    """Take out the fields that constrain the response: under them, no tool could be called."""
    taken = {name: sent.pop(name) for name in list(sent) if name in OUTPUT_CONSTRAINTS}
    return {} if taken == {"response_format": {"type": "text"}} else taken


@dataclass(slots=True)
class _RequestWriter:
    """Write the requests of one call, which have the conversation in common.

    Args:
        messages: The conversation.
        fields: What the caller asks for.
        stream: Whether to stream the response.
        extra: Fields that this package does not know.
        server: The server's profile.
        family: The model's family.
        tool_format: How calls are written.
    """

    messages: Sequence[Message]
    fields: Mapping[str, Any]
    stream: bool
    extra: Mapping[str, Any]
    server: ServerProfile
    family: ModelFamily
    tool_format: ToolFormat

    def request(self, fields: Mapping[str, Any], part: RequestPart) -> ChatRequest:
        """Return the request that sends some fields, and what a part adds to them."""
        sent = dict(fields)
        for name, value in part.fields.items():
            if name in sent:
                raise InvalidRequestError(
                    f"{name} cannot be combined with a forced tool or a json_schema answer, which "
                    "set it themselves."
                )
            sent[name] = value
        check_combinations(sent, stream=self.stream, server=self.server)
        is_guided = part.is_forced or not _COMPILED_FIELDS.isdisjoint(sent)
        request = ChatRequest(self.body(sent, part.prompt), part.spec, is_guided)
        if part.prompt and part.is_prompt_optional:
            request.shorter_body = lambda: self.body(sent, None)
        after = part.after
        if after is not None and self.fields.get("ask_again"):
            request.schema = part.schema

            def ask_again(problem: str, is_json: bool) -> ChatRequest:
                again = after(f"Your first answer cannot be used: {problem}", is_json)
                return self.request(fields, replace(again, after=None))  # only once

            request.ask_again = ask_again
        return request

    def body(self, fields: Mapping[str, Any], prompt: str | None) -> bytes:
        """Return the body of a request.

        Args:
            fields: The fields to send.
            prompt: What the model must know beside the conversation; None for nothing.
        """
        # Templates differ in what they take of calls and results (Llama 3.1's refuses two calls in
        # a message), so that these are only kept for a caller who asks for native tools.
        keeps_calls = self.server.renders_tools and self.fields.get("tool_strategy") == "native"
        body: dict[str, Any] = {
            "model": fields["model"],
            "messages": render(
                self.messages, self.family, self.tool_format, prompt, keeps_calls=keeps_calls
            ),
            **fields,
        }
        if self.server.guide_form != "guided":
            _write_guide(body, self.server)
        for name, value in self.extra.items():
            if value is not None:
                body[name] = value
        if self.stream:
            body["stream"] = True
        try:
            return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
        except TypeError as error:
            raise InvalidRequestError(f"The request cannot be written as JSON: {error}.") from None


def _write_guide(body: dict[str, Any], server: ServerProfile) -> None:
    """Write what guides the text of the response in the form that a later server takes."""
    guide = next((name for name in GUIDES if name in body), None)
    if guide is None:
        return
    value = body.pop(guide)
    if server.guide_form == "structured_outputs":
        body["structured_outputs"] = {GUIDES[guide]: value}
    elif guide == "guided_json":
        schema = {"name": "answer", "schema": value, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    else:
        raise InvalidRequestError(
            f"{guide} cannot be used with server={server.name!r}, which is guided by schemas only: "
            "use guided_json or response_format."
        )
