"""Write what guides the text of a response in the form that a server takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monster_core.errors import InvalidRequestError
from monster_core.server_profiles import ServerProfile

__all__ = ["GUIDES", "in_form_of"]

GUIDES = {
    "guided_json": "json",
    "guided_regex": "regex",
    "guided_choice": "choice",
    "guided_grammar": "grammar",
}
"""The fields that guide the text, and the keys of ``structured_outputs`` that mean the same."""


def in_form_of(server: ServerProfile, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return request fields in the form that a server takes.

    Args:
        server: The server's profile.
        fields: The fields; at most one of ``GUIDES`` is among them.

    Raises:
        InvalidRequestError: The server takes no such guide.
    """
    guide = next((name for name in GUIDES if name in fields), None)
    if guide is None or server.guide_form == "guided":
        return dict(fields)
    sent = {name: value for name, value in fields.items() if name != guide}
    if server.guide_form == "structured_outputs":
        sent["structured_outputs"] = {GUIDES[guide]: fields[guide]}
    elif guide == "guided_json":
        schema = {"name": "answer", "schema": fields[guide], "strict": True}
        sent["response_format"] = {"type": "json_schema", "json_schema": schema}
    else:
        raise InvalidRequestError(
            f"{guide} cannot be used with server={server.name!r}, which is guided by schemas only: "
            "use guided_json or response_format."
        )
    return sent
