"""MonsterAPI as a LangChain chat model."""

from importlib import import_module
from typing import TYPE_CHECKING

from monster_core.version import __version__

try:
    from langchain_monster._content_blocks import register
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "langchain_core":
        raise
    raise ModuleNotFoundError(
        "langchain_monster needs LangChain: pip install 'monsterapi-integrations[langchain]'",
        name=error.name,
    ) from error

if TYPE_CHECKING:
    from langchain_monster.chat_models import ChatMonster

__all__ = ["ChatMonster", "__version__"]

register()

_MODULES = ("chat_models", "errors")

if not TYPE_CHECKING:  # a type checker shall find what is misspelt

    def __getattr__(name: str) -> object:
        """Import the model, and the errors, when asked for, as LangChain's own packages do."""
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name != "ChatMonster":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = import_module(f"{__name__}.chat_models").ChatMonster
        return globals()[name]

    def __dir__() -> list[str]:
        """Return what there is to import, and none of what this module is made of."""
        return sorted({name for name in globals() if name.startswith("__")} | {*__all__, *_MODULES})
