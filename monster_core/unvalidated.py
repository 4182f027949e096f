"""Build pydantic objects without validating what is known to be right.

Validating a framework's message or response is most of what a streamed chunk costs, and a chunk
is made of values that this package made itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel

__all__ = ["Unvalidated"]

Model = TypeVar("Model", bound=BaseModel)
_set = object.__setattr__


class Unvalidated(Generic[Model]):
    """Build objects of one class from values that need no validation.

    Args:
        kind: The class. One with private attributes, or with work to do after its construction,
            is constructed as usual.
    """

    __slots__ = ("_defaults", "_has_extra", "_is_plain", "_kind", "_made")

    def __init__(self, kind: type[Model]) -> None:
        fields = kind.model_fields.items()
        self._kind = kind
        self._is_plain = not kind.__private_attributes__ and kind.__pydantic_post_init__ is None
        self._is_plain &= not any(
            getattr(field, "default_factory_takes_validated_data", False) for _, field in fields
        )
        self._has_extra = kind.model_config.get("extra") == "allow"
        # required ones, too: fields stand in the order of their class
        self._defaults = {name: field.default for name, field in fields}
        self._made: list[tuple[str, Callable[[], Any]]] = [
            (name, cast("Callable[[], Any]", field.default_factory))
            for name, field in fields
            if field.default_factory is not None
        ]

    def __call__(self, **given: Any) -> Model:
        """Build an object.

        Args:
            given: Its fields, the required ones among them; those left out have their defaults.
        """
        if not self._is_plain:
            return self._kind(**given)
        values = {**self._defaults, **given}
        for name, make in self._made:
            if name not in given:
                values[name] = make()
        built = self._kind.__new__(self._kind)
        _set(built, "__dict__", values)
        _set(built, "__pydantic_fields_set__", set(given))
        _set(built, "__pydantic_extra__", {} if self._has_extra else None)
        _set(built, "__pydantic_private__", None)
        return built
