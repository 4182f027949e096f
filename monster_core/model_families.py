"""Know what each model family was trained on: roles, turns, tool format, context window.

The family is found by the model's name and can be overridden by an argument. What a family's chat
template would raise on is folded into what it takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from monster_core.errors import InvalidRequestError
from monster_core.name_suggestions import unknown_name

__all__ = ["FAMILIES", "ModelFamily", "ToolFormat", "family_of"]

ToolFormat = Literal["llama", "hermes", "mistral"]
"""How calls are written: ``{"name", "parameters"}``, ``<tool_call>`` or ``[TOOL_CALLS]``."""


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """Hold what a family's chat template and training allow.

    Args:
        name: The family's name, for the ``family`` argument.
        tool_format: How its models write a tool call.
        has_system_role: Whether the template takes a system message.
        has_tool_role: Whether the template takes a tool message.
        must_alternate: Whether user and assistant turns must alternate, the user first.
        context_window: Tokens of prompt and answer together; None if it is not known.
        takes_images: Whether its models read images.
    """

    name: str
    tool_format: ToolFormat = "llama"
    has_system_role: bool = True
    has_tool_role: bool = False
    must_alternate: bool = False
    context_window: int | None = None
    takes_images: bool = False


_GENERIC = ModelFamily("generic")

_PATTERNS: tuple[tuple[str, ModelFamily], ...] = (  # the first that is found in a name counts
    (
        r"hermes-?_?3|hermes.*llama-?_?3[._-]?[123]",
        ModelFamily("hermes-3", tool_format="hermes", has_tool_role=True, context_window=131072),
    ),
    (
        r"hermes",
        ModelFamily("hermes", tool_format="hermes", has_tool_role=True, context_window=8192),
    ),
    (
        r"llama-?_?3[._-]?2.*vision",
        ModelFamily("llama-3-vision", has_tool_role=True, context_window=131072, takes_images=True),
    ),
    (
        r"llama-?_?3[._-]?[123]",
        ModelFamily("llama-3.1", has_tool_role=True, context_window=131072),
    ),
    (r"llama-?_?3", ModelFamily("llama-3", has_tool_role=True, context_window=8192)),
    (r"qwen", ModelFamily("qwen", tool_format="hermes", context_window=32768)),
    (r"llava", ModelFamily("llava", context_window=4096, takes_images=True)),
    (
        r"mixtral|mistral|ministral",
        ModelFamily(
            "mistral",
            tool_format="mistral",
            has_system_role=False,
            must_alternate=True,
            context_window=32768,
        ),
    ),
    (
        r"gemma",
        ModelFamily("gemma", has_system_role=False, must_alternate=True, context_window=8192),
    ),
    (r"phi-?3.*128k", ModelFamily("phi-3-128k", context_window=131072)),
    (r"phi-?3", ModelFamily("phi-3", context_window=4096)),
    (r"zephyr|tinyllama", ModelFamily("zephyr", context_window=2048)),
    (r"llama-?_?2", ModelFamily("llama-2", must_alternate=True, context_window=4096)),
)

FAMILIES: dict[str, ModelFamily] = {
    family.name: family for family in (_GENERIC, *(family for _, family in _PATTERNS))
}
"""Every known family by its name."""


def family_of(model: str, override: str | None = None) -> ModelFamily:
    """Return the family of a model.

    Args:
        model: The model's name, as the endpoint serves it.
        override: A family's name, to be used whatever the model is called.

    Returns:
        The family; "generic" for a name that tells nothing.

    Raises:
        InvalidRequestError: The override names no family.
    """
    if override is not None:
        if override not in FAMILIES:
            raise InvalidRequestError(unknown_name("family", override, FAMILIES))
        return FAMILIES[override]
    found = _FOUND.get(model)
    if found is None:
        found = _FOUND[model] = next(
            (family for pattern, family in _PATTERNS if re.search(pattern, model.lower())), _GENERIC
        )
        if len(_FOUND) > 256:
            _FOUND.clear()
    return found


_FOUND: dict[str, ModelFamily] = {}
