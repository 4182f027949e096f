"""The releases whose rules the emulator knows: what differs between them, side by side.

Where a rule of this package names a line, it is one of vLLM 0.5.0.post1 or of outlines 0.0.44.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from ._constraints import Constraint, constraint_of
from ._conversation import Turn
from ._errors import Refusal
from ._request import ChatCompletionRequest, conversation_of_0_5, parse
from ._responses import ResponseWriter, flat_error
from ._sampling import MOST_LOGPROBS, Sampling, sampling_of_0_5, sampling_of_today
from ._today_constraints import constraint_of_today
from ._today_request import TodayRequest, conversation_of_today, parse_today, refusal_of
from ._today_responses import TodayResponseWriter


@dataclass(frozen=True, slots=True)
class Dialect:
    """The rules of one release, each a step on a request's way to its answer.

    Attributes:
        version: The release.
        request: The request model.
        parse: Reads a request from a parsed body.
        conversation: Reduces it to the turns that the model sees.
        sampling: Checks its values, for a prompt and a context of so many tokens.
        constraint: Compiles its constraint.
        writer: Makes what writes the answers.
        unknown_model: Says that a model is not one of those that are served.
        too_many_logprobs: Refuses a number of log probabilities.
        unreadable: Refuses a body, of which pydantic would give such a detail.
        reads_any_type: Whether a body is read as JSON whatever it is declared to be.
        error: Builds the body of a refusal.
        nests_errors: Whether that body stands under the key `error`.
    """

    version: str
    request: type[BaseModel]
    parse: Callable[[Any], Any]
    conversation: Callable[[Any], list[Turn]]
    sampling: Callable[[Any, int, int], Sampling]
    constraint: Callable[[Any], Constraint | None]
    writer: Callable[[Any, Sequence[Turn], int, str], ResponseWriter]
    unknown_model: Callable[[str, Sequence[str]], str]
    too_many_logprobs: Callable[[int], Refusal]
    unreadable: Callable[[dict[str, Any]], Refusal]
    reads_any_type: bool
    error: Callable[[Refusal], dict[str, Any]]
    nests_errors: bool

    def error_body(self, refusal: Refusal) -> dict[str, Any]:
        """Build the whole body of a refusal."""
        error = self.error(refusal)
        return {"error": error} if self.nests_errors else error


def _nested_error(refusal: Refusal) -> dict[str, Any]:
    details = [] if refusal.param is None else [f"parameter={refusal.param}"]
    if refusal.value is not None:
        details.append(f"value={refusal.value}")
    suffix = f" ({', '.join(details)})" if details and refusal.type == Refusal.type else ""
    return {
        "message": refusal.message + suffix,
        "type": refusal.type,
        "param": refusal.param,
        "code": refusal.status,
    }


DIALECTS = {
    "vllm-0.5": Dialect(
        version="0.5.0.post1",
        request=ChatCompletionRequest,
        parse=parse,
        conversation=conversation_of_0_5,
        sampling=sampling_of_0_5,
        constraint=constraint_of,
        writer=ResponseWriter,
        # vllm/entrypoints/openai/serving_engine.py:101
        unknown_model=lambda name, _: f"The model `{name}` does not exist.",
        # vllm/engine/llm_engine.py:572
        too_many_logprobs=lambda _: Refusal(f"Cannot request more than {MOST_LOGPROBS} logprobs."),
        unreadable=lambda detail: Refusal(str([detail])),
        reads_any_type=False,
        error=flat_error,
        nests_errors=False,
    ),
    "vllm": Dialect(
        version="0.32.0",
        request=TodayRequest,
        parse=parse_today,
        conversation=conversation_of_today,
        sampling=sampling_of_today,
        constraint=constraint_of_today,
        writer=TodayResponseWriter,
        unknown_model=lambda name, names: (
            f"The model `{name}` does not exist. Valid aliases: {', '.join(names)}."
        ),
        too_many_logprobs=lambda number: Refusal(
            f"Requested sample logprobs of {number}, which is greater than max allowed: "
            f"{MOST_LOGPROBS}",
            "logprobs",
            number,
        ),
        unreadable=lambda detail: refusal_of([detail]),
        reads_any_type=True,
        error=_nested_error,
        nests_errors=True,
    ),
}


def dialect_named(name: str) -> Dialect:
    """Return a release's rules."""
    if name not in DIALECTS:
        known = " or ".join(repr(known) for known in DIALECTS)
        raise ValueError(f"server cannot be {name!r}: the emulator speaks {known}.")
    return DIALECTS[name]
