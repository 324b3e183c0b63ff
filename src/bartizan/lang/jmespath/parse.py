"""Text to syntax tree, by the jmespath package's parser, with limits and our errors."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any, Final, TypeAlias

from jmespath import exceptions, parser

from bartizan.base.errors import SpecError

Node: TypeAlias = dict[str, Any]
"""`{"type": …, "children": […], "value": …}`, as the package builds it."""

MAX_CHARS: Final = 64 * 1024
"""Longer expressions are refused: real ones are below a kilobyte."""
MAX_DEPTH: Final = 100
"""Deeper trees are refused, well before Python's own stack ends."""


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """Parse an expression.

    Raises:
        SpecError: it is malformed, too long or too deep; the message has the column.
    """
    if len(text) > MAX_CHARS:
        raise SpecError(f"expression of {len(text)} characters", hint=f"Keep expressions below {MAX_CHARS} characters.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package warns of old literals, which policies still use
            tree: Node = parser.Parser().parse(text).parsed
    except (exceptions.ParseError, exceptions.LexerError, exceptions.EmptyExpressionError) as error:
        column = getattr(error, "lex_position", None)
        place = f" at column {column + 1}" if isinstance(column, int) else ""
        hint = "Check brackets and quotes: names in \"…\", text in '…', JSON in `…`."
        raise SpecError(f"bad JMESPath `{text}`{place}: {_reason(error)}", hint=hint) from error
    except (RecursionError, ValueError) as error:
        raise SpecError(f"bad JMESPath `{text[:80]}`: {error}", hint="Make it shorter and flatter.") from error
    if _too_deep(tree):
        raise SpecError(f"bad JMESPath `{text[:80]}`: nests too deep", hint=f"Keep below {MAX_DEPTH} levels.")
    return tree


def _reason(error: Exception) -> str:
    text = getattr(error, "msg", None) or getattr(error, "message", None) or str(error)
    return " ".join(str(text).split())


def _too_deep(tree: Node) -> bool:
    level = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in node["children"] if isinstance(child, dict)]
        if not level:
            return False
    return True
