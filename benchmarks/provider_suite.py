"""Run the LlamaIndex provider suite against MonsterLLM and its peers, and write the table of it.

    export MONSTER_API_BASE=http://127.0.0.1:8000/v1 MONSTER_API_KEY=...
    python benchmarks/provider_suite.py

Installs the peers into .benchmarks/provider-suite, asks the endpoint (which has to serve
meta-llama/Meta-Llama-3.1-8B-Instruct) some 200 short questions, and writes
docs/llama-index-suite.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".benchmarks" / "provider-suite"
TABLE = ROOT / "docs" / "llama-index-suite.md"
PYTHON = ENVIRONMENT / "bin" / "python"

SERVER = os.environ.get("PROVIDER_SUITE_SERVER", "an endpoint nobody named")
"""What the table says it was measured on."""

PACKAGES = [
    "llama-index-llms-openai-like==0.8.0",
    "llama-index-llms-monsterapi==0.6.0",
    "pytest>=8.2",
    "pytest-timeout",
]
PROVIDERS = {
    "MonsterLLM": "this package",
    "OpenAILike": "llama-index-llms-openai-like 0.8.0",
    "OldMonsterLLM": "llama-index-llms-monsterapi 0.6.0",
}

HEAD = """# The LlamaIndex provider suite

LlamaIndex has no standard tests for its providers, so this project wrote some: the file
[provider_suite.py][file] speaks LlamaIndex's public API only, and any provider can copy and
subclass it. It runs with every test of this project, replayed.

The table says what `python benchmarks/provider_suite.py` found on
{server}.
OpenAILike was told that its model chats and calls functions, and its context window. The old
package asks for `/models/info`, which a plain vLLM does not have: that was answered for it, as
MonsterAPI would. What the two can do at an endpoint of today's OpenAI dialect is not measured here.

[file]: {repository}/blob/main/tests/llama_index/provider_suite.py

"""
REPOSITORY = "https://github.com/monsterapi-integrations/monsterapi-integrations"


def main() -> None:
    if not os.environ.get("MONSTER_API_KEY"):
        sys.exit("Set MONSTER_API_KEY, and MONSTER_API_BASE if it is not MonsterAPI's.")
    install()
    found = {provider: results(provider) for provider in PROVIDERS}
    TABLE.write_text(
        HEAD.format(server=SERVER, repository=REPOSITORY) + table(found), encoding="utf-8"
    )
    print(f"Wrote {TABLE.relative_to(ROOT)}")


def install() -> None:
    if PYTHON.exists():
        return
    venv.create(ENVIRONMENT, with_pip=True)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"{ROOT}[llama-index]", *PACKAGES], check=True)


def results(provider: str) -> dict[str, str]:
    """Return the outcome of every check, by its name."""
    report = ENVIRONMENT / f"{provider}.xml"
    pytest = [PYTHON, "-m", "pytest", ROOT / "benchmarks" / "provider_suite_peers.py"]
    options = ["-q", "--tb=line", "-k", f"Test{provider}", "--timeout=60", f"--junitxml={report}"]
    settings = ["-o", "addopts=", "-o", "filterwarnings=ignore", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*pytest, *options, *settings], cwd=ROOT, env=environment, check=False)
    return {case.get("name", ""): outcome(case) for case in ET.parse(report).iter("testcase")}


def outcome(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "no"
    return "-" if case.find("skipped") is not None else "yes"


def table(found: dict[str, dict[str, str]]) -> str:
    names = list(next(iter(found.values())))
    passed = [sum(result == "yes" for result in found[one].values()) for one in PROVIDERS]
    rows = [
        ["check", *(f"{one.removeprefix('Old')}: {PROVIDERS[one]}" for one in PROVIDERS)],
        ["---"] * (1 + len(PROVIDERS)),
        [f"**passed, of {len(names)}**", *(f"**{number}**" for number in passed)],
        *([words(name), *(found[one].get(name, "no") for one in PROVIDERS)] for name in names),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def words(name: str) -> str:
    spaced = name.removeprefix("test_").replace("_s_", "'s_").replace("_", " ")
    return spaced.replace("[", " (").replace("]", ")")


if __name__ == "__main__":
    main()
