"""Model profiles: what a model can do, as far as its name says; no request is made."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from langchain_core.language_models import ModelProfile

from monster_core.model_families import ModelFamily, family_of, published_context_window

__all__ = ["is_derived", "profile_of", "with_context_window"]


def profile_of(model: str, family: str | None = None) -> ModelProfile:
    """Return what is known of a model by its name: no request is made.

    Args:
        model: The model's name.
        family: Its family, where the name does not tell it.

    Raises:
        InvalidRequestError: There is no such family.
    """
    return cast("ModelProfile", {**_known_of(model, family_of(model, family))})


def is_derived(profile: Any) -> bool:
    """Whether a profile was made by :func:`profile_of`, and not by the caller.

    Args:
        profile: The profile, of any family; its context window may be what an endpoint told.
    """
    name = profile.get("name") if isinstance(profile, dict) else None
    if not isinstance(name, str):
        return False
    known = _known_of(name, family_of(name))
    if profile == known:
        return True
    by_family = dict.fromkeys(_BY_FAMILY)
    return {**known, **by_family} == {**profile, **by_family}


def with_context_window(
    window: int | None, model: str, family: str | None, profile: ModelProfile | None
) -> ModelProfile:
    """Return a model's profile with the context window that the endpoint names.

    Args:
        window: Tokens; None if the endpoint does not name it.
        model: The model's name.
        family: Its family, where the name does not tell it.
        profile: The present profile; what the caller put into it stays as it is.
    """
    found: dict[str, Any] = {**profile_of(model, family)}
    if window is not None:
        found["max_input_tokens"] = window
    if profile and not is_derived(profile):
        found.update(profile)
    return cast("ModelProfile", found)


@lru_cache(maxsize=256)
def _known_of(model: str, known: ModelFamily) -> dict[str, Any]:
    profile: dict[str, Any] = {
        "name": model,
        "text_inputs": True,
        "image_inputs": known.takes_images,
        "image_url_inputs": known.takes_images,
        "text_outputs": True,
        "tool_calling": True,
        "tool_choice": True,
        "tool_call_streaming": True,
        "structured_output": True,
        "temperature": True,
        "mid_conversation_system_messages": known.has_system_role,
        **dict.fromkeys(_NOT_SERVED, False),
    }
    window = published_context_window(known)
    if window is not None:
        profile["max_input_tokens"] = window
    declared = ModelProfile.__annotations__  # an older langchain-core knows fewer keys
    return {key: profile[key] for key in profile if key in declared}


_BY_FAMILY = (
    "image_inputs",
    "image_url_inputs",
    "max_input_tokens",
    "mid_conversation_system_messages",
)
_NOT_SERVED = (
    "pdf_inputs",
    "audio_inputs",
    "video_inputs",
    "image_tool_message",
    "pdf_tool_message",
    "image_outputs",
    "audio_outputs",
    "video_outputs",
    "attachment",
)
