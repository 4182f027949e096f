"""Decide how an answer is made to satisfy a JSON schema."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monster_core.errors import InvalidRequestError
from monster_core.json_schema import LoweredSchema, SchemaError, lower
from monster_core.json_schema.lower import canonical
from monster_core.json_schema.schema_for_prompt import told

__all__ = ["SchemaGuide", "plan_guide"]

_log = logging.getLogger(__name__)
_warned: set[str] = set()


@dataclass(frozen=True, slots=True)
class SchemaGuide:
    """Hold what a schema for the answer adds to a request.

    Args:
        fields: Request fields to send.
        instructions: What the prompt says of the schema; None if it says nothing.
        lowered: What became of the schema.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    instructions: str | None = None
    lowered: LoweredSchema | None = None

    @property
    def is_enforced(self) -> bool:
        """Whether the server itself holds the answer to the schema."""
        return "guided_json" in self.fields


def plan_guide(
    schema: Mapping[str, Any], *, in_prompt: bool, is_single: bool = True
) -> SchemaGuide:
    """Plan how a schema is put to the server.

    Args:
        schema: The JSON schema of the whole answer.
        in_prompt: Whether the model is told the schema, too: guiding alone does not inform it.
        is_single: Whether one answer is asked for: only then may the server keep to a grammar.

    Raises:
        InvalidRequestError: It is no usable JSON schema.
    """
    try:
        lowered = lower(schema)
    except SchemaError as error:
        raise InvalidRequestError(f"The answer's schema cannot be used: {error}.") from error
    shown = canonical(told(schema)).decode()
    text = f"Answer with only JSON that satisfies this JSON schema:\n\n{shown}"
    if lowered.obstacle is None:
        return SchemaGuide({"guided_json": lowered.schema}, text if in_prompt else None, lowered)
    if lowered.obstacle not in _warned:
        _warned.add(lowered.obstacle)
        _log.warning(
            "The answer cannot be guided by its schema (%s): the schema stands in the prompt, and "
            "the answer is checked afterwards.",
            lowered.obstacle,
        )
    is_object = is_single and schema.get("type", "object") == "object"
    fields = {"response_format": {"type": "json_object"}} if is_object else {}
    return SchemaGuide(fields, text, lowered)
