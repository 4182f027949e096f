"""What every package and every file of the repository has in common."""

from __future__ import annotations

import ast
import importlib
import re

import pytest

import monster_core
from tests.architecture.source import PACKAGES, modules
from tests.conftest import ROOT
from tests.files import files_of_the_repository

EVERY_PACKAGE = pytest.mark.parametrize("package", sorted(PACKAGES))


@EVERY_PACKAGE
def test_a_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


@EVERY_PACKAGE
def test_a_package_says_what_it_exports(package: str) -> None:
    assert importlib.import_module(package).__all__


def test_the_core_exports_its_errors_and_these_names() -> None:
    assert monster_core.__all__ == [
        "ModelFamily",
        "ServerProfile",
        "__version__",
        "register_model_family",
        "register_server_profile",
        "server_profile",
    ]


def test_exported_names_are_sorted_and_there() -> None:
    for module in modules():
        imported = importlib.import_module(module.name)
        names = list(getattr(imported, "__all__", []))
        by_kind = sorted(names, key=lambda name: (not name.isupper(), name.islower(), name))
        assert names in (by_kind, sorted(names)), module.name
        assert [name for name in names if not hasattr(imported, name)] == [], module.name


def test_everything_public_has_a_docstring() -> None:
    bare = [module.name for module in modules() if not ast.get_docstring(module.tree)]
    bare += [
        f"{module.name}.{node.name}"
        for module in modules()
        for node in _public(module.tree.body)
        if not (ast.get_docstring(node) or _is_part_of_another(node))
    ]
    assert not bare


def test_names_say_what_a_thing_is() -> None:
    vague = re.compile(
        r"(^|[._])(utils?|helpers?|manager|common|misc)($|_)|(Manager|Helper|Util)s?$"
    )
    names = [module.name for module in modules()]
    names += [f"{one.name}.{node.name}" for one in modules() for node in _public(one.tree.body)]
    assert [name for name in names if vague.search(name)] == []


def test_the_version_stands_in_one_place() -> None:
    version = monster_core.__version__
    literal = re.compile(rf"[\"']{re.escape(version)}[\"']")
    holders = [
        module.name for module in modules() if literal.search(module.path.read_text("utf-8"))
    ]
    assert holders == ["monster_core.version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@EVERY_PACKAGE
def test_every_package_reports_that_version(package: str) -> None:
    module = importlib.import_module(package)
    assert getattr(module, "__version__", monster_core.__version__) == monster_core.__version__


MACHINES_FOLDERS = re.compile(r"(?<![\w.])/(?:root|home|Users|work|opt|srv)/\w|\bfile://")


def test_no_file_names_the_machine_it_was_written_on() -> None:
    named = {
        str(path.relative_to(ROOT)): places
        for path in files_of_the_repository()
        if (places := MACHINES_FOLDERS.findall(path.read_bytes().decode("utf-8", "replace")))
    }
    assert not named


def _public(
    body: list[ast.stmt],
) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    found: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if not node.name.startswith("_"):
            found.append(node)
            if isinstance(node, ast.ClassDef):
                found += _public(node.body)
    return found


def _is_part_of_another(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether it is an overload or a property's setter, which share one docstring."""
    return any(
        (isinstance(one, ast.Name) and one.id == "overload")
        or (isinstance(one, ast.Attribute) and one.attr == "setter")
        for one in node.decorator_list
    )
