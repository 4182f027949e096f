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
