"""Faults of how a right answer is delivered: late, cut, never, in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from ._fault import Fault, FaultError
from ._fault_arguments import COUNT, SECONDS, SIZE
from ._held_response import HeldResponse, is_token


@dataclass(frozen=True)
class Slow(Fault):
    """Answer rightly, but late.

    Args:
        first_token: Seconds between the head and the first token; the body of a full answer.
        each_token: Seconds before each further token.
    """

    name = "slow"

    first_token: Annotated[float, SECONDS] = 0
    each_token: Annotated[float, SECONDS] = 0

    async def act(self, response: HeldResponse) -> None:
        """Pass the response on with pauses."""
        pause = self.first_token
        while message := await response.next():
            is_content = is_token(message) or (
                not response.is_stream and message["type"] == "http.response.body"
            )
            if is_content:
                if not await response.client.stays(pause):
                    return
                pause = self.each_token
            await response.send(message)


@dataclass(frozen=True)
class Cut(Fault):
    """Close the connection in the middle of the response; without a place, before it.

    Args:
        after_tokens: How many tokens of a stream come first; 0 for the head alone.
        after_bytes: How many bytes of the response come first, counted with the head.
    """

    name = "cut"
    _resets: ClassVar[bool] = False

    after_tokens: Annotated[int | None, COUNT] = None
    after_bytes: Annotated[int | None, COUNT] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.after_tokens is not None and self.after_bytes is not None:
            raise FaultError(
                f"The fault {self.name!r} takes after_tokens or after_bytes, not both."
            )

    async def act(self, response: HeldResponse) -> None:
        """Pass the beginning on and hang up."""
        if self.after_bytes is not None:
            response.wire.cut_after(self.after_bytes, reset=self._resets)
            await response.rest()
        else:
            await response.until(self.after_tokens)
            response.wire.cut(reset=self._resets)
        await response.client.leaves()


@dataclass(frozen=True)
class Reset(Cut):
    """Do the same with RST instead of FIN, as a crashed server or a firewall does."""

    name = "reset"
    _resets: ClassVar[bool] = True


@dataclass(frozen=True)
class Stall(Fault):
    """Send nothing more, and keep the connection open; without a place, nothing at all.

    Args:
        after_tokens: How many tokens of a stream come first; 0 for the head alone.
    """

    name = "stall"

    after_tokens: Annotated[int | None, COUNT] = None

    async def act(self, response: HeldResponse) -> None:
        """Pass the beginning on and wait for the client to give up."""
        await response.until(self.after_tokens)
        await response.client.leaves()


@dataclass(frozen=True)
class Pings(Fault):
    """Send only comments from some place on: bytes flow, content does not.

    Args:
        after_tokens: How many tokens of a stream come first.
        every: Seconds between two comments. A full answer gets white space instead.
    """

    name = "pings"

    after_tokens: Annotated[int, COUNT] = 0
    every: Annotated[float, SECONDS] = 0.05

    async def act(self, response: HeldResponse) -> None:
        """Pass the beginning on and ping until the client gives up."""
        await response.until(self.after_tokens)
        while await response.client.stays(self.every):
            await response.write(b": ping\n\n" if response.is_stream else b" ")


@dataclass(frozen=True)
class Segments(Fault):
    """Answer rightly, in TCP segments so small that they split characters, lines and chunks.

    Args:
        size: How many bytes each has.
    """

    name = "segments"

    size: Annotated[int, SIZE] = 1

    async def act(self, response: HeldResponse) -> None:
        """Pass the response on in small pieces."""
        while message := await response.next():
            response.wire.hold()
            await response.send(message)
            await response.wire.release(self.size)


@dataclass(frozen=True)
class HangUp(Fault):
    """Answer rightly, then close the connection that the client keeps for its next request."""

    name = "hang_up"

    async def act(self, response: HeldResponse) -> None:
        """Pass the response on and hang up unannounced."""
        await response.rest()
        response.wire.cut()
