"""Give a response now and fill it in when somebody looks.

A streamed response holds everything so far, so that filling it in costs more the longer the answer
is; most readers look at its delta only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import new_class
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from monster_core.unvalidated import Unvalidated

__all__ = ["Pending"]

Model = TypeVar("Model", bound=BaseModel)


class Pending(Generic[Model]):
    """Make objects of one class whose fields are filled in, unvalidated, when first needed.

    Until then an object is of a subclass; what is done to it, but for reading a field that it
    holds, makes it a plain one first.

    Args:
        kind: The class.
    """

    __slots__ = ("_unfilled",)

    def __init__(self, kind: type[Model]) -> None:
        unfilled: Any = new_class(
            kind.__name__,
            (_Unfilled, kind),
            {"defer_build": True},
            lambda namespace: namespace.update(__module__=kind.__module__),
        )
        for name in _OF_THE_PLAIN_CLASS:
            setattr(unfilled, name, getattr(kind, name))
        _PLAIN[unfilled] = Unvalidated(kind)
        self._unfilled = unfilled

    def __call__(self, fill: Callable[[], Mapping[str, Any]], **known: Any) -> Model:
        """Make an object.

        Args:
            fill: Returns the fields that are not known yet. It is called by any thread, at any
                time; by several at once if they look at the same time.
            known: The fields that are held at once.
        """
        known[_FILL] = fill
        made: Model = _new(self._unfilled)
        _set_fields(made, known)
        return made


_FILL, _FILLED = " fill", " filled"  # no field's names
_OF_THE_PLAIN_CLASS = (
    "__pydantic_core_schema__",
    "__pydantic_serializer__",
    "__pydantic_validator__",
)
_PLAIN: dict[type, Unvalidated[Any]] = {}
_new = object.__new__
_set = object.__setattr__
_held = BaseModel.__dict__["__dict__"]  # what the property below hides
_fields: Callable[[Any], dict[str, Any]] = _held.__get__
_set_fields: Callable[[Any, dict[str, Any]], None] = _held.__set__


class _Unfilled:
    """Be a class's object until a field is asked for that it does not hold."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __new__(cls, *args: Any, **fields: Any) -> Any:
        """Construct a plain object, for whoever takes an object's class to make another."""
        return cls.__bases__[1](*args, **fields)

    @property
    def __dict__(self) -> dict[str, Any]:
        return _fields(_filled(self))

    @__dict__.setter
    def __dict__(self, fields: dict[str, Any]) -> None:
        _set_fields(_filled(self), fields)

    def __getattr__(self, name: str) -> Any:
        return getattr(_filled(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_filled(self), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_filled(self), name)

    def __eq__(self, other: object) -> bool:
        return bool(_filled(self) == other)

    def __copy__(self) -> Any:
        return _filled(self).__copy__()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        return _filled(self).__deepcopy__(memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _filled(self).__reduce_ex__(protocol)


def _filled(response: Any) -> Any:
    """Make an object a plain one.

    Threads that do so at the same time end with what the first of them has built: each step may
    be done twice, and changes nothing the second time.
    """
    unfilled = type(response)
    plain = _PLAIN.get(unfilled)
    if plain is None:
        return response
    held = _fields(response)
    fill = held.get(_FILL)
    if fill is not None:
        known = {name: value for name, value in list(held.items()) if name[0] != " "}
        built = held.setdefault(_FILLED, plain(**{**known, **fill()}))
        for slot in _SLOTS:
            _set(response, slot, getattr(built, slot))
        _set_fields(response, built.__dict__)
    _set(response, "__class__", unfilled.__bases__[1])
    return response


_SLOTS = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
