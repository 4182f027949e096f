"""Compile a JSON schema of any draft to one that the server enforces, and check answers.

A small compiler; ``lower`` runs its passes. Each is in the module of its name:

=================  ============================================================================
``schema_of``      a type, a text or a provider's wrapper becomes a JSON schema
``parse``          the JSON schema becomes nodes (``ir``), its ``references`` followed
``intersect``      two nodes become one that satisfies both (``allOf``, sibling keywords)
``concretize``     abstract nodes become those that the server can be given; the ``patterns`` of
                   strings become regular expressions over JSON text
``relax``          what the server would compile too long (``cost``) gives up some demands
``emit``           the nodes become the JSON schema that is sent
``restore``        an answer loses the nulls that only stand for absent properties, whole or
                   (``restore_stream``) while it streams
``validate``       an answer is checked against the original schema
=================  ============================================================================

What is sent accepts everything that the original accepts; what it gives up is listed, and checked
afterwards. Nothing is fetched.

A new keyword is parsed in ``parse``, where one that the server cannot enforce is only noted. If it
asks something new of a value, that becomes a field or a node in ``ir``, and takes its form for the
server in ``concretize``. ``validate`` knows every keyword that jsonschema knows.
"""

from .errors import SchemaError, SchemaMismatch
from .lower import LoweredSchema, lower
from .schema_of import schema_of
from .validate import validate

__all__ = [
    "LoweredSchema",
    "SchemaError",
    "SchemaMismatch",
    "lower",
    "schema_of",
    "validate",
]
