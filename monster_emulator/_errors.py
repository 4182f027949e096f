"""How the emulator refuses a request."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """Refuse a request."""

    status = 400
    type = "BadRequestError"

    def __init__(self, message: str, param: str | None = None, value: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.value = value


class UnknownModel(Refusal):
    """Refuse a model that is not served."""

    status = 404
    type = "NotFoundError"


class Failure(Refusal):
    """Fail where a later server checks nothing, which it tells in an error's shape."""

    status = 500
    type = "InternalServerError"


class NotEmulated(Refusal):
    """Refuse what the server can do and this emulator cannot, rather than pretend."""

    status = 501
    type = "NotImplementedError"


class Crash(Exception):
    """Fail as the server does where it checks nothing: with a bare 500 in plain text."""
