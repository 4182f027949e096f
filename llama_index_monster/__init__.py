"""MonsterAPI as a LlamaIndex LLM."""

from llama_index_monster import errors
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

__all__ = ["MonsterLLM", "__version__", "errors"]


def __dir__() -> list[str]:
    """Return what there is to import, and none of what this module is made of."""
    return sorted({name for name in globals() if name.startswith("__")} | {*__all__})
