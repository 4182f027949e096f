"""Tell what the endpoint serves, and what a model can do."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from langchain_monster.errors import InvalidRequestError, as_langchain_errors
from langchain_monster.model_part import ModelPart
from monster_core.models_endpoint import LONGEST_DISCOVERY

if TYPE_CHECKING:
    from langchain_core.language_models import ModelProfile

    from monster_core.models_endpoint import ServedModel

__all__ = ["ServedModels", "is_derived", "profile_of"]


def profile_of(model: str, family: str | None = None) -> ModelProfile:
    """Return what is known of a model by its name: no request is made.

    Args:
        model: The model's name.
        family: Its family, where the name does not tell it.

    Raises:
        InvalidRequestError: There is no such family.
    """
    return cast("ModelProfile", {**_known_of(model, family)})


def is_derived(profile: Any) -> bool:
    """Whether a profile was made by :func:`profile_of`, and not by the caller.

    Args:
        profile: The profile, of any family; its context window may be what an endpoint told.
    """
    name = profile.get("name") if isinstance(profile, dict) else None
    if not isinstance(name, str):
        return False
    by_family = dict.fromkeys(_BY_FAMILY)
    return {**_known_of(name, None), **by_family} == {**profile, **by_family}


class ServedModels(ModelPart):
    """Ask the endpoint what it serves; a profile needs no asking."""

    def models(self) -> list[ServedModel]:
        """Return the models that the endpoint serves, each with its context window.

        Raises:
            MonsterError: The request failed.
        """
        with as_langchain_errors():
            return self._client().models()

    async def amodels(self) -> list[ServedModel]:
        """Return the models that the endpoint serves; the twin of :meth:`models`."""
        with as_langchain_errors():
            return await self._async_client().models()

    def discover_model_profile(self, timeout: float = LONGEST_DISCOVERY) -> ModelProfile:
        """Ask the endpoint for the model's context window, and put it into ``profile``.

        Args:
            timeout: Seconds for each of the two places where it may be told.

        Returns:
            The profile; what you set in it yourself stays as it is.

        Raises:
            InvalidRequestError: There is no model.
            MonsterError: The request failed.
        """
        with as_langchain_errors():
            window = self._client().context_window(self._asked_model(), timeout)
            return self._discovered(window)

    async def adiscover_model_profile(self, timeout: float = LONGEST_DISCOVERY) -> ModelProfile:
        """Ask for the context window; the twin of :meth:`discover_model_profile`."""
        with as_langchain_errors():
            window = await self._async_client().context_window(self._asked_model(), timeout)
            return self._discovered(window)

    def _resolve_model_profile(self) -> ModelProfile | None:
        return profile_of(self.model, self.family) if self.model else None

    def _asked_model(self) -> str:
        if self.model is None:
            raise InvalidRequestError("No model: pass model or set MONSTER_MODEL.")
        return self.model

    def _discovered(self, window: int | None) -> ModelProfile:
        found: dict[str, Any] = {**profile_of(self._asked_model(), self.family)}
        if window is not None:
            found["max_input_tokens"] = window
        if self.profile and not is_derived(self.profile):
            found.update(self.profile)
        self.profile = cast("ModelProfile", found)
        return self.profile


@lru_cache(maxsize=256)
def _known_of(model: str, family: str | None) -> dict[str, Any]:
    from langchain_core.language_models import ModelProfile

    from monster_core.model_families import family_of

    known = family_of(model, family)
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
    if known.context_window is not None:
        profile["max_input_tokens"] = known.context_window
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
