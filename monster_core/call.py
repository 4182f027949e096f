"""Plan one chat call: what is sent, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from monster_core.answer import Answer, Chunk, StreamReader, Usage, add_usage, read_answer
from monster_core.conversation import Message, render
from monster_core.errors import InvalidRequestError
from monster_core.families import ModelFamily, family_of
from monster_core.parameters import ConversationParameters
from monster_core.request import check_combinations

if TYPE_CHECKING:
    from monster_core.conversation.answer_guide import AnswerGuide
    from monster_core.conversation.call_collecting import ToolStreamReader
    from monster_core.conversation.tool_plan import ToolPlan

__all__ = ["ChatCall", "Turns", "plan_call", "with_earlier_usage"]


@dataclass(slots=True)
class ChatCall:
    """Hold one planned call.

    Args:
        content: The request's body, as JSON.
        is_guided: Whether the server compiles a schema, pattern or grammar for it.
        shorter: Makes a shorter body that asks for the same, for a prompt that does not fit the
            context window; None if nothing can be left out.
        tools: How its tools were put to the server; None where it has none.
        guide: The schema its text must satisfy; None where it is free.
        final: The call that is sent instead of taking this one's text, where the model called no
            tool: its answer is guided, which it could not be while tools could be called.
    """

    content: bytes
    is_guided: bool = False
    shorter: Callable[[], bytes] | None = None
    tools: ToolPlan | None = None
    guide: AnswerGuide | None = None
    final: ChatCall | None = None

    def read_answer(self, body: bytes) -> Answer:
        """Read the body of a full answer.

        Args:
            body: The bytes of the reply.

        Raises:
            MonsterError: The reply is no answer.
        """
        answer = read_answer(body)
        if self.tools is not None:
            from monster_core.conversation.call_collecting import collect_calls

            answer = collect_calls(answer, self.tools)
        return answer if self.guide is None else self.guide.restore(answer)

    def after(self, answer: Answer) -> ChatCall | None:
        """Return the call to send next instead of taking an answer; None to take it.

        Args:
            answer: What this call brought.
        """
        called = any(choice.tool_calls for choice in answer.choices)
        return None if called else self.final

    def stream_reader(self) -> StreamReader:
        """Return what reads this call's stream."""
        if self.tools is None:
            return StreamReader() if self.guide is None else self.guide.stream_reader()
        from monster_core.conversation.call_collecting import ToolStreamReader

        return ToolStreamReader(self.tools)

    def turns(self) -> Turns:
        """Return what decides between this call's stream and the final one's."""
        from monster_core.conversation.call_collecting import ToolStreamReader
        from monster_core.conversation.tool_plan import ToolPlan

        return Turns(ToolStreamReader(self.tools or ToolPlan(), withholds_text=True))


class Turns:
    """Decide, over two streams, which chunks the caller sees.

    Args:
        reader: What reads the first stream.
    """

    def __init__(self, reader: ToolStreamReader) -> None:
        self.reader = reader
        self._earlier: Usage | None = None

    def takes_first(self, chunk: Chunk) -> bool:
        """Whether the caller sees a chunk of the first stream: it does once a tool is called."""
        if chunk.is_last:
            self._earlier = chunk.usage
        return self.reader.has_calls

    def final(self, chunk: Chunk) -> Chunk:
        """Return a chunk of the final stream, the last one with the tokens of both."""
        if chunk.is_last:
            chunk.usage = add_usage(chunk.usage, self._earlier)
        return chunk


def with_earlier_usage(answer: Answer, earlier: Answer) -> Answer:
    """Return an answer that also counts the tokens of the one before it.

    Args:
        answer: The final answer.
        earlier: The answer that was not taken.
    """
    return replace(answer, usage=add_usage(answer.usage, earlier.usage))


def plan_call(
    messages: Sequence[Message],
    fields: Mapping[str, Any],
    *,
    stream: bool,
    extra: Mapping[str, Any] | None = None,
) -> ChatCall:
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
    guide = draft.plan_guide(sent)
    if guide is None:
        return draft.call(sent, tools=tools)
    if tools is None or tools.fields:
        return draft.call(sent, tools=tools, guide=None if tools else guide)
    return replace(draft.call(sent, tools=tools), final=draft.call(sent, guide=guide))


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
        from monster_core.conversation.definitions import read_definitions, resolve_tool_choice
        from monster_core.conversation.tool_plan import plan_tools

        definitions = read_definitions(tools or ())
        plan = plan_tools(
            definitions,
            resolve_tool_choice(choice, definitions),
            self._tool_format,
            is_parallel=self.how.get("parallel_tool_calls", True),
            strategy=self.how.get("tool_strategy"),
        )
        return plan if plan.instructions else None

    def plan_guide(self, sent: dict[str, Any]) -> AnswerGuide | None:
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
        from monster_core.conversation.answer_guide import plan_guide

        if is_format:
            schema = sent.pop("response_format")["json_schema"]["schema"]
        else:
            schema = sent.pop("guided_json")
        return plan_guide(schema, in_prompt=self.how.get("schema_in_prompt", is_format))

    def call(
        self,
        fields: Mapping[str, Any],
        *,
        tools: ToolPlan | None = None,
        guide: AnswerGuide | None = None,
    ) -> ChatCall:
        sent = dict(fields)
        told = [plan.instructions for plan in (tools, guide) if plan and plan.instructions]
        for plan in (tools, guide):
            if plan is not None:
                _add(sent, plan.fields)
        check_combinations(sent, stream=self.stream)
        call = ChatCall(
            self._body(sent, told), not sent.keys().isdisjoint(_GUIDES), tools=tools, guide=guide
        )
        if guide is not None and guide.instructions and guide.is_enforced:
            rest = [text for text in told if text is not guide.instructions]
            call.shorter = lambda: self._body(sent, rest)
        return call

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
