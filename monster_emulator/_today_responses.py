"""The shapes of vLLM 0.32.0 on the wire, and how it reads tool calls in the text of a model."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._conversation import Turn
from ._generation import Answer, Delta
from ._responses import DONE, ResponseWriter
from ._today_request import NamedToolChoice

FINGERPRINT = "vllm-0.32.0-emulator"

_BEGIN, _END = "<tool_call>", "</tool_call>"
_NAME = re.compile(r'"name"\s*:\s*"([^"]+)"')
_ARGUMENTS = re.compile(r'"arguments"\s*:\s*')
_UNSET = (
    *("service_tier", "prompt_logprobs", "prompt_token_ids", "prompt_text", "metrics"),
    *("kv_transfer_params", "ec_transfer_params"),
)
_THINK, _END_THINK = "<think>", "</think>"


@dataclass(slots=True)
class ParsedText:
    """What the server reads in the text of an answer so far.

    Attributes:
        reasoning: The text between `<think>` and its end.
        content: The text before the first call.
        calls: The name and the arguments of each call.
        is_whole: Whether each call is whole.
    """

    reasoning: str
    content: str
    calls: list[tuple[str, str]] = field(default_factory=list)
    is_whole: bool = True


def parse_text(text: str, *, tools: bool, ended: bool) -> ParsedText:
    """Read the text of an answer; what may be a part of a marker waits until the text has ended."""
    reasoning, rest = _split_reasoning(text, ended=ended)
    if not tools:
        return ParsedText(reasoning, rest)
    content, *regions = rest.split(_BEGIN)
    parsed = ParsedText(
        reasoning, content if ended or regions else _without_partial(content, _BEGIN)
    )
    for region in regions:
        body, end, _ = region.partition(_END)
        body = (body if end else _without_partial(body, _END)).strip()
        is_whole = _is_json(body)
        parsed.is_whole &= is_whole
        if name := _NAME.search(body):
            parsed.calls.append((name[1], _arguments_in(body, is_whole=is_whole)))
    return parsed


def _split_reasoning(text: str, *, ended: bool) -> tuple[str, str]:
    """Divide the reasoning from the content."""
    if not ended and _THINK.startswith(text):
        return "", ""
    if not text.startswith(_THINK):
        return "", text
    reasoning, end, rest = text.removeprefix(_THINK).partition(_END_THINK)
    return reasoning if end or ended else _without_partial(reasoning, _END_THINK), rest


def _arguments_in(body: str, *, is_whole: bool) -> str:
    found = _ARGUMENTS.search(body)
    if not found:
        return ""
    written = body[found.end() :]
    return written.removesuffix("}").rstrip() if is_whole else written


def _without_partial(text: str, marker: str) -> str:
    lengths = (n for n in range(len(marker) - 1, 0, -1) if text.endswith(marker[:n]))
    return text[: len(text) - next(lengths, 0)]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


class TodayResponseWriter(ResponseWriter):
    """Writes the answers to one request as vLLM 0.32.0 does."""

    def __init__(self, request: Any, turns: Sequence[Turn], prompt: int, model: str) -> None:
        super().__init__(request, turns, prompt, model)
        self.tool = None  # calls are read in the text
        self._logprobs = bool(request.logprobs)
        self._id = f"chatcmpl-{uuid.uuid4().hex[:16]}"
        self._tools = bool(request.tools) and request.tool_choice != "none"
        is_named = isinstance(request.tool_choice, NamedToolChoice)
        self._choice_kind = "named" if is_named else request.tool_choice or "auto"
        self._sent: dict[int, ParsedText] = {}

    def full(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """Build a full answer."""
        answer = super().full(answers)
        answer["usage"].update(prompt_tokens_details=None, completion_tokens_details=None)
        for choice in answer["choices"]:
            choice.update(token_ids=None, routed_experts=None)
        return {**answer, "system_fingerprint": FINGERPRINT, **dict.fromkeys(_UNSET)}

    def _told(self, answer: Answer) -> dict[str, Any]:
        parsed = parse_text(answer.text, tools=self._tools, ended=True)
        called = bool(parsed.calls) and parsed.is_whole
        message: dict[str, Any] = {
            **dict.fromkeys(("refusal", "annotations", "audio", "function_call")),
            "role": self._role,
            "content": self._echoed + parsed.content,
            "reasoning": parsed.reasoning or None,
        }
        if called:
            message["content"] = parsed.content or (None if self._choice_kind == "auto" else "")
            message["tool_calls"] = [
                {
                    "id": _call_id(),
                    "type": "function",
                    "function": {"name": name, "arguments": _reformatted(arguments)},
                }
                for name, arguments in parsed.calls
            ]
        elif self._tools:
            message["content"] = answer.text
        return {"message": message, "finish_reason": self._finish(answer, called=called)}

    def _finish(self, answer: Answer, *, called: bool) -> str | None:
        if self._choice_kind == "required" or (called and self._choice_kind == "auto"):
            return "tool_calls" if answer.finish_reason == "stop" else answer.finish_reason
        return answer.finish_reason

    def events(
        self, steps: Iterable[list[Delta]], answers: Sequence[Answer], *, include_usage: bool
    ) -> Iterator[list[str]]:
        """Write a streamed answer, step by step."""
        begun = {"prompt_token_ids": None, "prompt_text": None}
        events = [
            self._chunk([self._added_choice(answer, {"role": self._role, "content": ""})], begun)
            for answer in answers
        ]
        if self._echoed:
            events += [
                self._chunk([self._added_choice(answer, {"content": self._echoed})], {})
                for answer in answers
            ]
        for deltas in steps:
            for delta in deltas:
                events += self._events_of(delta, include_usage=include_usage)
            if all(answer.finish_reason for answer in answers):
                if include_usage:
                    usage = self._usage(sum(len(answer.tokens) for answer in answers))
                    last = {"usage": usage, "system_fingerprint": FINGERPRINT}
                    events.append(self._chunk([], last))
                events.append(DONE)
            yield events
            events = []

    def _events_of(self, delta: Delta, *, include_usage: bool) -> Iterator[str]:
        answer = delta.answer
        added = self._unsent(answer)
        if not (added or answer.finish_reason or self._logprobs):
            return
        choice = self._added_choice(answer, added)
        choice["logprobs"] = self._shown(delta.likelihoods)
        choice["token_ids"] = None
        further: dict[str, Any] = {}
        if answer.finish_reason:
            called = bool(self._sent[answer.index].calls)
            choice["finish_reason"] = self._finish(answer, called=called)
            choice["stop_reason"] = answer.stop_reason
            further = {} if include_usage else {"system_fingerprint": FINGERPRINT}
        yield self._chunk([choice], further)

    def _unsent(self, answer: Answer) -> dict[str, Any]:
        """Return what was not sent yet: text, names of calls, and pieces of their arguments."""
        ended = answer.finish_reason is not None
        now = parse_text(answer.shown, tools=self._tools, ended=ended and not self._tools)
        if ended:  # the server makes up the arguments of a call that was cut before them
            now.calls = [(name, arguments or "{}") for name, arguments in now.calls]
        before = self._sent.get(answer.index, ParsedText("", ""))
        self._sent[answer.index] = now
        added: dict[str, Any] = {}
        if reasoning := now.reasoning[len(before.reasoning) :]:
            added["reasoning"] = reasoning
        if content := now.content[len(before.content) :]:
            added["content"] = content
        calls: list[dict[str, Any]] = []
        for place, (name, arguments) in enumerate(now.calls):
            known = place < len(before.calls)
            if not known:
                function = {"name": name}
                call = {"id": _call_id(), "type": "function", "index": place, "function": function}
                calls.append(call)
            if more := arguments[len(before.calls[place][1]) if known else 0 :]:
                calls.append({"index": place, "function": {"arguments": more}})
        if calls:
            added = {"content": None, **added, "tool_calls": calls}
        return added

    @staticmethod
    def _added_choice(answer: Answer, added: dict[str, Any]) -> dict[str, Any]:
        return {"index": answer.index, "delta": added, "logprobs": None, "finish_reason": None}


def _call_id() -> str:
    return f"chatcmpl-tool-{uuid.uuid4().hex[:16]}"


def _reformatted(arguments: str) -> str:
    return json.dumps(json.loads(arguments), ensure_ascii=False)
