"""Plan one chat call: choose how its tools and the shape of its answer are put to the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from monster_core.errors import InvalidRequestError
from monster_core.model_families import ModelFamily, family_of
from monster_core.request.chat_request import ChatRequest
from monster_core.request.fields import ConversationParameters
from monster_core.request.messages import Message
from monster_core.request.rendering import render
from monster_core.request.validation import ANSWER_SHAPES, check_combinations
from monster_core.response.types import ResponseSpec

if TYPE_CHECKING:
    from monster_core.request.schema_guide import SchemaGuide
    from monster_core.request.tools import ToolPlan

__all__ = ["build_request"]


def build_request(
    messages: Sequence[Message],
    fields: Mapping[str, Any],
    *,
    stream: bool,
    extra: Mapping[str, Any] | None = None,
) -> ChatRequest:
    """Plan a call.

    Args:
        messages: The conversation.
        fields: The parameters to use, validated one by one.
        stream: Whether to stream the answer.
        extra: Fields that this package does not know, sent as they are; None values are not sent.

    Raises:
        InvalidRequestError: The server would refuse it.
    """
    sent = dict(fields)
    how = {name: sent.pop(name) for name in _CONVERSATION_FIELDS if name in sent}
    if "model" not in sent:
        raise InvalidRequestError("No model: pass model or set MONSTER_MODEL.")
    if not messages:
        raise InvalidRequestError("No messages: a conversation needs at least one.")
    family = family_of(sent["model"], how.get("family"))
    draft = _Draft(messages, family, how, stream, extra or {})
    tools = draft.plan_tools(sent.pop("tools", None), sent.pop("tool_choice", None))
    if tools is None or tools.fields:
        guide = draft.plan_guide(sent)
        return draft.call(sent, tools=tools, guide=None if tools else guide)
    shape = _take_shape(sent)
    first = draft.call(sent, tools=tools)
    if not shape:
        return first
    shaped = {**sent, **shape}
    guide = draft.plan_guide(shaped)
    first.spec = replace(first.spec, withholds_text=True)
    first.follow_up = draft.call(shaped, guide=guide)
    return first


_GUIDES = ("guided_json", "guided_regex", "guided_grammar", "tool_choice")
_CONVERSATION_FIELDS = frozenset(ConversationParameters.model_fields)


@dataclass(slots=True)
class _Draft:
    """Hold what every request of one call has in common."""

    messages: Sequence[Message]
    family: ModelFamily
    how: Mapping[str, Any]
    stream: bool
    extra: Mapping[str, Any]

    def plan_tools(self, tools: Sequence[Mapping[str, Any]] | None, choice: Any) -> ToolPlan | None:
        if not tools and choice in (None, False, "none", "auto"):
            return None
        from monster_core.request.tool_definitions import read_definitions, resolve_tool_choice
        from monster_core.request.tools import plan_tools

        definitions = read_definitions(tools or ())
        plan = plan_tools(
            definitions,
            resolve_tool_choice(choice, definitions),
            self._tool_format,
            is_parallel=self.how.get("parallel_tool_calls", True),
            strategy=self.how.get("tool_strategy"),
        )
        return plan if plan.instructions else None

    def plan_guide(self, sent: dict[str, Any]) -> SchemaGuide | None:
        """Take the answer's schema out of the fields, and plan how it guides.

        OpenAI's json_schema format is told to the model as well, guided_json is not by default.
        """
        is_format = sent.get("response_format", {}).get("type") == "json_schema"
        if is_format and "guided_json" in sent:
            raise InvalidRequestError(
                "Only one schema can guide an answer: leave out guided_json or response_format."
            )
        if not is_format and "guided_json" not in sent:
            return None
        from monster_core.request.schema_guide import plan_guide

        if is_format:
            schema = sent.pop("response_format")["json_schema"]["schema"]
        else:
            schema = sent.pop("guided_json")
        return plan_guide(
            schema,
            in_prompt=self.how.get("schema_in_prompt", is_format),
            is_single=sent.get("best_of", sent.get("n", 1)) == 1,
        )

    def call(
        self,
        fields: Mapping[str, Any],
        *,
        tools: ToolPlan | None = None,
        guide: SchemaGuide | None = None,
    ) -> ChatRequest:
        sent = dict(fields)
        told = [plan.instructions for plan in (tools, guide) if plan and plan.instructions]
        for plan in (tools, guide):
            if plan is not None:
                _add(sent, plan.fields)
        check_combinations(sent, stream=self.stream)
        request = ChatRequest(
            self._body(sent, told),
            _response_spec(tools, guide),
            not sent.keys().isdisjoint(_GUIDES),
        )
        if guide is not None and guide.instructions and guide.is_enforced:
            rest = [text for text in told if text is not guide.instructions]
            request.shorter_body = lambda: self._body(sent, rest)
        return request

    def _body(self, fields: Mapping[str, Any], told: Sequence[str]) -> bytes:
        messages = render(self.messages, self.family, self._tool_format, "\n\n".join(told))
        body = {"model": fields["model"], "messages": messages, **fields}
        body.update({name: value for name, value in self.extra.items() if value is not None})
        if self.stream:
            body["stream"] = True
        return _encode(body)

    @property
    def _tool_format(self) -> Any:
        return self.how.get("tool_format") or self.family.tool_format


def _response_spec(tools: ToolPlan | None, guide: SchemaGuide | None) -> ResponseSpec:
    schema = guide.lowered if guide is not None else None
    if tools is None:
        return ResponseSpec(schema=schema)
    return ResponseSpec(tools.names, tools.most_calls, tools.lowered, schema)


def _take_shape(sent: dict[str, Any]) -> dict[str, Any]:
    """Take out the fields that constrain the answer: under them, no tool could be called."""
    shape = {name: sent.pop(name) for name in list(sent) if name in ANSWER_SHAPES}
    return {} if shape == {"response_format": {"type": "text"}} else shape


def _add(sent: dict[str, Any], fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if name in sent:
            raise InvalidRequestError(
                f"{name} cannot be combined with a forced tool or a json_schema answer, which "
                "set it themselves."
            )
        sent[name] = value


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise InvalidRequestError(f"The request cannot be written as JSON: {error}.") from None
