"""What a ``$ref`` points to, and which schemas contain themselves.

The referencing library follows the references. It is imported with the first schema that has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .errors import SchemaError

if TYPE_CHECKING:
    from referencing import Specification

_DEFINITIONS = ("$defs", "definitions")
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def reference(schema: Mapping[str, Any]) -> str | None:
    """Return what a schema refers to, None if it refers to nothing."""
    return next(
        (schema[keyword] for keyword in _REFERENCES if isinstance(schema.get(keyword), str)), None
    )


class References:
    """Follow the references inside one document; nothing is fetched.

    Args:
        document: The whole schema.
    """

    def __init__(self, document: Any) -> None:
        from referencing import Registry

        specification = _specification_of(document)
        root = specification.create_resource(document)
        self._root = Registry().with_resource("", root).resolver_with_root(root)
        self._resolvers: dict[int, Any] = {}  # of schemas with a base URI of their own
        self._reachable_from: dict[int, frozenset[int]] = {}
        self._index(document, self._root, specification)

    def resolve(self, schema: Mapping[str, Any], path: str) -> Any:
        """Return the schema that another one refers to.

        Args:
            schema: The schema that holds the reference.
            path: Where it stands, for the error.

        Raises:
            SchemaError: The reference leads out of the document, or nowhere.
        """
        from referencing.exceptions import Unresolvable

        target = reference(schema) or "#"
        # Some generators mean the root even inside a schema with an $id of its own. The library
        # raises AttributeError or TypeError for a document in which a schema is not an object.
        for resolver in (self._resolvers.get(id(schema), self._root), self._root):
            with suppress(Unresolvable, ValueError, AttributeError, TypeError):
                return resolver.lookup(target).contents
        where = "nothing in the schema" if target.startswith("#") else "another document"
        raise SchemaError(f"the reference {target!r} leads to {where}", path)

    def recursive_group(self, target: Any) -> frozenset[int]:
        """Return the identities of the schemas that both lead to this one and follow from it."""
        reachable = self._reachable(target)
        if id(target) not in reachable:
            return frozenset()
        return frozenset(
            key for key in reachable if id(target) in self._reachable_from.get(key, frozenset())
        )

    def _index(self, value: Any, resolver: Any, specification: Specification[Any]) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$id", value.get("id")), str):
                resolver = resolver.in_subresource(specification.create_resource(value))
            if resolver is not self._root:
                self._resolvers[id(value)] = resolver
        for part in value.values() if isinstance(value, dict) else value:
            if isinstance(part, (dict, list)):
                self._index(part, resolver, specification)

    def _reachable(self, target: Any) -> frozenset[int]:
        if id(target) in self._reachable_from:
            return self._reachable_from[id(target)]
        direct: dict[int, list[Any]] = {}
        pending = [target]
        while pending:
            schema = pending.pop()
            if id(schema) not in direct:
                direct[id(schema)] = list(self._referred_in(schema))
                pending += direct[id(schema)]
        for start in direct:
            seen: set[int] = set()
            stack = [id(schema) for schema in direct[start]]
            while stack:
                key = stack.pop()
                if key not in seen:
                    seen.add(key)
                    stack += [id(schema) for schema in direct[key]]
            self._reachable_from[start] = frozenset(seen)
        return self._reachable_from[id(target)]

    def _referred_in(self, schema: Any) -> Iterator[Any]:
        if isinstance(schema, list):
            for item in schema:
                yield from self._referred_in(item)
        if not isinstance(schema, dict):
            return
        if reference(schema) is not None:
            with suppress(SchemaError):  # a dangling one is reported where it is parsed
                yield self.resolve(schema, "$")
        for keyword, value in schema.items():
            if keyword not in _DEFINITIONS:
                yield from self._referred_in(value)


def _specification_of(document: Any) -> Specification[Any]:
    """Return the draft that a document names; otherwise the one whose keywords it has."""
    from referencing.jsonschema import DRAFT4, DRAFT202012, specification_with

    named = document.get("$schema") if isinstance(document, dict) else None
    if isinstance(named, str):
        return specification_with(named.rstrip("#"), default=DRAFT202012)
    has_old_id = isinstance(document, dict) and isinstance(document.get("id"), str)
    return DRAFT4 if has_old_id else DRAFT202012
