"""What a constraint allows after each token: llguidance over the emulator's vocabulary of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ._errors import Crash, NotEmulated, Refusal
from ._tokens import END_OF_TURN, FIRST_SPECIAL, SPECIAL_TOKENS, VOCABULARY

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

_UNSUPPORTED = ("not supported", "Unknown common regex: common.")


class Guide:
    """Follows one answer through a compiled grammar."""

    def __init__(self, matcher: LLMatcher) -> None:
        self._matcher = matcher

    def copy(self) -> Guide:
        """Return a guide of its own at the same place."""
        return Guide(self._matcher.deep_copy())

    def take(self, token: int) -> None:
        """Go on by a token."""
        self._matcher.consume_token(token)

    def allowed(self) -> Sequence[int]:
        """List the tokens that may come next, in the order of their ids."""
        if self._matcher.is_stopped():
            return (END_OF_TURN,)
        return _tokens_in(self._matcher.compute_bitmask())

    def accepts(self, text: bytes) -> bool:
        """Return whether a text may come from here on, and be the end of the answer."""
        matcher = self._matcher.deep_copy()
        return matcher.try_consume_tokens(list(text)) == len(text) and matcher.is_accepting()


@lru_cache(maxsize=1024)  # a grammar allows the same tokens at many places
def _tokens_in(mask: bytes) -> tuple[int, ...]:
    return tuple(token for token in range(VOCABULARY) if mask[token // 8] >> token % 8 & 1)


@lru_cache(maxsize=64)
def compiled(grammar: str) -> Guide:
    """Compile a grammar of llguidance into a guide, to be copied before it takes a token."""
    from llguidance import LLMatcher  # nobody else waits for it

    matcher = LLMatcher(_vocabulary(), LLMatcher.grammar_from_lark(grammar), log_level=0)
    if matcher.is_error():
        reason = matcher.get_error()
        if any(words in reason for words in _UNSUPPORTED):
            raise NotEmulated(f"This emulator cannot compile what the server may: {reason}")
        raise Crash(reason)
    guide = Guide(matcher)
    if list(guide.allowed()) == [END_OF_TURN]:
        raise Refusal("max() arg is an empty sequence")
    return guide


def compiled_schema(schema: str) -> Guide:
    """Compile a JSON schema, with llguidance's options in it, as `compiled` does a grammar."""
    from llguidance import LLMatcher  # as above

    matcher = LLMatcher(_vocabulary(), LLMatcher.grammar_from_json_schema(schema), log_level=0)
    if matcher.is_error():
        reason = matcher.get_error()
        raise NotEmulated(f"This emulator cannot compile what the server may: {reason}")
    return Guide(matcher)


@lru_cache(maxsize=1)
def _vocabulary() -> LLTokenizer:
    from llguidance import LLTokenizer, TokenizerWrapper

    return LLTokenizer(TokenizerWrapper(_Bytes()), slices=[])


class _Bytes:
    """The vocabulary as llguidance takes it: special tokens are written after a byte 255."""

    eos_token_id = END_OF_TURN
    bos_token_id = FIRST_SPECIAL
    tokens = (
        *(bytes([byte]) for byte in range(FIRST_SPECIAL)),
        *(b"\xff" + marker.encode() for marker in SPECIAL_TOKENS),
    )
    special_token_ids = range(FIRST_SPECIAL, VOCABULARY)

    def __call__(self, text: bytes | str) -> list[int]:
        return list(text if isinstance(text, bytes) else text.encode())
