"""Measure what an import costs, in fresh processes, with the bytecode compiled beforehand."""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

__all__ = ["IMPORTS", "compile_everything", "import_figures"]

IMPORTS = {
    "langchain_core.language_models": "import langchain_core.language_models",
    "BaseChatModel": "from langchain_core.language_models import BaseChatModel",
    "langchain_monster": "import langchain_monster",
    "ChatMonster": "from langchain_monster import ChatMonster",
    "ChatMistralAI": "from langchain_mistralai import ChatMistralAI",
    "ChatOpenAI": "from langchain_openai import ChatOpenAI",
    "llama_index.core.llms": "import llama_index.core.llms",
    "llama_index_monster": "import llama_index_monster",
    "llama_index.llms.openai_like": "import llama_index.llms.openai_like",
}
"""What is imported, by the name the report gives it. LangChain's packages, and ours for it, import
their classes when they are asked for; every chat model asks for BaseChatModel."""

_PROGRAM = """
import json, sys, time
wall, cpu, before = time.perf_counter(), time.process_time(), set(sys.modules)
{statement}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps([cpu, wall, sorted(set(sys.modules) - before)]))
"""

_FRAMEWORK = {"ChatMonster": "BaseChatModel", "llama_index_monster": "llama_index.core.llms"}


def compile_everything() -> None:
    """Compile this project and every package of this environment, unless they are compiled."""
    root = Path(__file__).resolve().parents[2]
    for package in sorted(root.glob("*/py.typed")):
        compileall.compile_dir(package.parent, quiet=2)
    compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2, workers=0)


def import_figures() -> dict[str, dict[str, float]]:
    """Import everything in turn, each in a process of its own.

    Returns:
        By name: milliseconds of CPU and of wall time (of the quickest try, for nothing but other
        work makes an import slower), how many modules were loaded, and how many of
        the framework's that its own base class does not load.
    """
    tries = [{name: _imported(one) for name, one in IMPORTS.items()} for _ in range(_TRIES)]
    found = {name: min(one[name] for one in tries) for name in IMPORTS}
    figures = {}
    for name, (cpu, wall, modules) in found.items():
        figures[name] = {
            "import, ms": cpu * 1000,
            "import, wall ms": wall * 1000,
            "modules": len(modules),
        }
        if name in _FRAMEWORK:
            base = set(found[_FRAMEWORK[name]][2])
            added = [one for one in modules if one not in base and one.startswith(_PREFIXES)]
            figures[name]["framework modules on top"] = len(added)
    return figures


_TRIES = 3
_PREFIXES = ("langchain_core", "langsmith", "llama_index.", "workflows")


def _imported(statement: str) -> tuple[float, float, list[str]]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", _PROGRAM.format(statement=statement)]
    output = subprocess.run(command, env=environment, check=True, capture_output=True).stdout
    cpu, wall, modules = json.loads(output)
    return cpu, wall, modules
