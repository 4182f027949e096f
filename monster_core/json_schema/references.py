"""Resolves ``$ref`` inside one document: JSON pointers, anchors, relative ``$id``s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from .errors import SchemaError

DEFINITIONS = ("$defs", "definitions")
_POINTING = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS = ("$anchor", "$dynamicAnchor")


def reference(schema: Mapping[str, Any]) -> str | None:
    """Return what a schema refers to, if it refers to anything."""
    for keyword in _POINTING:
        if isinstance(schema.get(keyword), str):
            return str(schema[keyword])
    return None


class References:
    """The schemas of one document that a reference can name, and which of them are recursive."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._named: dict[str, Any] = {"": root}
        self._base: dict[int, str] = {}
        self._reach: dict[int, frozenset[int]] = {}
        self._index(root, "")

    def _index(self, schema: Any, base: str) -> None:
        if isinstance(schema, list):
            for item in schema:
                self._index(item, base)
        if not isinstance(schema, dict):
            return
        identity = schema.get("$id", schema.get("id"))
        if isinstance(identity, str):
            base = urljoin(base, identity)
            self._named.setdefault(base.rstrip("#"), schema)
        for keyword in _ANCHORS:
            if isinstance(schema.get(keyword), str):
                self._named.setdefault(f"{urldefrag(base).url}#{schema[keyword]}", schema)
        self._base[id(schema)] = base
        for value in schema.values():
            self._index(value, base)

    def resolve(self, schema: Mapping[str, Any], path: str) -> Any:
        """Find the schema that another one refers to.

        Args:
            schema: The schema that holds the reference.
            path: Where it stands, for the error.

        Raises:
            SchemaError: The reference leads out of the document or nowhere.
        """
        target = reference(schema) or "#"
        url, fragment = urldefrag(urljoin(self._base.get(id(schema), ""), target))
        for name in (f"{url}#{fragment}", f"#{fragment}") if fragment else (url,):
            if name in self._named:
                return self._named[name]
        for document in (self._named.get(url), self._root):
            found = _follow(document, unquote(fragment))
            if found is not None and (document is not None) and _local(target, url, self._named):
                return found
        where = "nothing in the schema" if target.startswith("#") else "another document"
        raise SchemaError(f"the reference {target!r} leads to {where}", path)

    def recursive_group(self, target: Any) -> frozenset[int]:
        """Return the identities of the schemas that both lead to this one and follow from it."""
        mine = self._reachable(target)
        if id(target) not in mine:
            return frozenset()
        return frozenset(key for key in mine if id(target) in self._reach.get(key, frozenset()))

    def _reachable(self, target: Any) -> frozenset[int]:
        if id(target) in self._reach:
            return self._reach[id(target)]
        direct: dict[int, list[Any]] = {}
        pending = [target]
        while pending:
            schema = pending.pop()
            if id(schema) not in direct:
                direct[id(schema)] = list(self._mentioned(schema))
                pending += direct[id(schema)]
        for start in direct:
            seen: set[int] = set()
            stack = [id(schema) for schema in direct[start]]
            while stack:
                key = stack.pop()
                if key not in seen:
                    seen.add(key)
                    stack += [id(schema) for schema in direct[key]]
            self._reach[start] = frozenset(seen)
        return self._reach[id(target)]

    def _mentioned(self, schema: Any) -> Iterator[Any]:
        if isinstance(schema, list):
            for item in schema:
                yield from self._mentioned(item)
        if not isinstance(schema, dict):
            return
        if reference(schema) is not None:
            with suppress(SchemaError):  # a dangling one is reported where it is read
                yield self.resolve(schema, "$")
        for keyword, value in schema.items():
            if keyword not in DEFINITIONS:
                yield from self._mentioned(value)


def _local(target: str, url: str, named: Mapping[str, Any]) -> bool:
    return target.startswith("#") or url in named


def _follow(document: Any, pointer: str) -> Any:
    if pointer and not pointer.startswith("/"):
        return None
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        else:
            return None
    return document
