"""A chunk with pieces of calls is the one that LangChain would make of them."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call, tool_call_chunk

from langchain_monster._results import ChunkConverter
from monster_core.response.types import Chunk, ToolCallDelta

fragments = st.one_of(
    st.text(alphabet=' \t\n\r{}[]":,.-0123456789abntrue\\\ufeff\xa0', max_size=12),
    st.sampled_from(['{"a": ', '{"a": 1}', " word", '"}', "{}", " {", "null", "[1, 2]", '"a"']),
)
pieces = st.builds(
    ToolCallDelta,
    st.integers(0, 2),
    st.sampled_from([None, "call_1"]),
    st.sampled_from([None, "find"]),
    fragments,
)


@given(st.lists(pieces, max_size=3))
@example([ToolCallDelta(0, "call_1", "find", "")])
@example([ToolCallDelta(0, None, None, " \xa0{}")])
@example([ToolCallDelta(0, None, None, "\ufeff{}")])
def test_pieces_are_read_as_langchain_reads_them(calls: list[ToolCallDelta]) -> None:
    made = ChunkConverter().convert(Chunk("1", "m", "Hi", tool_calls=calls)).message
    expected = AIMessageChunk(
        content="Hi",
        response_metadata={"model_provider": "monster", "id": "1"},
        tool_call_chunks=[
            tool_call_chunk(name=call.name, args=call.arguments, id=call.id, index=call.index)
            for call in calls
        ],
    )
    assert made == expected
    assert made.model_dump() == expected.model_dump()


def test_no_two_chunks_share_what_can_be_changed() -> None:
    one, other = (ChunkConverter().convert(Chunk("1", "m", "Hi")).message for _ in range(2))
    one.additional_kwargs["a"] = 1
    one.response_metadata["b"] = 2
    one.tool_calls.append(tool_call(name="f", args={}, id=None))  # type: ignore[attr-defined]
    assert other == AIMessageChunk(
        content="Hi", response_metadata={"model_provider": "monster", "id": "1"}
    )
