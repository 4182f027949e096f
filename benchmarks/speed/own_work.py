"""What is done with a chunk between the socket and the framework, without either of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from speed.wire import events

__all__ = ["STEPS", "steps"]

STEPS = ("reading", "converting")
"""From bytes to what they say, and from that to what the framework takes."""

_COUNT = 200
_CHUNKS_IN_A_SEGMENT = 8

Step = Callable[[], Iterator[Any]]


def steps(client: str, kind: str) -> tuple[Step, Step, int]:
    """Return what reads a stream, what converts what was read, and how many chunks there are.

    Args:
        client: One of ours, or one of the least integrations.
        kind: One of wire.KINDS.
    """
    pieces = events(kind, _COUNT)
    places = range(0, len(pieces), _CHUNKS_IN_A_SEGMENT)
    segments = [b"".join(pieces[place : place + _CHUNKS_IN_A_SEGMENT]) for place in places]
    read, converter = _OF[client]
    found = list(read(segments))
    return lambda: read(segments), lambda: map(converter(), found), _COUNT


def _read_as_json(segments: Sequence[bytes]) -> Iterator[Any]:
    for segment in segments:
        for line in segment.decode().splitlines():
            if line.startswith("data: ") and line != "data: [DONE]":
                yield json.loads(line[6:])


def _read_as_chunks(segments: Sequence[bytes]) -> Iterator[Any]:
    from monster_core.response.pipeline import ResponseStream
    from monster_core.response.types import ResponseSpec
    from monster_core.transport.sse import EventDecoder

    decoder, stream = EventDecoder(), ResponseStream(ResponseSpec())
    for segment in segments:
        for data in decoder.feed(segment):
            chunk = stream.feed(data)
            if chunk is not None:
                yield chunk
    yield stream.end()


def _least_of_langchain() -> Callable[[Any], object]:
    from speed.langchain_clients import chunk_of

    return chunk_of


def _least_of_llama_index() -> Callable[[Any], object]:
    from speed.llama_index_clients import response_of

    return response_of


def _chat_monster() -> Callable[[Any], object]:
    from langchain_monster._results import ChunkConverter

    return ChunkConverter().convert


def _monster_llm() -> Callable[[Any], object]:
    from llama_index_monster._responses import StreamedResponse

    return StreamedResponse().add


_OF: dict[str, tuple[Callable[[Sequence[bytes]], Iterator[Any]], Callable[[], Any]]] = {
    "LangChain + raw httpx": (_read_as_json, _least_of_langchain),
    "ChatMonster": (_read_as_chunks, _chat_monster),
    "LlamaIndex + raw httpx": (_read_as_json, _least_of_llama_index),
    "MonsterLLM": (_read_as_chunks, _monster_llm),
}
