"""MonsterAPI as a LangChain chat model."""

from langchain_monster.chat_models import ChatMonster
from monster_core.version import __version__

__all__ = ["ChatMonster", "__version__"]
