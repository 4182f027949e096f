"""MonsterAPI as a LlamaIndex LLM."""

from monster_core.version import __version__

try:
    from llama_index_monster.base import MonsterLLM
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "llama_index":
        raise
    raise ImportError(
        "llama_index_monster needs llama-index-core, which is not installed: "
        'pip install "monsterapi-integrations[llama-index]"'
    ) from error

__all__ = ["MonsterLLM", "__version__"]
