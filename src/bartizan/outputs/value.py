"""A value on its own, as JSON or YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from bartizan.base.json import to_text
from bartizan.outputs.yaml import lines, scalar

if TYPE_CHECKING:
    from bartizan.base.json import Json


def write_value(value: Json, form: str, *, compact: bool, unquoted: bool) -> str:
    """A value as text: JSON with sorted keys, on one line or several, or YAML; a text bare where that is wanted."""
    if unquoted and isinstance(value, str):
        return value
    if form == "yaml":
        if isinstance(value, dict) and value:
            return "\n".join(lines(value))
        if isinstance(value, list) and value:
            return "\n".join(list(lines({"items": value}))[1:])  # the writer wants a key above a list
        return scalar(value)
    text = to_text(value)
    return text if compact else orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2).decode()
