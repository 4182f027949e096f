"""Write the tables of arguments in request-fields.md from their one declaration in the core.

python docs/request_fields.py          # prints what the page should hold
python docs/request_fields.py --write  # writes it there
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from monster_core.request.fields import ConversationParameters, RequestParameters

PAGE = Path(__file__).with_name("request-fields.md")

TABLES = {
    "request fields": RequestParameters,
    "conversation arguments": ConversationParameters,
}
"""Which model each marked place of the page describes."""


def with_tables(text: str) -> str:
    """Return the page's text with every table written anew.

    Args:
        text: The page's text; each table stands between two comments that name it.

    Raises:
        ValueError: A place is missing.
    """
    for name, model in TABLES.items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        if not place.search(text):
            raise ValueError(f"the page has no place for the {name}")
        text = place.sub(lambda found, of=model: f"{found[1]}{table(of)}{found[2]}", text)
    return text


def table(model: type[BaseModel]) -> str:
    """Return the table of a model's fields.

    Args:
        model: Whose fields to describe.
    """
    rows = ["| argument | value | meaning |", "|---|---|---|"]
    for name, schema in model.model_json_schema()["properties"].items():
        value = " or ".join(dict.fromkeys(_values(schema)))
        rows.append(f"| `{name}` | {value} | {schema['description']} |")
    return "\n".join([*rows, ""])


def _values(schema: dict[str, Any]) -> list[str]:
    if "anyOf" in schema:
        return [value for one in schema["anyOf"] for value in _values(one)]
    if "enum" in schema:
        return [f"`{value}`" for value in schema["enum"]]
    kind = schema.get("type")
    if kind == "null":
        return []
    if kind == "array":
        return [f"list of {' or '.join(_values(schema['items']))}"]
    return [_KINDS[kind] + _range(schema)] if kind else ["any"]


def _range(schema: dict[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    if least is not None and most is not None:
        return "" if most > _LONGEST else f", {least:g} to {most:g}"
    limits = [
        *([f"above {above:g}"] if above is not None else []),
        *([f"at least {least:g}"] if least is not None else []),
        *([f"at most {most:g}"] if most is not None else []),
    ]
    return f", {', '.join(limits)}" if limits else ""


_LONGEST = 2**53
_KINDS = {
    "boolean": "true or false",
    "integer": "integer",
    "number": "number",
    "object": "object",
    "string": "text",
}


def main(arguments: list[str]) -> None:
    """Print the page's text with its tables, or write it.

    Args:
        arguments: The command line.
    """
    text = with_tables(PAGE.read_text("utf-8"))
    if arguments == ["--write"]:
        PAGE.write_text(text, "utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main(sys.argv[1:])
