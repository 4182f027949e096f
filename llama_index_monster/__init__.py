"""MonsterAPI as a LlamaIndex LLM."""

from llama_index_monster.base import MonsterLLM
from monster_core.version import __version__

__all__ = ["MonsterLLM", "__version__"]
