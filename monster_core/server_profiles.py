"""What each release of a server accepts, as data that a user can extend.

The argument ``server`` names a profile. Whatever decides about a request asks the profile, and
nothing else: which fields there are, under which names a guide is sent, which tool choices the
server takes, and which compiler it has for schemas. :func:`register_server_profile` adds profiles.

The facts come from vLLM's own request models (``ChatCompletionRequest`` in the ``protocol.py`` of
each release). Those of 0.5.0 and 0.32.0 were measured, too; docs/servers.md says which is which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from monster_core.errors import InvalidRequestError
from monster_core.name_suggestions import unknown_name

__all__ = [
    "DEFAULT_SERVER",
    "SERVER_PROFILES",
    "GuideForm",
    "SchemaEngineName",
    "ServerProfile",
    "ToolChoiceKind",
    "name_of_release",
    "profile_of_release",
    "register_server_profile",
    "server_profile",
]

GuideForm = Literal["guided", "structured_outputs", "response_format"]
"""How a guide is sent: in ``guided_json`` and its like, ``structured_outputs``, or OpenAI's way."""

ToolChoiceKind = Literal["named", "any", "auto"]
"""A choice that forces one tool, that forces any of them ("required"), or that leaves it open."""

SchemaEngineName = Literal["outlines", "lm-format-enforcer", "xgrammar"]
"""The engines of :mod:`monster_core.json_schema.engines`, by their names."""


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """What a server accepts, and what it does with it.

    Args:
        name: The name for the argument ``server``.
        guide_form: How a guide is sent: "guided" (``guided_json``, ``guided_regex``,
            ``guided_choice``, ``guided_grammar``), "structured_outputs" (one field with these in
            it) or "response_format" (OpenAI's ``json_schema``: schemas only).
        native_choices: The tool choices that the server takes: "named", "any" (which it calls
            "required") and "auto".
        renders_tools: Whether ``tools``, ``tool_calls`` and messages of the role tool reach the
            chat template. Otherwise they are put into words.
        needs_strict: Whether arguments are held to their schema only where the function has
            ``"strict": true``.
        schema_engines: What may hold an answer to a schema there, the one that it uses by itself
            first: "outlines", "lm-format-enforcer" or "xgrammar". A further one is asked for in
            ``guided_decoding_backend``.
        shares_grammar: Whether the choices of one response share their place in a grammar, which
            stops the server.
        further_fields: Request fields beyond those that this package checks; they may be given
            with a call, and are sent as they are.
        refused_fields: Fields that have no effect there, each with a sentence that says why; a
            request that sets one is refused.
    """

    name: str
    guide_form: GuideForm = "guided"
    native_choices: frozenset[ToolChoiceKind] = frozenset({"named"})
    renders_tools: bool = False
    needs_strict: bool = False
    schema_engines: tuple[SchemaEngineName, ...] = ("outlines",)
    shares_grammar: bool = True
    further_fields: frozenset[str] = frozenset()
    refused_fields: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"A server profile's name is a text, not {self.name!r}.")
        _check_words("guide_form", [self.guide_form], get_args(GuideForm))
        _check_words("native_choices", self.native_choices, get_args(ToolChoiceKind))
        _check_words("schema_engines", self.schema_engines, get_args(SchemaEngineName))
        # any collections are taken, and what a profile decides is kept by its hash
        object.__setattr__(self, "native_choices", frozenset(self.native_choices))
        object.__setattr__(self, "schema_engines", tuple(self.schema_engines))
        object.__setattr__(self, "further_fields", frozenset(self.further_fields))


def _check_words(argument: str, given: Iterable[str], known: Iterable[str]) -> None:
    for word in given:
        if word not in known:
            raise ValueError(f"{argument} cannot be {word!r}: use one of {', '.join(known)}.")


def register_server_profile(profile: ServerProfile) -> None:
    """Add a server profile, or replace the one of the same name, for this process.

    Args:
        profile: The profile.

    Example:
        .. code-block:: python

            from dataclasses import replace

            from monster_core import register_server_profile, server_profile

            today = server_profile("vllm")
            register_server_profile(replace(today, name="ours", native_choices=frozenset()))
    """
    SERVER_PROFILES[profile.name] = profile


def server_profile(name: str | None) -> ServerProfile:
    """Return the profile of a server.

    Args:
        name: A profile's name, or "vllm-" and a release, such as "vllm-0.9" or "vllm-0.7.2"; None
            for the default.

    Raises:
        InvalidRequestError: There is no such profile.
    """
    if name is None:
        return SERVER_PROFILES[DEFAULT_SERVER]
    if not isinstance(name, str):
        raise InvalidRequestError(f"server is a text such as 'vllm-0.5', not {name!r:.100}.")
    known = SERVER_PROFILES.get(name)
    if known is None:
        found = _RELEASE_NAME.fullmatch(name)
        known = profile_of_release(found[1]) if found else None
    if known is None:
        raise InvalidRequestError(
            f"{unknown_name('server', name, SERVER_PROFILES)} Known are "
            f"{', '.join(SERVER_PROFILES)}, and any other release of vLLM from 0.5 on, such as "
            "vllm-0.9 or vllm-0.7.2; register_server_profile adds one."
        )
    return known


