"""Give a response now and fill it in when somebody looks.

A streamed response holds everything so far, so that filling it in costs more the longer the answer
is; most readers look at its delta only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import new_class
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

__all__ = ["Pending"]

Model = TypeVar("Model", bound=BaseModel)


class Pending(Generic[Model]):
    """Make objects of one class whose fields are filled in, unvalidated, when first needed.

    Until then an object is of a subclass; whatever is done to it, but for reading a field that it
    holds, makes it a plain one first.

    Args:
        kind: The class. It has no private attributes and takes no further fields.
    """

    __slots__ = ("_unfilled",)

    def __init__(self, kind: type[Model]) -> None:
        self._unfilled: Any = new_class(
            kind.__name__,
            (_Unfilled, kind),
            {"defer_build": True},  # what the plain class can do is enough
            lambda namespace: namespace.update(__module__=kind.__module__),
        )

    def __call__(self, fill: Callable[[], Mapping[str, Any]], **known: Any) -> Model:
        """Make an object.

        Args:
            fill: Returns the fields that are not known yet. It is called by any thread, at any
                time, and by chance twice.
            known: The fields that are held at once.
        """
        known[_FILL] = fill
        made: Model = _new(self._unfilled)
        _set_fields(made, known)
        return made


_FILL = " fill"  # no field's name
_new = object.__new__
_set = object.__setattr__
_held = BaseModel.__dict__["__dict__"]  # what the property below hides
_fields: Callable[[Any], dict[str, Any]] = _held.__get__
_set_fields: Callable[[Any, dict[str, Any]], None] = _held.__set__


class _Unfilled:
    """Be a class's object until a field is asked for that it does not hold."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return _fields(_filled(self))

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
    """Make an object a plain one; another thread may be about to do the same."""
    unfilled = type(response)
    if not issubclass(unfilled, _Unfilled):
        return response
    kind: type[BaseModel] = unfilled.__bases__[1]
    held = _fields(response)
    fill = held.get(_FILL)
    if fill is not None:
        found = {**held, **fill()}
        _set(response, "__pydantic_fields_set__", found.keys() - {_FILL})
        _set(response, "__pydantic_extra__", None)
        _set(response, "__pydantic_private__", None)
        _set_fields(response, {name: found[name] for name in kind.model_fields})
    _set(response, "__class__", kind)
    return response
