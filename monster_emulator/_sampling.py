"""Which values the server samples with, and the sentences it refuses the others with.

The ranges are those of vllm/sampling_params.py:199.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ._errors import Crash, Refusal
from ._request import ChatCompletionRequest

MOST_LOGPROBS = 20
GREEDIEST = 1e-5

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Sampling:
    """The values of one request that decide how its answers are generated."""

    n: int
    max_tokens: int
    min_tokens: int
    stop: tuple[str, ...]
    stop_token_ids: frozenset[int]
    include_stop_str_in_output: bool
    ignore_eos: bool
    skip_special_tokens: bool
    top_logprobs: int | None
    logit_bias: Mapping[str, float]

    @property
    def held_back(self) -> int:
        """How many characters wait until it is clear that they begin no stop string."""
        if self.include_stop_str_in_output or not self.stop:
            return 0
        return max(map(len, self.stop)) - 1


def sampling_of(request: ChatCompletionRequest, prompt: int, context: int) -> Sampling:
    """Check a request's values and collect those that matter."""
    max_tokens = _room(request.max_tokens, prompt, context)
    _check_ranges(request, max_tokens)
    stop = stop_strings(request.stop)
    _check_search(request)
    logprobs = request.top_logprobs if request.logprobs else None
    return sampling_with(request, _number(request.n), max_tokens, stop, logprobs)


def stop_strings(stop: str | list[str] | None) -> tuple[str, ...]:
    """Return the stop strings of a request, none of which may be empty."""
    strings = (stop,) if isinstance(stop, str) else tuple(stop or ())
    require(all(strings), "stop cannot contain an empty string.")
    return strings


def check_min_tokens(min_tokens: int, max_tokens: int) -> None:
    """Refuse fewer tokens than none, and more than an answer may have."""
    require(min_tokens >= 0, f"min_tokens must be greater than or equal to 0, got {min_tokens}.")
    require(
        min_tokens <= max_tokens,
        f"min_tokens must be less than or equal to max_tokens={max_tokens}, got {min_tokens}.",
    )


def sampling_with(
    request: Any, n: int, max_tokens: int, stop: tuple[str, ...], top_logprobs: int | None
) -> Sampling:
    """Collect the checked values of a request; the others have the same names in both releases."""
    return Sampling(
        n=n,
        max_tokens=max_tokens,
        min_tokens=request.min_tokens,
        stop=stop,
        stop_token_ids=frozenset(request.stop_token_ids or ()),
        include_stop_str_in_output=bool(request.include_stop_str_in_output),
        ignore_eos=bool(request.ignore_eos),
        skip_special_tokens=bool(request.skip_special_tokens),
        top_logprobs=top_logprobs,
        logit_bias=request.logit_bias or {},
    )


def _room(max_tokens: int | None, prompt: int, context: int) -> int:
    """Return how long the answer may be (vllm/entrypoints/openai/serving_engine.py:177)."""
    sentence = f"This model's maximum context length is {context} tokens. However, you requested"
    if max_tokens is None:
        if prompt >= context:
            raise Refusal(
                f"{sentence} {prompt} tokens in the messages, "
                "Please reduce the length of the messages."
            )
        return context - prompt
    if prompt + max_tokens > context:
        raise Refusal(
            f"{sentence} {prompt + max_tokens} tokens ({prompt} in the messages, {max_tokens} in "
            "the completion). Please reduce the length of the messages or completion."
        )
    return max_tokens


def _number(value: Number | None) -> Number:
    if value is None:
        raise Crash("a null cannot be compared")
    return value


# (field, test, sentence), in the order of vLLM 0.5.0's SamplingParams
_RANGES: Sequence[tuple[str, Callable[[Any], bool], str]] = (
    ("presence_penalty", lambda value: -2 <= value <= 2, "must be in [-2, 2], got"),
    ("frequency_penalty", lambda value: -2 <= value <= 2, "must be in [-2, 2], got"),
    ("repetition_penalty", lambda value: 0 < value <= 2, "must be in (0, 2], got"),
    ("temperature", lambda value: not value < 0, "must be non-negative, got"),
    ("top_p", lambda value: 0 < value <= 1, "must be in (0, 1], got"),
    (
        "top_k",
        lambda value: value == -1 or value >= 1,
        "must be -1 (disable), or at least 1, got",
    ),
    ("min_p", lambda value: 0 <= value <= 1, "must be in [0, 1], got"),
)


def _check_ranges(request: ChatCompletionRequest, max_tokens: int) -> None:
    n = _number(request.n)
    best_of = n if request.best_of is None else request.best_of
    require(n >= 1, f"n must be at least 1, got {n}.")
    require(
        best_of >= n,
        f"best_of must be greater than or equal to n, got n={n} and best_of={best_of}.",
    )
    for field, allowed, sentence in _RANGES:
        value = _number(getattr(request, field))
        require(allowed(value), f"{field} {sentence} {value}.")
    require(max_tokens >= 1, f"max_tokens must be at least 1, got {max_tokens}.")
    check_min_tokens(_number(request.min_tokens), max_tokens)


def _check_search(request: ChatCompletionRequest) -> None:
    best_of = _number(request.n) if request.best_of is None else request.best_of
    greedy = _number(request.temperature) < GREEDIEST
    if request.use_beam_search:
        _check_beam_search(request, best_of)
        return
    require(
        request.early_stopping is False,
        "early_stopping is not effective and must be False when not using beam search.",
    )
    require(
        abs(_number(request.length_penalty) - 1) <= GREEDIEST,
        "length_penalty is not effective and must be the default value of 1.0 "
        "when not using beam search.",
    )
    if greedy:
        require(best_of == 1, f"best_of must be 1 when using greedy sampling.Got {best_of}.")


def _check_beam_search(request: ChatCompletionRequest, best_of: int) -> None:
    require(best_of != 1, f"best_of must be greater than 1 when using beam search. Got {best_of}.")
    require(
        _number(request.temperature) <= GREEDIEST, "temperature must be 0 when using beam search."
    )
    require(_number(request.top_p) >= 1 - GREEDIEST, "top_p must be 1 when using beam search.")
    require(request.top_k == -1, "top_k must be -1 when using beam search.")
    require(
        request.early_stopping is not None,
        "early_stopping must be True, False, or 'never', got None.",
    )


def require(holds: bool, sentence: str) -> None:
    """Refuse a request in these words unless a condition holds."""
    if not holds:
        raise Refusal(sentence)
