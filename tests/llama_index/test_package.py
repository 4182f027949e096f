"""What the package offers by name, and says where something is missing."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap
from typing import get_type_hints

import pytest

from llama_index_monster import MonsterLLM, errors
from monster_core import errors as core_errors


def own_methods():
    for name, member in inspect.getmembers(MonsterLLM):
        if name.startswith("_") and not name.startswith("__"):
            continue
        function = getattr(member, "__func__", member)
        module = getattr(function, "__module__", "") or ""
        if inspect.isfunction(function) and module.startswith(("llama_index_monster", "monster_")):
            yield pytest.param(function, id=name)


@pytest.mark.parametrize("method", list(own_methods()))
def test_type_hints_resolve_at_run_time(method):
    assert "return" in get_type_hints(method)


@pytest.mark.parametrize("name", sorted({*core_errors.__all__} - {"ServerReply"}))
def test_every_error_is_exported(name):
    exported = getattr(errors, name, None)
    if inspect.isclass(getattr(core_errors, name)):
        assert exported is getattr(core_errors, name)
        assert name in errors.__all__


def test_a_missing_framework_is_named_with_the_extra_that_installs_it():
    script = """
        import sys

        class NotInstalled:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "llama_index":
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, NotInstalled())
        try:
            import llama_index_monster
        except ImportError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert 'pip install "monsterapi-integrations[llama-index]"' in done.stdout
