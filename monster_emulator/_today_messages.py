"""What vLLM 0.32.0 shows the model of a request: functions and calls, too."""

from __future__ import annotations

import json
from typing import Any

from ._errors import Refusal
from ._messages import Turn, text_of
from ._prompts import hermes_call
from ._today_request import TodayMessage, TodayRequest

_PARTS_OF_TEXT = {"text": "text", "refusal": "refusal", "thinking": "thinking"}


def conversation_of_today(request: TodayRequest) -> list[Turn]:
    """Reduce a request to the turns that the model sees."""
    if not request.messages:
        raise Refusal(
            "Cannot apply chat template to an empty conversation. Provide at least one message."
        )
    if request.chat_template is not None:
        raise Refusal(
            "Chat template is passed with request, but --trust-request-chat-template is not set. "
            "Refused request with untrusted chat template."
        )
    if request.continue_final_message and request.add_generation_prompt:
        raise Refusal(
            "continue_final_message and add_generation_prompt are not compatible. Use "
            "continue_final_message when you want the model to continue the final message, and "
            "add_generation_prompt when you want to add a header that will prompt it to start a "
            "new assistant message instead."
        )
    turns = [Turn(message.role, _said(message)) for message in request.messages]
    if not request.tools:
        return turns
    shown = [json.dumps(tool.model_dump(exclude_none=True)) for tool in request.tools]
    functions = "You may call functions. Functions:\n" + "\n".join(shown)
    functions += "\nCall one with <tool_call>...</tool_call>"
    if turns[0].role == "system":
        return [Turn("system", f"{turns[0].content}\n\n{functions}"), *turns[1:]]
    return [Turn("system", functions), *turns]


def _said(message: TodayMessage) -> str:
    content = message.content or ""
    written = text_of(content if isinstance(content, str) else "\n".join(map(_part, content)))
    calls = [
        hermes_call(call.function.name, _arguments(call.function.arguments))
        for call in message.tool_calls or ()
    ]
    return "\n".join(filter(None, [written, *calls]))


def _arguments(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def _part(part: Any) -> str:
    if isinstance(part, dict):
        key = _PARTS_OF_TEXT.get(part.get("type", ""))
        if key and isinstance(part.get(key), str):
            return str(part[key])
        if part.get("type") == "image_url" and "image_url" in part:
            raise Refusal("This model is not a multimodal model")
    raise Refusal("validation errors for ValidatorIterator")
