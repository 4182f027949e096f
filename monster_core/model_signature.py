"""Show the arguments of a model class as an editor or a notebook can read them."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import BaseModel

__all__ = ["ShortSignature"]

_FIRST = ("model", "temperature", "max_tokens", "api_key", "timeout", "max_retries")


class ShortSignature:
    """Give a class its signature without annotations: those of the fields fill seven pages.

    The names are all there, for completion, and the class's docstring describes them. Type checkers
    read ``__init__`` itself.
    """

    def __get__(self, instance: object, owner: type[BaseModel]) -> inspect.Signature:
        if instance is not None:  # inspect shall look at __call__ then
            raise AttributeError("__signature__")
        return _signature(owner)


def _signature(model: type[BaseModel]) -> inspect.Signature:
    own = list(inspect.signature(model.__init__).parameters.values())[1:]
    positional = [one for one in own if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    fields = model.model_fields
    given = {one.name for one in positional}
    names = [name for name in (*_FIRST, *fields) if name in fields and name not in given]
    return inspect.Signature(
        [
            *(one.replace(annotation=inspect.Parameter.empty) for one in positional),
            *(_parameter(name, fields[name].default) for name in dict.fromkeys(names)),
        ]
    )


def _parameter(name: str, default: Any) -> inspect.Parameter:
    shown = default if isinstance(default, (bool, int, float, str)) else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=shown)
