"""Say which settings are in use and where each comes from, with secrets masked."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from monster_core.doctor.report import Finding, Setting
from monster_core.name_suggestions import nearest_name
from monster_core.settings import MonsterSettings
from monster_core.version import __version__

__all__ = ["check_variables", "installed_versions", "settings_in_use"]

_OPTIONS = {
    "MONSTER_API_BASE": "--base-url",
    "MONSTER_MODEL": "--model",
    "MONSTER_TIMEOUT": "--timeout",
}
_OF_THE_SYSTEM = (
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)
_PACKAGES = ("httpx", "pydantic", "langchain-core", "llama-index-core")


def installed_versions() -> dict[str, str]:
    """Return the versions of what an answer may depend on, without importing it."""
    versions = {
        "monsterapi-integrations": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def settings_in_use(options: Mapping[str, object]) -> list[Setting]:
    """Return every setting: those of this package, and what is set of the system's.

    Args:
        options: What the command line gives, by the environment variable that it replaces; None
            for what it does not give.
    """
    variables = {name.upper(): value for name, value in os.environ.items() if value}
    settings = [
        _setting(f"MONSTER_{name.upper()}", field.default, options, variables)
        for name, field in MonsterSettings.model_fields.items()
    ]
    settings += [
        Setting(name, without_credentials(variables[name]), "variable")
        for name in _OF_THE_SYSTEM
        if name in variables
    ]
    return settings


def check_variables() -> Finding:
    """Find variables that look like settings of this package, and are none."""
    known = set(MonsterSettings.model_fields)
    unknown = sorted(
        name
        for name in os.environ
        if name.upper().startswith("MONSTER") and _field_of(name) not in known
    )
    if not unknown:
        return Finding("ok", "the settings can be used")
    detail = " ".join(_unknown_variable(name, known) for name in unknown)
    return Finding("note", detail, "A variable of another name is not read: rename it.")


def _unknown_variable(name: str, known: Iterable[str]) -> str:
    nearest = nearest_name(_field_of(name), known)
    hint = f": did you mean 'MONSTER_{nearest.upper()}'?" if nearest else "."
    return f"Unknown variable {name!r}{hint}"


def _field_of(variable: str) -> str:
    """Return a variable's name without the beginning that all settings share."""
    return variable.upper().removeprefix("MONSTER_").lower()


def without_credentials(address: str) -> str:
    """Return an address with stars for what stands before an @.

    Args:
        address: The address, of a proxy or an endpoint.
    """
    scheme, separator, rest = address.rpartition("://")
    _, at, host = rest.rpartition("@")
    return f"{scheme}{separator}***@{host}" if at else address


def _setting(
    name: str, default: object, options: Mapping[str, object], variables: Mapping[str, str]
) -> Setting:
    given = options.get(name)
    if given is not None:
        return Setting(name, _shown(name, str(given)), _OPTIONS[name])
    if name in variables:
        return Setting(name, _shown(name, variables[name]), "variable")
    if default is None:
        return Setting(name, "", "not set")
    return Setting(name, str(default), "default")


def _shown(name: str, value: str) -> str:
    if name == "MONSTER_API_KEY":
        return f"*** ({len(value.strip())} characters)"
    if name == "MONSTER_API_BASE":  # what is not an address may be a key in the wrong place
        return without_credentials(value) if "://" in value else "*** (not an address)"
    return value
