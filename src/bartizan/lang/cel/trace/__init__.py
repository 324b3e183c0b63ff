"""Expressions in their traced mode: what each part gave, what it cost, and which of them decided.

A walk over the tree that was checked, calling what the emitted function
calls. LAW: both give the same value, or the same error.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from bartizan.lang.cel.errors import TOO_DEEP, CelBudgetError, CelError
from bartizan.lang.cel.text import texts_of
from bartizan.lang.cel.trace.prepared import prepare
from bartizan.lang.cel.trace.step import Step, mark_decided
from bartizan.lang.cel.trace.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.lang.cel.compile import Expression
    from bartizan.lang.cel.nodes import Node

__all__ = ["Counted", "Step", "Traced", "count", "trace"]


class Counted(NamedTuple):
    """What an expression gave, or the error it ended in, and what that cost."""

    value: Any
    error: CelError | CelBudgetError | None
    cost: int


class Traced(NamedTuple):
    """As `Counted`, with the step of the whole."""

    value: Any
    error: CelError | CelBudgetError | None
    cost: int
    step: Step


def count(expression: Expression, names: Mapping[str, Any], limit: int | None = None) -> Counted:
    """Evaluate an expression and count its cost; beyond `limit` it ends in a `CelBudgetError`.

    Without a limit, what the reference evaluates after an error for nothing
    is left out, and with it its cost.
    """
    walk = Walk(prepare(expression.text, expression.environment), names, limit)
    return Counted(*_ended(walk), walk.spent)


def trace(expression: Expression, names: Mapping[str, Any], limit: int | None = None) -> Traced:
    """As `count`, keeping what every part gave."""
    prepared = prepare(expression.text, expression.environment)
    walk = Walk(prepared, names, limit, _texts(prepared.tree))
    value, error = _ended(walk)
    step = walk.whole()
    mark_decided(step)
    return Traced(value, error, walk.spent, step)


@lru_cache(maxsize=64)
def _texts(tree: Node) -> Mapping[Node, str]:
    return texts_of(tree)


def _ended(walk: Walk) -> tuple[Any, CelError | CelBudgetError | None]:
    try:
        value = walk.run()
    except CelBudgetError as error:
        return None, error
    except RecursionError:
        return None, CelBudgetError(TOO_DEEP)
    return (None, value) if isinstance(value, CelError) else (value, None)
