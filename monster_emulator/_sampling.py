"""Which values each release samples with, and the sentences it refuses the others with.

The ranges of 0.5.0 are those of vllm/sampling_params.py:199.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from ._errors import Crash, NotEmulated, Refusal
from ._request import ChatCompletionRequest
from ._today_request import TodayRequest
from ._tokens import VOCABULARY

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


class _Range(NamedTuple):
    """What a field may be, and how another value is refused."""

    field: str
    allows: Callable[[float], bool]
    sentence: str
    is_named: bool = False  # whether today's refusal names the field apart from the sentence


_PRESENCE = _Range("presence_penalty", lambda v: -2 <= v <= 2, "must be in [-2, 2]")
_FREQUENCY = _Range("frequency_penalty", lambda v: -2 <= v <= 2, "must be in [-2, 2]")
_NOT_COLD = _Range("temperature", lambda v: not v < 0, "must be non-negative", is_named=True)
_TOP_P = _Range("top_p", lambda v: 0 < v <= 1, "must be in (0, 1]", is_named=True)
_MIN_P = _Range("min_p", lambda v: 0 <= v <= 1, "must be in [0, 1]")

# each in its server's order
_RANGES_OF_0_5 = (
    *(_PRESENCE, _FREQUENCY),
    _Range("repetition_penalty", lambda v: 0 < v <= 2, "must be in (0, 2]"),
    *(_NOT_COLD, _TOP_P),
    _Range("top_k", lambda v: v == -1 or v >= 1, "must be -1 (disable), or at least 1"),
    _MIN_P,
)
_RANGES_OF_TODAY = (
    *(_PRESENCE, _FREQUENCY),
    _Range("repetition_penalty", lambda v: v > 0, "must be greater than zero"),
    _NOT_COLD,
    _Range("temperature", lambda v: v <= 2, "must be in [0, 2]", is_named=True),
    _TOP_P,
    _Range("top_k", lambda v: v >= -1, "must be 0 (disable), or at least 1"),
    _MIN_P,
)


def sampling_of_0_5(request: ChatCompletionRequest, prompt: int, context: int) -> Sampling:
    """Check a request's values and collect those that matter."""
    max_tokens = _room_of_0_5(request.max_tokens, prompt, context)
    n = _number(request.n)
    best_of = n if request.best_of is None else request.best_of
    _require(n >= 1, f"n must be at least 1, got {n}.")
    _require(
        best_of >= n,
        f"best_of must be greater than or equal to n, got n={n} and best_of={best_of}.",
    )
    for one in _RANGES_OF_0_5:
        _number(getattr(request, one.field))
        _check_range(request, one)
    _require(max_tokens >= 1, f"max_tokens must be at least 1, got {max_tokens}.")
    _check_min_tokens(_number(request.min_tokens), max_tokens)
    stop = _stop_strings(request.stop)
    _check_search(request, best_of)
    logprobs = request.top_logprobs if request.logprobs else None
    return _sampling(request, n, max_tokens, stop, logprobs)


def sampling_of_today(request: TodayRequest, prompt: int, context: int) -> Sampling:
    """Check a request's values and collect those that matter."""
    if request.prompt_logprobs is not None or request.return_token_ids:
        raise NotEmulated("This emulator tells neither a prompt's log probabilities nor token ids.")
    max_tokens = _room_of_today(request, prompt, context)
    n = 1 if request.n is None else request.n
    _require(n >= 1, f"n must be at least 1, got {n}.")
    for one in _RANGES_OF_TODAY:
        _check_range(request, one)
    if max_tokens < 1:
        raise Refusal(f"max_tokens must be at least 1, got {max_tokens}.", "max_tokens", max_tokens)
    _check_min_tokens(request.min_tokens, max_tokens)
    stop = _stop_strings(request.stop)
    temperature = 1.0 if request.temperature is None else request.temperature
    if n > 1 and temperature < GREEDIEST and not request.use_beam_search:
        raise Refusal(f"n must be 1 when using greedy sampling, got {n}.")
    _check_tokens(request)
    logprobs = (request.top_logprobs or 0) if request.logprobs else None
    return _sampling(request, n, max_tokens, stop, VOCABULARY if logprobs == -1 else logprobs)


def _sampling(
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


def _check_range(request: Any, one: _Range) -> None:
    value = getattr(request, one.field)
    if value is not None and not one.allows(value):
        place = (one.field, value) if one.is_named else ()
        raise Refusal(f"{one.field} {one.sentence}, got {value}.", *place)


def _check_min_tokens(min_tokens: int, max_tokens: int) -> None:
    _require(min_tokens >= 0, f"min_tokens must be greater than or equal to 0, got {min_tokens}.")
    _require(
        min_tokens <= max_tokens,
        f"min_tokens must be less than or equal to max_tokens={max_tokens}, got {min_tokens}.",
    )


def _stop_strings(stop: str | list[str] | None) -> tuple[str, ...]:
    strings = (stop,) if isinstance(stop, str) else tuple(stop or ())
    _require(all(strings), "stop cannot contain an empty string.")
    return strings


def _room_of_0_5(max_tokens: int | None, prompt: int, context: int) -> int:
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


def _room_of_today(request: TodayRequest, prompt: int, context: int) -> int:
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


def _check_search(request: ChatCompletionRequest, best_of: int) -> None:
    temperature, top_p = _number(request.temperature), _number(request.top_p)
    if request.use_beam_search:
        _require(
            best_of != 1, f"best_of must be greater than 1 when using beam search. Got {best_of}."
        )
        _require(temperature <= GREEDIEST, "temperature must be 0 when using beam search.")
        _require(top_p >= 1 - GREEDIEST, "top_p must be 1 when using beam search.")
        _require(request.top_k == -1, "top_k must be -1 when using beam search.")
        _require(
            request.early_stopping is not None,
            "early_stopping must be True, False, or 'never', got None.",
        )
        return
    _require(
        request.early_stopping is False,
        "early_stopping is not effective and must be False when not using beam search.",
    )
    _require(
        abs(_number(request.length_penalty) - 1) <= GREEDIEST,
        "length_penalty is not effective and must be the default value of 1.0 "
        "when not using beam search.",
    )
    if temperature < GREEDIEST:
        _require(best_of == 1, f"best_of must be 1 when using greedy sampling.Got {best_of}.")


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


def _number(value: Number | None) -> Number:
    if value is None:
        raise Crash("a null cannot be compared")
    return value


def _require(holds: bool, sentence: str) -> None:
    """Refuse a request in these words unless a condition holds."""
    if not holds:
        raise Refusal(sentence)
