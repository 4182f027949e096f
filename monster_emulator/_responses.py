"""The shapes on the wire: a full answer, and the events of a streamed one."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ._constraints import chosen_tool
from ._conversation import Turn
from ._errors import Refusal
from ._generation import Answer, Delta, Likelihood

DONE = "data: [DONE]\n\n"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# the server cannot build the chunk that repeats the last message, and sends what pydantic says
# (vllm/entrypoints/openai/serving_chat.py:354)
ECHO_IN_STREAM = (
    "1 validation error for ChatCompletionStreamResponse\nlogprobs\n"
    "  Extra inputs are not permitted "
    "[type=extra_forbidden, input_value=None, input_type=NoneType]\n"
    "    For further information visit https://errors.pydantic.dev/2.7/v/extra_forbidden"
)


class ResponseWriter:
    """Writes the answers to one request.

    Attributes:
        tool: The tool that the answers must call; they are its arguments.
    """

    def __init__(self, request: Any, turns: Sequence[Turn], prompt: int, model: str) -> None:
        last = request.messages[-1]
        role = last["role"] if isinstance(last, dict) else last.role
        self._role = "assistant" if request.add_generation_prompt else role
        is_echoed = request.echo and turns[-1].role == self._role
        self._echoed = turns[-1].content if is_echoed else ""
        self._model = model
        self._prompt_tokens = prompt
        self._logprobs = bool(request.logprobs) and request.top_logprobs is not None
        self.tool = chosen_tool(request)
        self._id = f"cmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())

    def full(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """Build a full answer."""
        choices = [
            {
                "index": answer.index,
                **self._told(answer),
                "logprobs": self._shown(answer.likelihoods),
                "stop_reason": answer.stop_reason,
            }
            for answer in answers
        ]
        usage = self._usage(sum(len(answer.tokens) for answer in answers))
        return {**self._head("chat.completion"), "choices": choices, "usage": usage}

    def events(
        self, steps: Iterable[list[Delta]], answers: Sequence[Answer], *, include_usage: bool
    ) -> Iterator[list[str]]:
        """Yield the events of each step: role chunks first, `[DONE]` at the end."""
        usage: dict[str, Any] = {"usage": None} if include_usage else {}
        roles = [self._chunk([self._role_choice(answer)], usage) for answer in answers]
        if self._echoed:
            yield [*roles, error_event(flat_error(Refusal(ECHO_IN_STREAM))), DONE]
            return
        for deltas in steps:
            events = [*roles, *(self._chunk([self._choice(delta)], usage) for delta in deltas)]
            roles = []
            if all(answer.finish_reason for answer in answers):
                # for several choices the server reports the tokens of the last one only
                # (vllm/entrypoints/openai/serving_chat.py:446)
                total = {"usage": self._usage(len(answers[-1].tokens))}
                events += [self._chunk([], total), DONE] if include_usage else [DONE]
            yield events

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model}

    def _chunk(self, choices: list[dict[str, Any]], usage: dict[str, Any]) -> str:
        chunk = {**self._head("chat.completion.chunk"), "choices": choices, **usage}
        return f"data: {_encode(chunk)}\n\n"

    def _told(self, answer: Answer) -> dict[str, Any]:
        """Build the message of a choice, and tell why it ended."""
        calls: list[dict[str, Any]] = []
        content = self._echoed
        if self.tool is None:
            content += answer.text
        else:
            function = {"name": self.tool, "arguments": answer.text}
            call_id = f"chatcmpl-tool-{uuid.uuid4().hex}"
            calls.append({"id": call_id, "type": "function", "function": function})
        message = {"role": self._role, "content": content, "tool_calls": calls}
        return {"message": message, "finish_reason": answer.finish_reason}

    def _added(self, text: str) -> dict[str, Any]:
        if self.tool is None:
            return {"content": text}
        return {"tool_calls": [{"function": {"name": self.tool, "arguments": text}}]}

    def _role_choice(self, answer: Answer) -> dict[str, Any]:
        return {
            "index": answer.index,
            "delta": {"role": self._role},
            "logprobs": None,
            "finish_reason": None,
        }

    def _choice(self, delta: Delta) -> dict[str, Any]:
        choice = {
            "index": delta.answer.index,
            "delta": self._added(delta.content),
            "logprobs": self._shown(delta.likelihoods),
            "finish_reason": delta.answer.finish_reason,
        }
        if delta.answer.finish_reason:
            choice["stop_reason"] = delta.answer.stop_reason
        return choice

    def _usage(self, completion_tokens: int) -> dict[str, int]:
        return {
            "prompt_tokens": self._prompt_tokens,
            "total_tokens": self._prompt_tokens + completion_tokens,
            "completion_tokens": completion_tokens,
        }

    def _shown(self, likelihoods: Iterable[Likelihood]) -> dict[str, Any] | None:
        if not self._logprobs:
            return None
        content = [
            {
                **_token(likelihood.text, likelihood.logprob),
                "top_logprobs": [_token(text, logprob) for text, logprob in likelihood.top],
            }
            for likelihood in likelihoods
        ]
        return {"content": content}


def flat_error(refusal: Refusal) -> dict[str, Any]:
    """Return vLLM 0.5.0's `ErrorResponse` (vllm/entrypoints/openai/protocol.py:55)."""
    return {
        "object": "error",
        "message": refusal.message,
        "type": refusal.type,
        "param": None,
        "code": refusal.status,
    }


def error_event(error: dict[str, Any]) -> str:
    """Write an error as an event in a stream."""
    return f"data: {json.dumps({'error': error})}\n\n"


def _token(text: str, logprob: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}