def name_of_release(version: str) -> str | None:
    """Return the name of a release for the argument ``server``; None if it has no profile.

    Args:
        version: The version as the server writes it, such as "0.6.3.post1" or "0.11.1rc2".
    """
    found = _VERSION.match(version)
    return f"vllm-{found[0]}" if found and profile_of_release(version) else None


def profile_of_release(version: str) -> ServerProfile | None:
    """Return the profile of a release of vLLM; None for one that has no profile.

    Args:
        version: The version, as in :func:`name_of_release`.
    """
    found = _VERSION.match(version)
    if found is None:
        return None
    release = tuple(int(number or 0) for number in found.groups())
    fitting = [profile for first, profile in _RELEASES if first <= release]
    return SERVER_PROFILES[fitting[-1].name] if fitting else None


_RELEASE_NAME = re.compile(r"vllm-(\d{1,2}\.\d{1,4}(?:\.\d{1,4})?)")
_VERSION = re.compile(r"(\d{1,2})\.(\d{1,4})(?:\.(\d{1,4}))?")

_FURTHER_0_6 = frozenset(
    {
        "chat_template",
        "chat_template_kwargs",
        "documents",
        "prompt_logprobs",
        "truncate_prompt_tokens",
    }
)
_FURTHER_0_10 = _FURTHER_0_6 | {
    "allowed_token_ids",
    "bad_words",
    "cache_salt",
    "continue_final_message",
    "include_reasoning",
    "kv_transfer_params",
    "logits_processors",
    "mm_processor_kwargs",
    "priority",
    "reasoning_effort",
    "request_id",
    "return_tokens_as_token_ids",
    "structural_tag",
    "vllm_xargs",
}
_FURTHER_TODAY = (_FURTHER_0_10 - {"logits_processors", "structural_tag"}) | {
    "ec_transfer_params",
    "logprob_token_ids",
    "media_io_kwargs",
    "repetition_detection",
    "return_prompt_text",
    "return_token_ids",
    "return_token_offsets",
    "session_id",
    "stream_interval",
    "thinking_token_budget",
    "truncation_side",
    "watermarking",
}
_NO_BEST_OF = "the server ignores it. Ask for n answers, and choose one of them."
_NO_EARLY_STOPPING = "the server ignores it. Leave it out."
_NO_GUIDING_OPTION = (
    "the server's own start arguments decide what guides an answer and which white space it may "
    "hold. Leave it out."
)

_V0_5 = ServerProfile("vllm-0.5", schema_engines=("outlines", "lm-format-enforcer"))
_V0_6 = ServerProfile(
    "vllm-0.6",
    schema_engines=("outlines", "lm-format-enforcer"),
    native_choices=frozenset({"named", "auto"}),
    renders_tools=True,
    further_fields=_FURTHER_0_6,
)
_V0_6_6 = replace(_V0_6, name="vllm-0.6.6", schema_engines=("outlines",))
_V0_8_3 = replace(
    _V0_6_6,
    name="vllm-0.8.3",
    native_choices=frozenset({"named", "any", "auto"}),
    further_fields=_FURTHER_0_10,
)
_V0_11 = replace(
    _V0_8_3, name="vllm-0.11", guide_form="structured_outputs", schema_engines=("xgrammar",)
)
_TODAY = replace(
    _V0_11,
    name="vllm",
    needs_strict=True,
    shares_grammar=False,
    further_fields=_FURTHER_TODAY,
    refused_fields={
        "best_of": _NO_BEST_OF,
        "early_stopping": _NO_EARLY_STOPPING,
        "guided_decoding_backend": _NO_GUIDING_OPTION,
        "guided_whitespace_pattern": _NO_GUIDING_OPTION,
    },
)

_RELEASES = (
    ((0, 5, 0), _V0_5),
    ((0, 6, 0), _V0_6),
    ((0, 6, 6), _V0_6_6),
    ((0, 8, 3), _V0_8_3),
    ((0, 11, 0), _V0_11),
    ((0, 12, 0), _TODAY),
)
"""The first release of each profile."""

SERVER_PROFILES = {profile.name: profile for _, profile in _RELEASES}
"""Every known profile by its name; :func:`register_server_profile` adds to it."""

DEFAULT_SERVER = "vllm-0.5"
