"""Name what the parts that ChatMonster is put together from may rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["ModelPart"]

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from monster_core.model_base import MonsterModelBase

    class ModelPart(MonsterModelBase, BaseChatModel):
        """Stand for the model that a part belongs to."""

else:
    ModelPart = object
