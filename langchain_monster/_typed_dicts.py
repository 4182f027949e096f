"""TypedDicts that LangChain's converters cannot read -> TypedDicts that they can.

LangChain reads ``Annotated[type, default, description]`` in a TypedDict, takes every key for
required, leaves None out of unions, and fails on ``NotRequired``, ``Required``, ``ReadOnly`` and
recursion.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from typing_extensions import (
    NotRequired,
    ReadOnly,
    Required,
    TypedDict,
    get_type_hints,
    is_typeddict,
)

__all__ = ["RecursiveTypeError", "readable"]


class RecursiveTypeError(TypeError):
    """A TypedDict contains itself, which LangChain's converters do not support."""


def readable(typed_dict: Any, _outer: tuple[Any, ...] = ()) -> Any:
    """Return a TypedDict of the same keys that LangChain converts to the right schema.

    Raises:
        RecursiveTypeError: The TypedDict contains itself.
    """
    if typed_dict in _outer:
        raise RecursiveTypeError(typed_dict.__name__)
    hints = get_type_hints(typed_dict, include_extras=True)
    outer = (*_outer, typed_dict)
    required = typed_dict.__required_keys__
    fields = {name: _field(hint, name in required, outer) for name, hint in hints.items()}
    copy: Any = TypedDict(typed_dict.__name__, fields)  # type: ignore[misc]
    copy.__doc__ = typed_dict.__doc__ or ""  # else LangChain describes it as a dict
    return copy


def _field(hint: Any, is_required: bool, outer: tuple[Any, ...]) -> Any:
    metadata: tuple[Any, ...] = ()
    while (origin := get_origin(hint)) in (Annotated, NotRequired, ReadOnly, Required):
        if origin is Annotated:
            hint, *rest = get_args(hint)
            metadata = (*metadata, *rest)
        else:
            is_required = is_required if origin is ReadOnly else origin is Required
            (hint,) = get_args(hint)
    if metadata[:1] == (None,):  # which stands for a key that is left out
        hint = _without_none(hint)
    plain = _plain(hint, outer)
    if is_required:
        return _annotated((plain, *metadata)) if metadata else plain
    return _annotated((plain, None, *metadata[1:]))


def _annotated(parts: tuple[Any, ...]) -> Any:
    return Annotated[parts]


def _without_none(hint: Any) -> Any:
    others = tuple(part for part in get_args(hint) if part is not types.NoneType)
    is_union = get_origin(hint) in (Union, types.UnionType)
    return Union[others] if is_union else hint  # noqa: UP007, there is no operator for a tuple


def _plain(hint: Any, outer: tuple[Any, ...]) -> Any:
    if is_typeddict(hint):
        return readable(hint, outer)
    origin, args = get_origin(hint), get_args(hint)
    if not args or origin is Literal:
        return hint
    parts = tuple(_plain(arg, outer) for arg in args)
    if origin in (Union, types.UnionType):
        parts = tuple(_Null if part is types.NoneType else part for part in parts)
        return Union[parts]  # noqa: UP007, there is no operator for a tuple
    return hint if parts == args else origin[parts]


class _Null:
    """Stand for None in a union: pydantic 1, which LangChain converts with, would leave it out."""

    @classmethod
    def __get_validators__(cls) -> Iterator[Callable[[Any], Any]]:
        yield lambda value: value

    @classmethod
    def __modify_schema__(cls, schema: dict[str, Any]) -> None:
        schema["type"] = "null"
