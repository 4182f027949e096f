"""Tell what the endpoint serves, and how long a model's context is."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

from llama_index_monster.model_part import ModelPart
from monster_core.errors import MonsterError
from monster_core.model_families import FAMILIES, family_of
from monster_core.models_endpoint import LONGEST_DISCOVERY

if TYPE_CHECKING:
    from monster_core.models_endpoint import ServedModel

__all__ = ["ServedModels", "assumed_context_window"]

_SAFE_CONTEXT_WINDOW = 8192
_log = logging.getLogger(__name__)
_warned: set[str] = set()


def assumed_context_window(model: str, family: str | None = None) -> int:
    """Return the context window of a model's family, or a safe one with a warning in the log.

    Args:
        model: The model's name; any at all.
        family: The family's name, where the model's does not tell it; any at all.
    """
    known = FAMILIES.get(family) if family else family_of(model)
    window = known and known.context_window
    if window is None and model not in _warned:
        _warned.add(model)
        _log.warning(  # in the log: metadata never raises, whatever warnings are turned into
            "The context window of %r is not known, %d tokens are assumed: pass context_window, or "
            "let discover_context_window() ask the endpoint.",
            model,
            _SAFE_CONTEXT_WINDOW,
        )
    return window or _SAFE_CONTEXT_WINDOW


class ServedModels(ModelPart):
    """Ask the endpoint what it serves; metadata needs no asking."""

    def models(self) -> list[ServedModel]:
        """Return the models that the endpoint serves, each with its context window.

        Raises:
            MonsterError: The request failed.
        """
        return self._client().models()

    async def amodels(self) -> list[ServedModel]:
        """Return the models that the endpoint serves; the twin of :meth:`models`."""
        return await self._async_client().models()

    def discover_context_window(self, timeout: float = LONGEST_DISCOVERY) -> int:
        """Ask the endpoint for the model's context window and keep it; a failure is a warning.

        Args:
            timeout: Seconds for each of the two places where it may be told.

        Returns:
            The context window that holds from now on.
        """
        try:
            found = self._client().context_window(self.model or "", timeout)
        except MonsterError as error:
            return self._keep_context_window(None, str(error))
        return self._keep_context_window(found)

    async def adiscover_context_window(self, timeout: float = LONGEST_DISCOVERY) -> int:
        """Ask for the context window; the twin of :meth:`discover_context_window`."""
        try:
            found = await self._async_client().context_window(self.model or "", timeout)
        except MonsterError as error:
            return self._keep_context_window(None, str(error))
        return self._keep_context_window(found)

    def _keep_context_window(
        self, found: int | None, problem: str = "The endpoint does not tell it."
    ) -> int:
        if found is not None:
            self.context_window = found
        held = int(self.metadata.context_window)
        if found is None:
            warnings.warn(
                f"The context window of {self.model!r} stays at {held}: {problem} "
                "Pass context_window to set it.",
                stacklevel=3,
            )
        return held
