"""Which values vLLM 0.32.0 samples with, and the sentences it refuses the others with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._errors import NotEmulated, Refusal
from ._sampling import GREEDIEST, Sampling, check_min_tokens, require, sampling_with, stop_strings
from ._today_request import TodayRequest
from ._tokens import VOCABULARY

# (field, default, test, sentence, whether the refusal names the field), in the server's order
_RANGES: Sequence[tuple[str, float, Callable[[Any], bool], str, bool]] = (
    ("presence_penalty", 0, lambda value: -2 <= value <= 2, "must be in [-2, 2], got", False),
    ("frequency_penalty", 0, lambda value: -2 <= value <= 2, "must be in [-2, 2], got", False),
    ("repetition_penalty", 1, lambda value: value > 0, "must be greater than zero, got", False),
    ("temperature", 1, lambda value: value >= 0, "must be non-negative, got", True),
    ("temperature", 1, lambda value: value <= 2, "must be in [0, 2], got", True),
    ("top_p", 1, lambda value: 0 < value <= 1, "must be in (0, 1], got", True),
    ("top_k", 0, lambda value: value >= -1, "must be 0 (disable), or at least 1, got", False),
    ("min_p", 0, lambda value: 0 <= value <= 1, "must be in [0, 1], got", False),
)


def sampling_of_today(request: TodayRequest, prompt: int, context: int) -> Sampling:
    """Check a request's values and collect those that matter."""
    if request.prompt_logprobs is not None or request.return_token_ids:
        raise NotEmulated("This emulator tells neither a prompt's log probabilities nor token ids.")
    max_tokens = _room(request, prompt, context)
    n = 1 if request.n is None else request.n
    _check(request, n, max_tokens)
    stop = stop_strings(request.stop)
    heat = 1.0 if request.temperature is None else request.temperature
    if n > 1 and heat < GREEDIEST and not request.use_beam_search:
        raise Refusal(f"n must be 1 when using greedy sampling, got {n}.")
    _check_tokens(request)
    logprobs = (request.top_logprobs or 0) if request.logprobs else None
    if logprobs == -1:
        logprobs = VOCABULARY
    return sampling_with(request, n, max_tokens, stop, logprobs)


def _room(request: TodayRequest, prompt: int, context: int) -> int:
    name = "max_tokens" if request.max_completion_tokens is None else "max_completion_tokens"
    wanted: int | None = getattr(request, name)
    if wanted is not None and wanted > context:
        raise Refusal(
            f"{name}={wanted} cannot be greater than max_model_len={context}. "
            "Please request fewer output tokens.",
            name,
            wanted,
        )
    if prompt > context:  # the server counts no further than one token too many
        raise Refusal(
            f"This model's maximum context length is {context} tokens. However, your prompt "
            f"contains at least {context + 1} input tokens, which exceeds this limit even without "
            "any output tokens. Please reduce the length of the input prompt.",
            "input_tokens",
            context + 1,
        )
    # what does not fit beside the prompt is cut off without a word
    return min(context - prompt, context if wanted is None else wanted)


def _check(request: TodayRequest, n: int, max_tokens: int) -> None:
    require(n >= 1, f"n must be at least 1, got {n}.")
    for field, default, allowed, sentence, names_field in _RANGES:
        value = getattr(request, field)
        if not allowed(default if value is None else value):
            place = (field, value) if names_field else ()
            raise Refusal(f"{field} {sentence} {value}.", *place)
    if max_tokens < 1:
        raise Refusal(f"max_tokens must be at least 1, got {max_tokens}.", "max_tokens", max_tokens)
    check_min_tokens(request.min_tokens, max_tokens)


def _check_tokens(request: TodayRequest) -> None:
    """Refuse tokens that do not exist; in the server of 0.5 one of `logit_bias` ends the engine."""
    for name in ("logit_bias", "stop_token_ids"):
        unknown = [key for key in map(int, getattr(request, name) or ()) if not _is_token(key)]
        if unknown:
            raise Refusal(
                f"token_id(s) {unknown} in {name} contain out-of-vocab token ids. Vocabulary "
                f"size: {VOCABULARY}",
                name,
                unknown,
            )
    name, wanted = "allowed_token_ids", request.allowed_token_ids or ()
    if not all(map(_is_token, wanted)):
        raise Refusal("allowed_token_ids contains out-of-vocab token id!", name, wanted)


def _is_token(token: int) -> bool:
    return 0 <= token < VOCABULARY
