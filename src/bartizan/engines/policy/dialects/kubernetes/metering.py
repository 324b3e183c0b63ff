"""What expressions cost as the API server counts it, for those that could come near what they may.

To count takes many times as long as to evaluate, and hardly any expression
can cost a thousandth of what it may: only loops in loops in loops can, and
questions of rights, of which two are all that one expression may ask.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.cel.listening import listener
from bartizan.engines.policy.cel.names import Names
from bartizan.lang.cel import CelBudgetError, CelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.lang.cel import Expression

_TOKEN: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\.\s*(\w+)\s*\(|(\()|(\))""")
_LOOPS: Final = frozenset(
    {"all", "exists", "exists_one", "existsOne", "map", "filter", "sortBy"}
    | {"transformList", "transformMap", "transformMapEntry"}
)
_DEEP: Final = 3
"""Loops in each other from which on an expression is counted; two would need lists of hundreds."""
_CHECKS: Final = 3


def metered(expression: Expression) -> Expression:
    """The expression; if it could cost too much, as one that counts, and ends in an error where it does."""
    if not _is_costly(expression.text):
        return expression
    from bartizan.lang.cel.cost import EXPRESSION_LIMIT  # late: few expressions are counted
    from bartizan.lang.cel.trace import count

    watched = listener() is not None

    def run(names: Mapping[str, Any], _budget: list[int] | None) -> Any:
        if watched:
            with suppress(CelError, CelBudgetError):
                expression(names)  # whoever listens is told of it; what counts is counted below
        counted = count(expression, names, EXPRESSION_LIMIT)
        if isinstance(names, Names):
            names.spent += counted.cost
        if counted.error is not None:
            raise counted.error
        return counted.value

    return replace(expression, run=run)


def _is_costly(text: str) -> bool:
    depth = checks = deepest = 0
    opened: list[bool] = []
    for token in _TOKEN.finditer(text):
        called, plain, closing = token.groups()
        if called or plain:
            opened.append(called in _LOOPS)
            depth += opened[-1]
            deepest = max(deepest, depth)
            if called == "check":
                checks += _CHECKS if depth else 1
        elif closing and opened:
            depth -= opened.pop()
    return deepest >= _DEEP or checks >= _CHECKS
