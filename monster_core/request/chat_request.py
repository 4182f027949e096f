"""Hold one planned chat call: what is sent, and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monster_core.response.completion import parse_completion
from monster_core.response.stream import StreamDecoder
from monster_core.response.types import Chunk, Completion, Usage, add_usage

if TYPE_CHECKING:
    from monster_core.request.schema_guide import SchemaGuide
    from monster_core.request.tools import ToolPlan
    from monster_core.response.tool_calls import ToolStreamDecoder

__all__ = ["ChatRequest", "Turns", "with_earlier_usage"]


@dataclass(slots=True)
class ChatRequest:
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
    guide: SchemaGuide | None = None
    final: ChatRequest | None = None

    def parse_completion(self, body: bytes) -> Completion:
        """Read the body of a full answer.

        Args:
            body: The bytes of the reply.

        Raises:
            MonsterError: The reply is no answer.
        """
        answer = parse_completion(body)
        if self.tools is not None:
            from monster_core.response.tool_calls import collect_calls

            answer = collect_calls(answer, self.tools)
        return answer if self.guide is None else self.guide.restore(answer)

    def after(self, answer: Completion) -> ChatRequest | None:
        """Return the call to send next instead of taking an answer; None to take it.

        Args:
            answer: What this call brought.
        """
        called = any(choice.tool_calls for choice in answer.choices)
        return None if called else self.final

    def stream_reader(self) -> StreamDecoder:
        """Return what reads this call's stream."""
        if self.tools is None:
            return StreamDecoder() if self.guide is None else self.guide.stream_reader()
        from monster_core.response.tool_calls import ToolStreamDecoder

        return ToolStreamDecoder(self.tools)

    def turns(self) -> Turns:
        """Return what decides between this call's stream and the final one's."""
        from monster_core.request.tools import ToolPlan
        from monster_core.response.tool_calls import ToolStreamDecoder

        return Turns(ToolStreamDecoder(self.tools or ToolPlan(), withholds_text=True))


class Turns:
    """Decide, over two streams, which chunks the caller sees.

    Args:
        reader: What reads the first stream.
    """

    def __init__(self, reader: ToolStreamDecoder) -> None:
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


def with_earlier_usage(answer: Completion, earlier: Completion) -> Completion:
    """Return an answer that also counts the tokens of the one before it.

    Args:
        answer: The final answer.
        earlier: The answer that was not taken.
    """
    return replace(answer, usage=add_usage(answer.usage, earlier.usage))
