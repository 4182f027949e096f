"""Secrets that a test plants, and the search for them in everything that comes out."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import FunctionType, MethodType, ModuleType
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr, ValidationError

__all__ = ["HEADER", "KEY", "chain", "formatted", "found", "reachable"]

KEY = "CanaryKey%2B'\\\"Zq7/x+y=Kanarie"
HEADER = "CanaryHeader%2B'\\\"Wv9/x+y=Kanarie"
"""Both change when they are quoted, escaped or encoded."""


def found(text: str | bytes) -> list[str]:
    """Return which secret stands in a text, in which form.

    Args:
        text: Anything that was written, shown, logged or sent.
    """
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return [form.name for form in _FORMS if form.text in shown]


def chain(error: BaseException | None) -> list[BaseException]:
    """Return an error with all its causes and contexts, suppressed ones as well.

    Args:
        error: The error.
    """
    errors: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in errors:
            errors.append(one)
            waiting += [one.__cause__, one.__context__]
            waiting += getattr(one, "exceptions", ())
    return errors


def formatted(error: BaseException) -> str:
    """Return the traceback of an error and of its whole chain, with the frames' locals.

    Frames of the test itself are left out: it made the secrets.

    Args:
        error: The error.
    """
    written = ""
    for one in chain(error):
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if "/tests/" not in frame.f_code.co_filename:
                code = frame.f_code
                written += f"\n{code.co_filename}:{frame.f_lineno} {code.co_qualname}"
                written += "".join(f"\n  {k} = {_shown(v)}" for k, v in frame.f_locals.items())
        written += "\n" + "".join(traceback.format_exception_only(one))
    return written


def reachable(value: Any) -> Iterator[str | bytes]:
    """Yield every text that can be reached from a value; not what a SecretStr holds.

    Args:
        value: Anything.
    """
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, _CLOSED):
            continue
        seen.add(id(one))
        if isinstance(one, (str, bytes)):
            yield one
            continue
        yield _shown(one)
        if isinstance(one, BaseException):
            waiting += [one.args, one.__cause__, one.__context__, getattr(one, "__notes__", None)]
        if isinstance(one, ValidationError):
            waiting.append(one.errors())
        waiting += _inside(one)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from islice(list(value.items()), 10_000)
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from islice(value, 10_000)
    yield getattr(value, "__dict__", None)
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            yield getattr(value, name, None)


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<no repr: {type(error).__name__}>"


_CLOSED = (SecretStr, ModuleType, FunctionType, MethodType, type, int, float, type(None))


@dataclass(frozen=True)
class _Form:
    name: str
    text: str


def _forms(name: str, secret: str) -> Iterator[_Form]:
    yield _Form(f"{name}, as it is", secret)
    yield _Form(f"{name}, its beginning", secret[:10])
    yield _Form(f"{name}, its end", secret[-14:])
    yield _Form(f"{name}, escaped", repr(secret)[1:-1])
    yield _Form(f"{name}, in a URL", quote(secret, safe=""))
    yield _Form(f"{name}, in hexadecimal", secret.encode().hex())
    for shift in range(3):  # base64 differs by where the text begins
        coded = base64.b64encode(b"." * shift + secret.encode() + b".." * 2).decode()
        yield _Form(f"{name}, in base64", coded[4 : len(secret)])


_FORMS = [*_forms("the key", KEY), *_forms("the header", HEADER)]
