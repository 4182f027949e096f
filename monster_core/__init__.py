"""Everything that both frameworks' classes share: requests, responses, schemas and transport.

It imports neither framework, and httpx only when the first request is sent. What may be imported
from outside this package is ``monster_core.errors`` and what stands here.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from monster_core.version import __version__

if TYPE_CHECKING:
    from monster_core.model_families import ModelFamily, register_model_family
    from monster_core.server_profiles import (
        ServerProfile,
        register_server_profile,
        server_profile,
    )

__all__ = [
    "ModelFamily",
    "ServerProfile",
    "__version__",
    "register_model_family",
    "register_server_profile",
    "server_profile",
]

_MODULES = {
    "ModelFamily": "model_families",
    "ServerProfile": "server_profiles",
    "register_model_family": "model_families",
    "register_server_profile": "server_profiles",
    "server_profile": "server_profiles",
}

if not TYPE_CHECKING:  # a type checker shall find what is misspelt

    def __getattr__(name: str) -> object:
        """Import a name when it is asked for: each adapter imports this package."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return globals()[name]

    def __dir__() -> list[str]:
        """Return what there is to import, and none of what this module is made of."""
        return sorted({name for name in globals() if name.startswith("__")} | {*__all__})
