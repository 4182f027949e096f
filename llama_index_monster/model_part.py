"""Name what the parts that MonsterLLM is put together from may rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["ModelPart"]

if TYPE_CHECKING:
    from llama_index.core.llms.function_calling import FunctionCallingLLM

    from monster_core.model_base import MonsterModelBase

    class ModelPart(MonsterModelBase, FunctionCallingLLM):
        """Stand for the model that a part belongs to."""

        context_window: int | None

else:
    ModelPart = object
