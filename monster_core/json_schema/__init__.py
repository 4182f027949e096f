"""Compile a JSON schema of any draft to one that the server enforces, and check answers.

The passes, in their order, each in the module of its name:

=================  ============================================================================
``schema_of``      a type, a text or a provider's wrapper becomes a JSON schema
``parse``          the JSON schema becomes nodes (``ir``), its references followed
``intersect``      two nodes become one that satisfies both (``allOf``, sibling keywords)
``concretize``     abstract nodes become those that the server can be given
``relax``          what the server would compile too long (``cost``) gives up some demands
``emit``           the nodes become the JSON schema that is sent
``restore``        an answer loses the nulls that only stood for absent properties, whole or
                   (``restore_stream``) while it streams
``validate``       an answer is checked against the original schema
=================  ============================================================================

``lower`` runs the passes from parsing to emitting. What it sends accepts everything that the
original accepts; what it gives up is listed, and checked afterwards. Nothing is fetched.

A new keyword is parsed in ``parse``, and where the server can enforce it, it gets a field or a
node in ``ir`` and its form in ``emit``.
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
