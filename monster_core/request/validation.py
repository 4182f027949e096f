"""Check request fields one by one and together, and refuse what the server would refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import ConfigDict, ValidationError

from monster_core.errors import InvalidRequestError
from monster_core.name_suggestions import unknown_argument
from monster_core.request.fields import CallParameters
from monster_core.server_profiles import ServerProfile, server_profile

__all__ = [
    "CALL_OPTIONS",
    "GUIDES",
    "OUTPUT_CONSTRAINTS",
    "check_combinations",
    "describe",
    "merge_parameters",
    "validate_parameters",
]

CALL_OPTIONS = ("timeout", "extra_headers")
"""Arguments of a call that are not request fields: how it is sent, not what it asks."""

GUIDES = {
    "guided_json": "json",
    "guided_regex": "regex",
    "guided_choice": "choice",
    "guided_grammar": "grammar",
}
"""The fields that guide the text, and the keys of ``structured_outputs`` that mean the same."""

OUTPUT_CONSTRAINTS = frozenset({*GUIDES, "response_format"})
"""The fields that constrain the text of the response."""

_FIELDS = frozenset(CallParameters.model_fields)
_DOCUMENTED = server_profile(None)


def validate_parameters(
    values: Mapping[str, Any],
    *,
    server: str | None = None,
    also: Iterable[str] = (),
    beside: Iterable[str] = (),
) -> dict[str, Any]:
    """Check request fields one by one.

    Args:
        values: Fields by name; None means "not sent".
        server: The server, if the values name none: it may know fields that are not checked here.
        also: Names that the model's constructor takes.
        beside: Names of arguments that the method takes besides; a misspelt name may mean one.

    Returns:
        The fields in the form that is sent, without those that are None.

    Raises:
        InvalidRequestError: A name is unknown, or a value is of the wrong type or out of range.
    """
    if not values.keys() <= _FIELDS:
        further = server_profile(values.get("server") or server).further_fields
        for name in values:
            if name not in _FIELDS and name not in further:
                known = {*_FIELDS, *CALL_OPTIONS, *beside}
                raise InvalidRequestError(unknown_argument(name, known, of_the_model=also))
    try:
        checked = _validating_model()(**values)
    except ValidationError as error:
        raise InvalidRequestError(describe(error)) from None
    fields = {**values, **checked.__dict__}
    return {name: fields[name] for name in values if fields[name] is not None}


def merge_parameters(
    prepared: Mapping[str, Any],
    call: Mapping[str, Any],
    *,
    server: str | None = None,
    also: Iterable[str] = (),
) -> dict[str, Any]:
    """Lay the arguments of one call over those of the instance; the call's win.

    A call that constrains the response drops the constraint of the instance.

    Args:
        prepared: The instance's fields, already validated.
        call: The call's arguments; None takes a field of the instance back.
        server: As in :func:`validate_parameters`.
        also: As in :func:`validate_parameters`.

    Returns:
        The fields to send.

    Raises:
        InvalidRequestError: As in :func:`validate_parameters`.
    """
    replaced = set(call)
    if not OUTPUT_CONSTRAINTS.isdisjoint(call):
        replaced |= OUTPUT_CONSTRAINTS
    merged = {name: value for name, value in prepared.items() if name not in replaced}
    merged.update(validate_parameters(call, server=server, also=also))
    return merged


def check_combinations(
    fields: dict[str, Any], *, stream: bool, server: ServerProfile = _DOCUMENTED
) -> None:
    """Refuse fields and combinations that the server refuses, ignores or answers with nonsense.

    Args:
        fields: The fields to send; ``top_logprobs`` adds ``logprobs``, which it needs.
        stream: Whether the response is streamed.
        server: The server's profile.

    Raises:
        InvalidRequestError: The combination cannot work; the message says what to change.
    """
    if server.refused_fields:
        _check_refused(fields, server)
    if "top_logprobs" in fields and not fields.setdefault("logprobs", True):
        raise InvalidRequestError("top_logprobs needs logprobs: leave out logprobs=False.")
    if not GUIDES.keys().isdisjoint(fields):
        _check_guides(fields)
    if fields.keys() & _SEVERAL_CHOICES:
        _check_several_choices(fields, stream, server)
    if fields.get("min_tokens", 0) > fields.get("max_tokens", _NO_LIMIT_TOKENS):
        raise InvalidRequestError(
            f"min_tokens {fields['min_tokens']} is more than max_tokens {fields['max_tokens']}."
        )
    if stream and fields.get("echo"):
        raise InvalidRequestError("echo does not work in a stream: call without streaming.")
    if not stream and "stream_options" in fields:
        raise InvalidRequestError("stream_options is for streams only: leave it out of a call.")


def describe(error: ValidationError) -> str:
    """Say what is wrong in one sentence per field, without the value.

    Args:
        error: What pydantic found.
    """
    problems: dict[str, list[str]] = {}
    for found in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(found["loc"][0]) if found["loc"] else "arguments"
        message = found["msg"].removeprefix("Value error, ").rstrip(".")
        problems.setdefault(name, []).append(message.replace("Input should", "it should"))
    return " ".join(
        f"The argument {name!r} is not usable: {' or '.join(dict.fromkeys(messages))}."
        for name, messages in problems.items()
    )


@cache
def _validating_model() -> type[CallParameters]:
    """Return a class that validates; building its validator at import would take 3 ms.

    Threads that are here first at the same time build one each, all of them whole. pydantic's own
    ``defer_build`` lets such threads meet a class that is half built.
    """

    class Validating(CallParameters):
        model_config = ConfigDict(defer_build=False)

    return Validating


_SEVERAL_CHOICES = {"n", "best_of", "use_beam_search", "length_penalty", "early_stopping"}
_NO_LIMIT_TOKENS = 2**63


def _check_refused(fields: Iterable[str], server: ServerProfile) -> None:
    for name in fields:
        reason = server.refused_fields.get(name)
        if reason is not None:
            raise InvalidRequestError(
                f"{name} cannot be used with server={server.name!r}: {reason}"
            )


def _check_guides(fields: Mapping[str, Any]) -> None:
    guides = [name for name in GUIDES if name in fields]
    if len(guides) > 1:
        raise InvalidRequestError(f"Only one of {', '.join(guides)} can guide an answer.")
    choice = fields.get("tool_choice", "none")
    if isinstance(choice, dict):
        raise InvalidRequestError(
            f"{guides[0]} cannot be combined with a named tool_choice, which would replace it."
        )
    if choice != "none":
        raise InvalidRequestError(
            f"{guides[0]} cannot be combined with a tool_choice of {choice!r}."
        )


def _check_several_choices(fields: Mapping[str, Any], stream: bool, server: ServerProfile) -> None:
    n, best_of, beam = fields.get("n", 1), fields.get("best_of"), fields.get("use_beam_search")
    candidates = n if best_of is None else best_of
    if stream and n > 1:
        raise InvalidRequestError(
            f"n={n} cannot be streamed, the answers would run into each other: "
            "call without streaming, or ask several times."
        )
    if candidates > 1 and server.shares_grammar:
        _check_grammars(fields)
    if candidates < n:
        raise InvalidRequestError(f"best_of {best_of} is less than n {n}: it must be at least n.")
    if beam:
        _check_beam_search(fields, candidates, server)
        return
    if fields.get("temperature") == 0 and candidates > 1:
        raise InvalidRequestError(
            f"temperature=0 gives one answer only: raise temperature, or leave out "
            f"{' and '.join(_counts(server))} (or add use_beam_search=True)."
        )
    for name, server_default in (("length_penalty", 1), ("early_stopping", False)):
        if fields.get(name, server_default) != server_default:
            raise InvalidRequestError(f"{name} is for beam search only: add use_beam_search=True.")


def _check_grammars(fields: Mapping[str, Any]) -> None:
    """Refuse what stops the server: the choices of one response share the place in a grammar."""
    for name, is_grammar in (
        ("guided_grammar", "guided_grammar" in fields),
        ("response_format json_object", fields.get("response_format") == {"type": "json_object"}),
    ):
        if is_grammar:
            raise InvalidRequestError(
                f"{name} works for one answer at a time: leave out n and best_of, or ask several "
                "times."
            )


def _check_beam_search(fields: Mapping[str, Any], candidates: int, server: ServerProfile) -> None:
    if fields.get("temperature") != 0 or candidates < 2:
        raise InvalidRequestError(
            f"use_beam_search needs temperature=0 and {_counts(server)[-1]} of at least 2."
        )
    for name, server_default in (("top_p", 1), ("top_k", -1)):
        if fields.get(name, server_default) != server_default:
            raise InvalidRequestError(f"use_beam_search needs {name} unset or {server_default}.")


def _counts(server: ServerProfile) -> list[str]:
    """Return the fields that say how many answers are drawn."""
    return [name for name in ("n", "best_of") if name not in server.refused_fields]
