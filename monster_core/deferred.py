"""Build what validates a pydantic class when it is first needed, instead of at import.

pydantic does so by itself for a class with ``defer_build``, but two threads that are first at the
same time may then meet a class that is half built.
"""

from __future__ import annotations

from threading import Lock
from typing import TypeVar

from pydantic import BaseModel

__all__ = ["built"]

Model = TypeVar("Model", bound=BaseModel)


def built(kind: type[Model]) -> type[Model]:
    """Return a class, ready to validate.

    Args:
        kind: The class.
    """
    if kind not in _BUILT:
        with _building:
            kind.model_rebuild()
            _BUILT.add(kind)
    return kind


_BUILT: set[type[BaseModel]] = set()
_building = Lock()
