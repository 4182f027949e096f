"""Plan one chat call: what is sent, and how its answer is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from monster_core.answer import Answer, StreamReader, read_answer
from monster_core.conversation import Message, to_wire
from monster_core.errors import InvalidRequestError
from monster_core.request import check_combinations

__all__ = ["ChatCall", "plan_call"]


@dataclass(slots=True)
class ChatCall:
    """Hold one planned call.

    Args:
        content: The request's body, as JSON.
        is_stream: Whether the answer is streamed.
    """

    content: bytes
    is_stream: bool

    def read_answer(self, body: bytes) -> Answer:
        """Read the body of a full answer.

        Args:
            body: The bytes of the reply.

        Raises:
            MonsterError: The reply is no answer.
        """
        return read_answer(body)

    def stream_reader(self) -> StreamReader:
        """Return what reads this call's stream."""
        return StreamReader()


def plan_call(
    messages: Sequence[Message],
    fields: Mapping[str, Any],
    *,
    stream: bool,
    extra: Mapping[str, Any] | None = None,
) -> ChatCall:
    """Plan a call.

    Args:
        messages: The conversation.
        fields: The request fields to send, validated one by one.
        stream: Whether to stream the answer.
        extra: Fields that this package does not know, sent as they are; None values are not sent.

    Raises:
        InvalidRequestError: The server would refuse it.
    """
    sent = dict(fields)
    check_combinations(sent, stream=stream)
    if "model" not in sent:
        raise InvalidRequestError("No model: pass model or set MONSTER_MODEL.")
    if not messages:
        raise InvalidRequestError("No messages: a conversation needs at least one.")
    body: dict[str, Any] = {"model": sent.pop("model"), "messages": to_wire(messages), **sent}
    if extra:
        body.update({name: value for name, value in extra.items() if value is not None})
    if stream:
        body["stream"] = True
    return ChatCall(_encode(body), stream)


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise InvalidRequestError(f"The request cannot be written as JSON: {error}.") from None
