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
from ._request import ChatCompletionRequest

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
    """Writes the answers to one request."""

    def __init__(
        self,
        *,
        model: str,
        role: str,
        prompt_tokens: int,
        echoed: str,
        logprobs: bool,
        tool: str | None,
    ) -> None:
        self._model = model
        self._role = role
        self._prompt_tokens = prompt_tokens
        self._echoed = echoed
        self._logprobs = logprobs
        self.tool = tool
        self._id = f"cmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())

    def full(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """Build a full answer."""
        choices = [
            {
                "index": answer.index,
                "message": self._message(answer.text),
                "logprobs": self._shown(answer.likelihoods),
                "finish_reason": answer.finish_reason,
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

    def _message(self, text: str) -> dict[str, Any]:
        calls = []
        if self.tool is not None:
            function = {"name": self.tool, "arguments": text}
            call_id = f"chatcmpl-tool-{uuid.uuid4().hex}"
            calls = [{"id": call_id, "type": "function", "function": function}]
        said = "" if calls else text
        return {"role": self._role, "content": self._echoed + said, "tool_calls": calls}

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


def response_writer(
    request: ChatCompletionRequest, turns: Sequence[Turn], prompt: int, model: str
) -> ResponseWriter:
    """Make what writes the answers to a request."""
    role = "assistant" if request.add_generation_prompt else request.messages[-1]["role"]
    last = turns[-1]
    return ResponseWriter(
        model=model,
        role=role,
        prompt_tokens=prompt,
        echoed=last.content if request.echo and last.role == role else "",
        logprobs=bool(request.logprobs) and request.top_logprobs is not None,
        tool=chosen_tool(request),
    )


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
