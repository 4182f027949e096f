"""MonsterAPI as a LangChain chat model."""

from typing import TYPE_CHECKING, Any

from langchain_monster.provider import register
from monster_core.version import __version__

if TYPE_CHECKING:
    from langchain_monster.chat_models import ChatMonster

__all__ = ["ChatMonster", "__version__"]

register()


def __getattr__(name: str) -> Any:
    """Import the model when it is asked for, as LangChain's own packages do with theirs."""
    if name != "ChatMonster":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from langchain_monster.chat_models import ChatMonster

    globals()[name] = ChatMonster
    return ChatMonster


def __dir__() -> list[str]:
    return [*__all__]
