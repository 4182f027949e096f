"""Everything that both frameworks' classes share: fields, settings, transport and reading.

Imports neither framework, and httpx only when the first request is sent.
"""

from monster_core.version import __version__

__all__ = ["__version__"]
