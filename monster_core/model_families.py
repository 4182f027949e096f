"""What each model family's chat template takes, and how its models write tool calls.

The family is found by the model's name: the first pattern that is found in the name counts.
:func:`register_model_family` adds families, and the argument ``family`` names one for a model
whose name does not tell it. What a family's template would refuse is folded into what it takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from monster_core.errors import InvalidRequestError
from monster_core.name_suggestions import unknown_name

__all__ = [
    "FAMILIES",
    "ModelFamily",
    "ToolFormat",
    "context_window_of_family",
    "family_of",
    "published_context_window",
    "register_model_family",
]

ToolFormat = Literal["llama", "hermes", "mistral"]
"""How calls are written: ``{"name", "parameters"}``, ``<tool_call>`` or ``[TOOL_CALLS]``."""


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """What a family's chat template takes, and what its models were trained on.

    Args:
        name: The name for the argument ``family``.
        tool_format: How the models write a tool call: "llama" (``{"name", "parameters"}``),
            "hermes" (``<tool_call>``) or "mistral" (``[TOOL_CALLS]``).
        has_system_role: Whether the template takes a system message. Otherwise its text is put
            before the user's next message.
        has_tool_role: Whether the template takes a tool message. Otherwise results are sent as a
            user's message.
        must_alternate: Whether user and assistant must take turns, the user first. Otherwise the
            template raises, and the server answers 400.
        context_window: Tokens of prompt and answer together, as the models were published; None
            if that is not known. An endpoint may serve less.
        takes_images: Whether the models read images.
        context_windows_differ: Whether models of the family have other context windows than
            ``context_window``, which is then a careful guess: LlamaIndex, which needs a number,
            goes by it, and LangChain's profile does not state it.
    """

    name: str
    tool_format: ToolFormat = "llama"
    has_system_role: bool = True
    has_tool_role: bool = False
    must_alternate: bool = False
    context_window: int | None = None
    takes_images: bool = False
    context_windows_differ: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"A model family's name is a text, not {self.name!r}.")
        if self.tool_format not in get_args(ToolFormat):
            raise ValueError(
                f"tool_format cannot be {self.tool_format!r}: use one of "
                f"{', '.join(get_args(ToolFormat))}."
            )


def register_model_family(family: ModelFamily, pattern: str) -> None:
    r"""Add a model family, or replace the one of the same name, for this process.

    It is tried before all that are there: this package's own, and those registered earlier.

    Args:
        family: The family.
        pattern: A regular expression. A model belongs to the family if the expression is found
            anywhere in the model's name in lower case.

    Raises:
        ValueError: The pattern does not compile.

    Example:
        .. code-block:: python

            from monster_core import ModelFamily, register_model_family

            register_model_family(
                ModelFamily("acme", tool_format="hermes", context_window=32768), r"acme-\d+b"
            )
    """
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"The pattern {pattern!r} does not compile: {error}.") from None
    FAMILIES[family.name] = family
    _PATTERNS.insert(0, (pattern, family.name))
    _FOUND.clear()


def family_of(model: str, override: str | None = None) -> ModelFamily:
    """Return the family of a model, "generic" for a name that no pattern fits.

    Args:
        model: The model's name, as the endpoint serves it.
        override: A family's name, to be used whatever the model is called.

    Raises:
        InvalidRequestError: There is no family with the name of the override.
    """
    if override is not None:
        if override not in FAMILIES:
            raise InvalidRequestError(
                f"{unknown_name('family', override, FAMILIES)} Known are {', '.join(FAMILIES)}; "
                "register_model_family adds one."
            )
        return FAMILIES[override]
    found = _FOUND.get(model)
    if found is None:
        name = model.lower()
        fits = (family for pattern, family in _PATTERNS if re.search(pattern, name))
        found = FAMILIES[next(fits, "generic")]
        if len(_FOUND) >= _MAX_FOUND_NAMES:
            _FOUND.clear()
        _FOUND[model] = found
    return found


def context_window_of_family(model: str, family: str | None = None) -> int | None:
    """Return the context window to assume for a model of a family, None where nothing is known.

    Args:
        model: The model's name.
        family: The family's name, where the model's does not tell it; an unknown one has no
            context window.
    """
    if family is not None and family not in FAMILIES:
        return None
    return family_of(model, family).context_window


def published_context_window(family: ModelFamily) -> int | None:
    """Return the context window that every model of a family was published with.

    Args:
        family: The family.

    Returns:
        Tokens; None if its models differ, or if that is not known.
    """
    return None if family.context_windows_differ else family.context_window


# The facts come from each family's published chat template and configuration:
# tokenizer_config.json (chat_template) and config.json (max_position_embeddings).
_TABLE: tuple[tuple[str, ModelFamily], ...] = (
    (
        r"hermes-?_?3|hermes.*llama-?_?3[._-]?[123]",
        ModelFamily("hermes-3", tool_format="hermes", has_tool_role=True, context_window=131072),
    ),
    (
        r"hermes",
        ModelFamily(
            "hermes",
            tool_format="hermes",
            has_tool_role=True,
            context_window=8192,
            context_windows_differ=True,
        ),
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
    (
        r"qwen",
        ModelFamily(
            "qwen", tool_format="hermes", context_window=32768, context_windows_differ=True
        ),
    ),
    (
        r"llava",
        ModelFamily("llava", context_window=4096, takes_images=True, context_windows_differ=True),
    ),
    (
        r"mixtral|mistral|ministral",
        ModelFamily(
            "mistral",
            tool_format="mistral",
            has_system_role=False,
            must_alternate=True,
            context_window=32768,
            context_windows_differ=True,
        ),
    ),
    (
        r"gemma",
        ModelFamily(
            "gemma",
            has_system_role=False,
            must_alternate=True,
            context_window=8192,
            context_windows_differ=True,
        ),
    ),
    (r"phi-?3.*128k", ModelFamily("phi-3-128k", context_window=131072)),
    (r"phi-?3", ModelFamily("phi-3", context_window=4096, context_windows_differ=True)),
    (r"zephyr|tinyllama", ModelFamily("zephyr", context_window=2048, context_windows_differ=True)),
    (r"llama-?_?2", ModelFamily("llama-2", must_alternate=True, context_window=4096)),
)

FAMILIES: dict[str, ModelFamily] = {
    family.name: family for family in (ModelFamily("generic"), *(family for _, family in _TABLE))
}
"""Every known family by its name; :func:`register_model_family` adds to it."""

_PATTERNS = [(pattern, family.name) for pattern, family in _TABLE]
_FOUND: dict[str, ModelFamily] = {}
_MAX_FOUND_NAMES = 256
