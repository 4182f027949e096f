"""A model with bound arguments, which keeps them when tools or a schema are bound as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableBinding
from pydantic import field_validator
from typing_extensions import override

from langchain_monster._tools import Tool
from monster_core.request.validation import OUTPUT_CONSTRAINTS
from monster_core.secrets import with_masked_secrets

__all__ = ["BoundChatMonster"]

_TOOL_ARGUMENTS = frozenset({"tools", "tool_choice"})
_SCHEMA_ARGUMENTS = OUTPUT_CONSTRAINTS | {"ls_structured_output_format"}


class BoundChatMonster(RunnableBinding[LanguageModelInput, AIMessage]):  # type: ignore[no-redef]
    """What ``bind`` and ``bind_tools`` return.

    LangChain's own binding forgets its arguments, tools among them, when ``bind_tools`` or
    ``with_structured_output`` is called on it.
    """

    @field_validator("kwargs", mode="before")
    @classmethod
    def _mask_headers(cls, value: Any) -> Any:
        """Mask the headers of a call, so that nothing that shows a chain shows them."""
        return with_masked_secrets(value) if isinstance(value, Mapping) else value

    @classmethod
    @override
    def lc_id(cls) -> list[str]:
        """Serialize as LangChain's own class, which is what is loaded again."""
        return [*cls.get_lc_namespace(), "RunnableBinding"]

    def bind_tools(self, tools: Sequence[Tool], **kwargs: Any) -> Runnable[LanguageModelInput, Any]:
        """Bind tools, in place of those that are bound; see :meth:`ChatMonster.bind_tools`."""
        kept = {name: self.kwargs[name] for name in self.kwargs if name not in _TOOL_ARGUMENTS}
        return self._around(self._model.bind_tools(tools, **{**kept, **kwargs}))

    def with_structured_output(
        self, schema: Any = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Answer in a schema; see :meth:`ChatMonster.with_structured_output`."""
        kept = {name: self.kwargs[name] for name in self.kwargs if name not in _SCHEMA_ARGUMENTS}
        return self._around(self._model.with_structured_output(schema, **{**kept, **kwargs}))

    @property
    def _model(self) -> Any:
        return self.bound

    def _around(self, runnable: Runnable[LanguageModelInput, Any]) -> Runnable[Any, Any]:
        """Return a runnable with this binding's configuration."""
        if not self.config and not self.config_factories:
            return runnable
        return RunnableBinding(
            bound=runnable, config=self.config, config_factories=self.config_factories
        )
