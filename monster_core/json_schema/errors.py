"""What can be wrong with a schema, or with an answer held against one."""

from __future__ import annotations

from typing import Any


class SchemaError(ValueError):
    """Report a schema that cannot be used at all, or an answer that is not JSON.

    Args:
        reason: One sentence that says what is wrong.
        path: Where in the schema or the answer, in JSON path notation.
    """

    def __init__(self, reason: str, path: str = "$") -> None:
        self.reason = reason
        self.path = path
        super().__init__(f"{path}: {reason}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason, self.path)


class SchemaMismatch(SchemaError):
    """Report an answer that does not satisfy the schema it was asked for."""


class UnreadableAnswer(SchemaError):
    """Report an answer that is no complete JSON text.

    Args:
        reason: One sentence that says what is wrong.
        text: The answer as it came.
        kind: ``empty``, ``truncated``, ``endless whitespace`` or ``not JSON``.
    """

    def __init__(self, reason: str, text: str, kind: str) -> None:
        self.text = text
        self.kind = kind
        super().__init__(reason)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason, self.text, self.kind)
