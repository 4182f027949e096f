"""Decide which JSON schema is safe to send, and hold answers against the original.

``lower`` turns any JSON schema into one that the server compiles at once, and ``LoweredSchema``
says what that loosened. ``restore`` undoes the one change of representation, ``validate`` judges
an answer by the original schema. Everything is plain data; nothing is fetched.
"""

from .errors import SchemaError, SchemaMismatch
from .lower import LoweredSchema, lower, restore
from .schema_of import schema_of
from .validate import validate

__all__ = [
    "LoweredSchema",
    "SchemaError",
    "SchemaMismatch",
    "lower",
    "restore",
    "schema_of",
    "validate",
]
