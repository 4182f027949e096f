"""From a request to its answers: every check in the server's order, then generation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._constraints import Constraint
from ._conversation import Turn, check_roles, prompt_tokens
from ._decoding import Guided, PlainText
from ._dialects import Dialect
from ._errors import Crash, Refusal, UnknownModel
from ._generation import Answer, steps
from ._replies import ReplyFunction, ScriptedReply, next_reply, texts_of
from ._responses import DONE, ResponseWriter, error_event
from ._rules import reply, texts_within
from ._sampling import MOST_LOGPROBS, Sampling
from ._tokens import VOCABULARY

# the server keeps one state of a grammar for all choices, so that they break each other off
# (vllm/model_executor/guided_decoding/outlines_logits_processors.py:129)
_BROKEN_OFF = 3


@dataclass(slots=True)
class Engine:
    """The served model.

    Attributes:
        dialect: The rules of its release.
        models: The names it is served under; the first one stands in every answer.
        max_model_len: The context's length in tokens.
        pace: Seconds that each token takes.
        bytes_per_token: How many bytes of a prompt count as one token.
        replies: What the next requests are answered with; then the rules answer.
        alive: Whether it still generates. As in the server, a `logit_bias` for a token that
            does not exist ends it, and every later request fails.
    """

    dialect: Dialect
    models: Sequence[str]
    max_model_len: int
    pace: float
    bytes_per_token: int = 4
    replies: list[ScriptedReply] | ReplyFunction = field(default_factory=list)
    alive: bool = True

    def prepare(self, request: Any) -> Completion:
        """Check a request in the server's order, and return what will answer it."""
        dialect = self.dialect
        if request.model is not None and request.model not in self.models:
            raise UnknownModel(dialect.unknown_model(request.model, self.models), "model")
        turns = dialect.conversation(request)
        check_roles(turns, self.models[0])
        prompt = prompt_tokens(
            turns,
            add_generation_prompt=bool(request.add_generation_prompt),
            bytes_per_token=self.bytes_per_token,
        )
        sampling = dialect.sampling(request, prompt, self.max_model_len)
        constraint = dialect.constraint(request)
        writer = dialect.writer(request, turns, prompt, self.models[0])
        scripted = next_reply(self.replies, request)
        texts = texts_of(scripted, turns, constraint, writer.tool) if scripted else ()
        decodings = _decodings(constraint, texts, turns, sampling.n)
        end_reason = scripted.finish_reason if scripted else "stop"
        return Completion(self, request, sampling, decodings, writer, end_reason)


def _decodings(
    constraint: Constraint | None, scripted: Sequence[str], turns: Sequence[Turn], choices: int
) -> Sequence[PlainText | Guided]:
    if constraint is None:
        said = [scripted[0] if scripted else reply(turns, choice) for choice in range(choices)]
        return [PlainText(text) for text in said]
    texts = [*scripted, *texts_within(constraint, turns)]
    if constraint.is_grammar and choices > 1:
        return [PlainText(texts[0][: max(1, _BROKEN_OFF - choice)]) for choice in range(choices)]
    return [Guided(constraint.guide, texts) for _ in range(choices)]


@dataclass(frozen=True, slots=True)
class Completion:
    """A request that passed the checks, ready to be answered in full or as a stream."""

    engine: Engine
    request: Any
    sampling: Sampling
    decodings: Sequence[PlainText | Guided]
    writer: ResponseWriter
    end_reason: str  # of an answer that comes to its end

    def full(self) -> Iterator[dict[str, Any] | None]:
        """Yield None for each step, then the body of the full answer."""
        answers = self._begin()
        for _ in steps(answers):
            yield None
        yield self.writer.full(answers)

    def events(self) -> Iterator[list[str]]:
        """Yield the events of each step of a streamed answer."""
        try:
            answers = self._begin()
        except Refusal as refusal:  # the stream is open by now
            yield [error_event(self.engine.dialect.error(refusal)), DONE]
        else:
            include_usage = self.request.include_usage
            yield from self.writer.events(steps(answers), answers, include_usage=include_usage)

    def _begin(self) -> list[Answer]:
        if not self.engine.alive:
            raise Crash("the engine is dead")
        wanted = self.sampling.top_logprobs or 0
        if wanted > MOST_LOGPROBS:
            raise self.engine.dialect.too_many_logprobs(wanted)
        logit_bias = self._logit_bias()
        return [
            Answer(index, decoding, self.sampling, logit_bias, self.end_reason)
            for index, decoding in enumerate(self.decodings)
        ]

    def _logit_bias(self) -> dict[int, float]:
        """Read keys as indices, also from the end (vllm/entrypoints/openai/protocol.py:242)."""
        biases = {}
        for key, bias in self.sampling.logit_bias.items():
            try:
                token = int(key)
            except ValueError as error:
                self.engine.alive = False
                raise Refusal(str(error)) from error
            if not -VOCABULARY <= token < VOCABULARY:
                self.engine.alive = False
                raise Crash(f"there is no token {token}")
            biases[token % VOCABULARY] = bias
        return biases
