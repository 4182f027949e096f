"""What decides the next token of an answer, and the one place where constraints plug in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from ._brain import reply
from ._errors import Crash, NotEmulated, Refusal
from ._messages import Turn
from ._request import ChatCompletionNamedToolChoiceParam, ChatCompletionRequest
from ._tokens import END_OF_TURN

_BACKENDS = ("outlines", "lm-format-enforcer")
_FILLER = b" and so on"


class Decoding(Protocol):
    """Decides the tokens of one answer, one after the other."""

    def prefer(self, produced: Sequence[int]) -> Sequence[int]:
        """Rank the tokens that may come next.

        Args:
            produced: The answer's tokens so far.

        Returns:
            Token ids, best first. Any other token is less likely than the last of them.
        """


class PlainText:
    """Spells a text out, then ends the turn.

    Where the end is put off (`min_tokens`) or a token is forbidden (`logit_bias`), filler
    stands in, and the text goes on at its place.

    Args:
        text: What to say.
    """

    def __init__(self, text: str) -> None:
        self._bytes = text.encode()

    def prefer(self, produced: Sequence[int]) -> Sequence[int]:
        """Rank the next byte of the text, or its end, before a byte of filler.

        Args:
            produced: The answer's tokens so far.

        Returns:
            Two token ids.
        """
        place = len(produced)
        wanted = self._bytes[place] if place < len(self._bytes) else END_OF_TURN
        return (wanted, _FILLER[place % len(_FILLER)])


def decoding_for(request: ChatCompletionRequest, turns: Sequence[Turn], choice: int) -> Decoding:
    """Choose how one answer is decoded.

    Constrained answers plug in here: a named tool, `guided_*` and `response_format` will each
    be a `Decoding` that ranks the brain's tokens and leaves out those the constraint forbids.

    Args:
        request: The request.
        turns: The conversation.
        choice: Which of the request's choices the answer is for.

    Returns:
        The decoding.
    """
    check_constraints(request)
    return PlainText(reply(turns, choice))


def check_constraints(request: ChatCompletionRequest) -> None:
    """Refuse the constraints that the server refuses, and those that are not emulated.

    Args:
        request: The request.

    Raises:
        Refusal: For an unknown backend, or a named tool that is not among the tools.
        Crash: For a regular expression that does not compile.
        NotEmulated: For any other constraint. What the server ignores is ignored: empty ones.
    """
    _check_named_tool(request)
    backend = request.guided_decoding_backend or _BACKENDS[0]
    if backend not in _BACKENDS:
        raise Refusal(
            f"Unknown guided decoding backend '{backend}'. "
            "Must be one of 'outlines, 'lm-format-enforcer'"
        )
    if request.guided_regex:
        try:
            re.compile(request.guided_regex)
        except re.error as error:
            raise Crash("guided_regex does not compile") from error
    constraint = _constraint(request)
    if constraint:
        raise NotEmulated(f"This emulator does no guided decoding yet, so it refuses {constraint}.")


def _check_named_tool(request: ChatCompletionRequest) -> None:
    if isinstance(request.tool_choice, ChatCompletionNamedToolChoiceParam):
        name = request.tool_choice.function.name
        if name not in {tool.function.name for tool in request.tools or ()}:
            raise Refusal(f"Tool '{name}' has not been passed in `tools`.")


def _constraint(request: ChatCompletionRequest) -> str | None:
    if isinstance(request.tool_choice, ChatCompletionNamedToolChoiceParam):
        return "a named tool_choice"
    for field in ("guided_json", "guided_regex", "guided_choice", "guided_grammar"):
        if getattr(request, field):
            return field
    if request.response_format and request.response_format.type == "json_object":
        return 'response_format of type "json_object"'
    return None
