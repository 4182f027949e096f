"""Write a model down as LangChain does."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from langchain_core.load.serializable import SerializedConstructor

if TYPE_CHECKING:
    from langchain_monster.chat_models import ChatMonster

__all__ = ["to_constructor"]


def to_constructor(model: ChatMonster) -> SerializedConstructor:
    """Return how a model is constructed again: what LangChain's own ``to_json`` returns.

    LangChain asks for it at the first call of every model. Its own function looks up the default of
    each of more than 60 fields in pydantic's definitions, which takes 0.1 ms; here the defaults of
    the class are known.

    Args:
        model: The model, not one of a subclass, which may have further secrets and attributes.
    """
    arguments = {}
    for name, default in _defaults_of(type(model)).items():
        value = model.__dict__[name]
        if value or value != default:
            arguments[name] = value
    arguments.update(model.lc_attributes)
    for name, variable in model.lc_secrets.items():
        if getattr(model, name):
            arguments[name] = {"lc": 1, "type": "secret", "id": [variable]}
    written = SerializedConstructor(lc=1, type="constructor", id=model.lc_id(), kwargs=arguments)
    return {**written, "name": model.get_name()}


@cache
def _defaults_of(cls: type[ChatMonster]) -> dict[str, Any]:
    """Return the defaults of the fields that are written down; LangChain asks no factory."""
    return {
        name: field.default if field.default_factory is None else None
        for name, field in cls.model_fields.items()
        if not field.exclude
    }
