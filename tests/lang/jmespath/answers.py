"""How tests ask an expression: with a fixed clock, seeded chance, and the project's own YAML reader."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from bartizan.base.errors import SpecError
from bartizan.lang.jmespath import Ambient, JmesPathError, compile_expression, functions_for
from bartizan.sources.yaml import parse_yaml_text

NOW = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)
FUNCTIONS = functions_for(Ambient(lambda: NOW, random.Random(1).random, parse_yaml_text))


def ask(expression: str, given: Any) -> dict[str, Any]:
    """`{"result": …}`, or `{"error": text}` where it has none, in Kyverno's dialect."""
    try:
        return {"result": compile_expression(expression, FUNCTIONS)(given)}
    except SpecError as error:
        return {"error": error.message}
    except JmesPathError as error:
        return {"error": str(error)}
