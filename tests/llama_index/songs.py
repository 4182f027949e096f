"""Ask an LLM with a scripted endpoint for a song."""

from __future__ import annotations

import json
from typing import Any

from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode

from tests.llama_index.toolbox import Song, answered, scripted, streamed

__all__ = ["HEY_JUDE", "JSON", "MODES", "PROMPT", "grow", "predict", "sent_by", "song_llm"]

PROMPT = PromptTemplate("The song {title}.")
HEY_JUDE = Song(title="Hey Jude", seconds=431)
JSON = '{"title": "Hey Jude", "seconds": 431}'
MODES = [PydanticProgramMode.DEFAULT, PydanticProgramMode.FUNCTION]


def song_llm(mode=PydanticProgramMode.DEFAULT, text=JSON, finish_reason="stop", **kwargs):
    """An LLM whose server answers with this text, or with this text as a call's arguments."""
    pieces = [text[start : start + 3] for start in range(0, len(text), 3)]
    if mode == PydanticProgramMode.FUNCTION:
        call = {"id": "1", "type": "function", "function": {"name": "Song", "arguments": text}}
        message: dict[str, Any] = {"content": "", "tool_calls": [call]}
        deltas: list[dict[str, Any]] = [
            {"tool_calls": [{"function": {"name": "Song", "arguments": piece}}]} for piece in pieces
        ]
    else:
        message, deltas = {"content": text}, [{"content": piece} for piece in pieces]
    return scripted(message, deltas, finish_reason, pydantic_program_mode=mode, **kwargs)


def predict(calls, llm, output_cls=Song, **kwargs):
    kwargs = {"title": "Hey Jude", **kwargs}
    return answered(calls.is_async, llm, "structured_predict", output_cls, PROMPT, **kwargs)


def grow(calls, llm, output_cls=Song, **kwargs):
    kwargs = {"title": "Hey Jude", **kwargs}
    return streamed(calls.is_async, llm, "stream_structured_predict", output_cls, PROMPT, **kwargs)


def sent_by(llm):
    """Collect the bodies that an LLM sends."""
    bodies: list[dict[str, Any]] = []
    transport = llm.http_client._transport  # both clients have the same
    handle = transport.handler

    def kept(request):
        bodies.append(json.loads(request.content))
        return handle(request)

    transport.handler = kept
    return bodies
