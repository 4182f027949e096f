"""What other servers send, that the recorded one and the emulator do not."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from llama_index.core.base.llms.types import LogProb, TextBlock, ThinkingBlock
from llama_index.core.callbacks.token_counting import get_tokens_from_response

from llama_index_monster._responses import (
    StreamedResponse,
    to_chat_response,
    to_completion_response,
)
from monster_core.errors import ResponseError
from monster_core.response.completion import parse_completion
from monster_core.response.types import Chunk, Usage


def chat_response(message: dict[str, Any], **body: Any) -> Any:
    choice = {"index": 0, "message": message, **body.pop("choice", {})}
    return to_chat_response(
        parse_completion(orjson.dumps({"id": "1", "choices": [choice], **body}))
    )


def test_reasoning_is_a_thinking_block_before_the_text():
    response = chat_response({"content": "4", "reasoning_content": "2 and 2"})
    assert response.message.blocks == [ThinkingBlock(content="2 and 2"), TextBlock(text="4")]
    assert response.message.content == "4"


def test_streamed_reasoning_comes_as_thinking_deltas():
    answer = StreamedResponse()
    chunks = [
        Chunk("1", "m", reasoning="2 and"),
        Chunk("1", "m", reasoning=" 2"),
        Chunk("1", "m", "4"),
    ]
    responses = [answer.add(chunk) for chunk in chunks]
    deltas = [response.additional_kwargs.get("thinking_delta") for response in responses]
    assert deltas == ["2 and", " 2", None]
    assert [response.delta for response in responses] == ["", "", "4"]
    assert responses[-1].message.blocks == [ThinkingBlock(content="2 and 2"), TextBlock(text="4")]
    assert responses[0].message.blocks == [ThinkingBlock(content="2 and"), TextBlock(text="")]


@pytest.mark.parametrize("usage", [None, {}, "none", {"prompt_tokens": None}])
def test_a_server_that_does_not_count_leaves_the_counting_to_llama_index(usage):
    response = chat_response({"content": "4"}, usage=usage)
    assert get_tokens_from_response(response) == (0, 0)
    assert get_tokens_from_response(to_completion_response(response)) == (0, 0)


def test_counts_are_integers_beside_what_else_the_server_says():
    usage = {"prompt_tokens": 5, "completion_tokens": None, "prompt_tokens_details": {"cached": 1}}
    response = chat_response({"content": ""}, usage=usage)
    assert response.raw["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": 0,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached": 1},
    }


def test_the_usage_of_a_stream_stands_on_its_last_item():
    answer = StreamedResponse()
    event = {"id": "1", "choices": [{"index": 0, "delta": {"content": "a"}}]}
    answer.add(Chunk("1", "m", "a", raw=event))
    end = answer.add(Chunk("1", "m", usage=Usage(5, 1, 6), is_last=True))
    assert get_tokens_from_response(end) == (5, 1)
    assert end.raw == {
        **event,
        "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
    }
    assert "usage" not in event


def test_an_answer_without_text_is_an_empty_text():
    response = chat_response({"content": None})
    assert response.message.content == ""
    assert to_completion_response(response).text == ""


def test_a_reply_without_an_answer_is_an_error():
    with pytest.raises(ResponseError, match="no choice"):
        to_chat_response(parse_completion(b'{"id": "1", "choices": []}'))


@pytest.mark.parametrize(
    "logprobs, expected",
    [
        (None, None),
        ({}, None),
        ({"content": None}, None),
        ({"content": []}, []),
        (
            {"content": [{"token": "a", "logprob": None, "bytes": None, "top_logprobs": None}]},
            [[LogProb(token="a", logprob=-9999.0)]],
        ),
        (
            {
                "content": [
                    {
                        "token": "b",
                        "logprob": -2.0,
                        "bytes": [98],
                        "top_logprobs": [
                            {"token": "a", "logprob": -1.0, "bytes": [97]},
                            {"token": "b", "logprob": -2.0, "bytes": [98]},
                        ],
                    }
                ]
            },
            [
                [
                    LogProb(token="b", logprob=-2.0, bytes=[98]),
                    LogProb(token="a", logprob=-1.0, bytes=[97]),
                ]
            ],
        ),
    ],
    ids=["null", "empty", "no-content", "no-token", "bare", "with-alternatives"],
)
def test_log_probabilities_are_one_list_a_token_the_token_itself_first(logprobs, expected):
    response = chat_response({"content": "a"}, choice={"logprobs": logprobs})
    assert response.logprobs == expected
