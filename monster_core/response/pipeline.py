"""Read a response: the one place where the steps of reading are composed.

A whole response: :func:`parse_completion` reads the body, :func:`collect_tool_calls` finds and
judges the calls, and the text is restored to what its original schema means. A streamed one takes
the same steps chunk by chunk: :class:`StreamDecoder`, :class:`ToolCallStep`, restoring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monster_core.response.completion import parse_completion
from monster_core.response.stream import StreamDecoder
from monster_core.response.types import Chunk, Completion, ResponseSpec

if TYPE_CHECKING:
    from monster_core.errors import StreamInterruptedError
    from monster_core.response.tool_calls import ToolCallStep

__all__ = ["ResponseStream", "parse_response"]


def parse_response(body: bytes, spec: ResponseSpec) -> Completion:
    """Read the body of a whole response.

    Args:
        body: The body of a response with status 200.
        spec: What is known of the request.

    Raises:
        ResponseError: The body is not a completion.
        StatusError: The body is an error in spite of its status.
    """
    completion = parse_completion(body)
    for choice in completion.choices:
        if spec.tool_names or choice.tool_calls:
            from monster_core.response.tool_calls import collect_tool_calls

            collect_tool_calls(choice, spec)
        if spec.schema is not None and spec.schema.changes_instances and not choice.tool_calls:
            choice.text = spec.schema.restored_text(choice.text)
    return completion


class ResponseStream:
    """Read a streamed response, event by event.

    Args:
        spec: What is known of the request.
    """

    __slots__ = ("_calls", "_decoder", "_is_plain", "_restorer", "_spec", "holds_back")

    def __init__(self, spec: ResponseSpec) -> None:
        schema = spec.schema
        self._spec = spec
        self._decoder = StreamDecoder()
        self._calls: ToolCallStep | None = None
        is_restored = schema is not None and schema.changes_instances
        self._restorer = schema.stream_restorer() if schema is not None and is_restored else None
        self._is_plain = self._restorer is None
        self.holds_back = False  # the last event added something that has not been given yet
        if spec.tool_names or spec.withholds_text:
            self._begin_calls()

    @property
    def is_done(self) -> bool:
        """Whether ``[DONE]`` has come."""
        return self._decoder.is_done

    @property
    def is_complete(self) -> bool:
        """Whether the response has come to its end, with or without ``[DONE]``."""
        return self._decoder.is_complete

    @property
    def partial_text(self) -> str:
        """The text so far, as the server sent it."""
        return self._decoder.partial_text

    @property
    def has_tool_calls(self) -> bool:
        """Whether a tool call has begun."""
        return self._calls is not None and self._calls.has_tool_calls

    def feed(self, data: bytes) -> Chunk | None:
        """Read the data of one event.

        Args:
            data: The data.

        Returns:
            What the event added; None if it added nothing.

        Raises:
            StatusError: It is an error event.
            ResponseError: It cannot be read.
        """
        chunk = self._decoder.read(data)
        if chunk is None or (self._is_plain and not chunk.tool_calls):
            self.holds_back = False
            return chunk
        if chunk.tool_calls and self._calls is None:
            self._begin_calls()
        if self._calls is not None:
            self._calls.take(chunk)
        if self._restorer is not None:
            chunk.text = self._restorer.feed(chunk.text)
            if chunk.finish_reason:
                chunk.text += self._restorer.flush()
        has_content = chunk.text or chunk.tool_calls or chunk.finish_reason or chunk.reasoning
        self.holds_back = not (has_content or chunk.refusal) and chunk.logprobs is None
        return None if self.holds_back else chunk

    def end(self) -> Chunk:
        """Close the stream.

        Returns:
            The last chunk; it carries the usage and says of each tool call whether it is whole.

        Raises:
            StreamInterruptedError: The stream ended with neither a finish reason nor [DONE].
        """
        chunk = self._decoder.end()
        if self._calls is not None:
            self._calls.end(chunk)
        if self._restorer is not None:
            chunk.text = self._restorer.feed(chunk.text) + self._restorer.flush()
        return chunk

    def interrupted(self, what: str) -> StreamInterruptedError:
        """Make the error for a stream that broke off.

        Args:
            what: What happened, without a final period.
        """
        return self._decoder.interrupted(what)

    def _begin_calls(self) -> None:
        from monster_core.response.tool_calls import ToolCallStep

        self._calls, self._is_plain = ToolCallStep(self._spec), False
