"""Read the packages' source: which modules there are and what each imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

__all__ = ["ADAPTERS", "PACKAGES", "Import", "Module", "modules"]

ADAPTERS = {"langchain_monster", "llama_index_monster"}
PACKAGES = {"monster_core", *ADAPTERS, "monster_emulator"}


@dataclass(frozen=True)
class Import:
    """Hold one import.

    Args:
        module: The full name of what is imported.
        is_eager: Whether importing the importing module runs it.
    """

    module: str
    is_eager: bool

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class Module:
    """Hold one module of a package.

    Args:
        name: Its full name.
        path: Its file.
        tree: Its parsed source.
    """

    name: str
    path: Path
    tree: ast.Module

    def imports(self) -> list[Import]:
        """Return everything it imports for use at run time."""
        return list(self._imports(self.tree.body, is_eager=True))

    def _imports(self, body: list[ast.stmt], *, is_eager: bool) -> Iterator[Import]:
        for node in body:
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, is_eager) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield Import(self._target(node), is_eager)
            elif not _is_for_types_only(node):
                is_later = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                inner = [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)]
                inner += [
                    one
                    for block in ast.iter_child_nodes(node)
                    if isinstance(block, (ast.ExceptHandler, ast.match_case))
                    for one in block.body
                ]
                yield from self._imports(inner, is_eager=is_eager and not is_later)

    def _target(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        package = parts if self.path.name == "__init__.py" else parts[:-1]
        here = package[: len(package) - node.level + 1]
        return ".".join([*here, *([node.module] if node.module else [])])


def _is_for_types_only(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )


def _modules() -> Iterator[Module]:
    for package in sorted(PACKAGES):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Module(name, path, ast.parse(path.read_text("utf-8")))


@cache
def modules() -> list[Module]:
    """Return every module of the packages."""
    return list(_modules())
