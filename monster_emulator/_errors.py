"""How the emulator refuses a request, and the bodies that the server sends for it."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """Refuse a request with the server's flat error body.

    Args:
        message: What the server says is wrong.
    """

    status = 400
    type = "BadRequestError"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def body(self) -> dict[str, Any]:
        """Build the error body.

        Returns:
            The five keys of vLLM 0.5.0's `ErrorResponse`.
        """
        return {
            "object": "error",
            "message": self.message,
            "type": self.type,
            "param": None,
            "code": self.status,
        }


class UnknownModel(Refusal):
    """Refuse a model that is not served."""

    status = 404
    type = "NotFoundError"


class NotEmulated(Refusal):
    """Refuse what the server can do and this emulator cannot, rather than pretend."""

    status = 501
    type = "NotImplementedError"


class Crash(Exception):
    """Fail as the server does where it checks nothing: with a bare 500 in plain text."""
