"""Reads a lowered schema the way the server does: as one regular expression over JSON text."""

import json
import re
from typing import Any

SPACE = "[ ]?"
NAME = r'"([^"\\\x00-\x1f\x7f-\x9f]|\\\\)*"'
SCALARS = {"boolean": "(true|false)", "null": "null"}


def expression(schema: dict[str, Any]) -> str:
    if "properties" in schema:
        return _named(schema)
    if "anyOf" in schema:
        return "(" + "|".join(map(expression, schema["anyOf"])) + ")"
    if "prefixItems" in schema:
        items = f"{SPACE},{SPACE}".join(map(expression, schema["prefixItems"]))
        return rf"\[{SPACE}{items}{SPACE}\]"
    if "enum" in schema:
        return "(" + "|".join(map(_value, schema["enum"])) + ")"
    if schema["type"] == "string":
        return f'("{schema["pattern"]}")'
    if schema["type"] == "array":
        return _several(schema, r"\[", r"\]", "Items")
    if schema["type"] == "object":
        return _several(schema, r"\{", r"\}", "Properties")
    if schema["type"] in ("integer", "number"):
        return _number(schema)
    return SCALARS[schema["type"]]


def _number(schema: dict[str, Any]) -> str:
    def most(keyword: str) -> str:
        return str(schema.get(keyword, ""))

    if schema["type"] == "integer":
        return f"-?(0|[1-9][0-9]{{0,{_less_one(most('maxDigits'))}}})"
    whole = f"-?(0|[1-9][0-9]{{0,{_less_one(most('maxDigitsInteger'))}}})"
    fraction = rf"(\.[0-9]{{1,{most('maxDigitsFraction')}}})?"
    return f"{whole}{fraction}([eE][+-][0-9]{{1,{most('maxDigitsExponent')}}})?"


def _less_one(most: str) -> str:
    return str(int(most) - 1) if most else ""


def _value(value: Any) -> str:
    assert isinstance(value, str | int | float)
    assert not isinstance(value, bool)
    return f'"{re.escape(value)}"' if isinstance(value, str) else re.escape(str(value))


def _named(schema: dict[str, Any]) -> str:
    required, members = schema["required"], []
    assert required, "an object without required properties is multiplied out"
    last = max(list(schema["properties"]).index(name) for name in required)
    for index, (name, value) in enumerate(schema["properties"].items()):
        member = f'{SPACE}"{re.escape(name)}"{SPACE}:{SPACE}{expression(value)}'
        if index < last:
            member = f"{member}{SPACE},"
        elif index > last:
            member = f"{SPACE},{member}"
        members.append(member if name in required else f"({member})?")
    return r"\{" + "".join(members) + SPACE + r"\}"


def _several(schema: dict[str, Any], opening: str, closing: str, counted: str) -> str:
    low, high = schema.get(f"min{counted}", 0), schema.get(f"max{counted}")
    if high == 0:
        return opening + SPACE + closing
    if counted == "Items":
        part = expression(schema["items"])
    else:
        part = f"{NAME}{SPACE}:{SPACE}{expression(schema['additionalProperties'])}"
    more = f"{{{max(low - 1, 0)},{'' if high is None else high - 1}}}"
    inside = f"(({part})({SPACE},{SPACE}({part})){more})" + ("" if low else "?")
    return opening + SPACE + inside + SPACE + closing


def as_written(instance: Any, schema: dict[str, Any]) -> Any:
    """Order an instance as the server writes it, with null for what the server makes required."""
    if "anyOf" in schema:
        return next((w for s in schema["anyOf"] if accepts(s, w := as_written(instance, s))), None)
    if isinstance(instance, dict) and "properties" in schema:
        names = [name for name in schema["properties"] if name_of(name) in instance]
        members = {**dict.fromkeys(schema["required"]), **dict.fromkeys(names)}
        return {
            name_of(name): as_written(instance.get(name_of(name)), schema["properties"][name])
            for name in schema["properties"]
            if name in members
        }
    if isinstance(instance, dict) and "additionalProperties" in schema:
        return {k: as_written(v, schema["additionalProperties"]) for k, v in instance.items()}
    if isinstance(instance, list) and "prefixItems" in schema:
        return [as_written(v, s) for v, s in zip(instance, schema["prefixItems"], strict=False)]
    if isinstance(instance, list) and "items" in schema:
        return [as_written(value, schema["items"]) for value in instance]
    return instance


def name_of(written: str) -> str:
    """Undo the escapes of a name: the server pastes it between quotation marks as it is."""
    return str(json.loads(f'"{written}"'))


def accepts(schema: dict[str, Any], instance: Any) -> bool:
    text = json.dumps(instance, ensure_ascii=False)
    return re.fullmatch(expression(schema), text) is not None
