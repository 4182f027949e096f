"""Write cassettes that people can read: JSON as YAML, event streams as text, few headers.

vcrpy calls :meth:`CassetteFormat.serialize` and :meth:`CassetteFormat.deserialize`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import yaml

__all__ = ["CassetteFormat", "KeyInCassetteError"]

_LoaderBase: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class KeyInCassetteError(AssertionError):
    """Report that an exchange to be recorded holds the API key."""


class CassetteFormat:
    """Translate between vcrpy's dictionaries and a cassette's text.

    Args:
        secrets: Texts that no cassette may hold.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def serialize(self, cassette: dict[str, Any]) -> str:
        """Return the text of a cassette.

        Args:
            cassette: The interactions in vcrpy's shape.

        Raises:
            KeyInCassetteError: An interaction holds one of the secrets.
        """
        interactions = [
            {
                "request": _written_request(one["request"]),
                "response": _written_reply(one["response"]),
            }
            for one in cassette["interactions"]
        ]
        text = yaml.dump(
            {"interactions": interactions},
            Dumper=_Dumper,
            allow_unicode=True,
            sort_keys=False,
            width=float("inf"),
        )
        if any(secret in text for secret in self._secrets):
            raise KeyInCassetteError("The exchange holds the API key: it is not recorded.")
        return text

    def deserialize(self, text: str) -> dict[str, Any]:
        """Return the interactions of a cassette in vcrpy's shape.

        Args:
            text: The cassette.
        """
        interactions = yaml.load(text, Loader=_LoaderBase)["interactions"]
        return {
            "interactions": [
                {"request": _read_request(one["request"]), "response": _read_reply(one["response"])}
                for one in interactions
            ]
        }


class _Dumper(yaml.SafeDumper):
    """Writes every text of several lines as a literal block."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if any(character in text for character in _OTHER_LINE_ENDS):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_OTHER_LINE_ENDS = "\r\x85\u2028\u2029"  # YAML would read them as LF

_Dumper.add_representer(str, _represent_text)


def _written_request(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "method": request["method"],
        "path": request["uri"],
        "headers": {name: values[0] for name, values in request["headers"].items()},
        **_written_body(request["body"]),
    }


def _written_reply(reply: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": reply["status"]["code"],
        "headers": {name: ", ".join(values) for name, values in reply["headers"].items()},
        **_written_body(reply["body"]["string"]),
    }


def _written_body(body: str | bytes | None) -> dict[str, Any]:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        return {"text": body}
    return {"json": value}


def _read_request(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "method": request["method"],
        "uri": request["path"],
        "headers": {name: [value] for name, value in request["headers"].items()},
        "body": _read_body(request),
    }


def _read_reply(reply: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": {"code": reply["status"], "message": ""},
        "headers": {name: [value] for name, value in reply["headers"].items()},
        "body": {"string": _read_body(reply) or ""},
    }


def _read_body(kept: dict[str, Any]) -> str | bytes | None:
    if "json" in kept:
        return json.dumps(kept["json"], ensure_ascii=False, separators=(",", ":"))
    text: str | bytes | None = kept.get("text")
    return text
