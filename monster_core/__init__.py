"""Everything that both frameworks' classes share: requests, responses, schemas and transport.

It imports neither framework, and httpx only when the first request is sent. What may be imported
from outside this package is ``monster_core.errors`` and what stands here.
"""

from monster_core.model_families import ModelFamily, register_model_family
from monster_core.server_profiles import (
    ServerProfile,
    register_server_profile,
    server_profile,
)
from monster_core.version import __version__

__all__ = [
    "ModelFamily",
    "ServerProfile",
    "__version__",
    "register_model_family",
    "register_server_profile",
    "server_profile",
]
