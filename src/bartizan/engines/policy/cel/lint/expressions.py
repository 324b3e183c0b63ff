"""Rules about expressions as such: what does not compile, and what costs too much."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.cel.lint.naming import early_variable
from bartizan.engines.policy.cel.lint.paths import start_of
from bartizan.engines.policy.cel.lint.view import every
from bartizan.engines.policy.remark import Said
from bartizan.lang.cel.nodes import Bind, Loop, Name, children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.engines.policy.cel.lint.view import CelView
    from bartizan.lang.cel.nodes import Node

_PLACE: Final = re.compile(r" at column \d+ of `.*`$", re.DOTALL)
_NO_FIELD: Final = "unknown field"
_MOST_LOOPS: Final = 2


def bad_expression(policy: CelView) -> Iterator[Said]:
    """Expressions that do not compile, or give what they must not."""
    told = {said.pointer for said in early_variable(policy)}
    for found in policy.expressions.values():
        error = found.error
        if error is not None and not (found.at in told and error.message.startswith(_NO_FIELD)):
            message = _PLACE.sub("", error.message)
            yield Said(
                found.at, message, error.hint, begins=found.offset_in(policy.document) + max(error.column - 1, 0)
            )


def costly_expression(policy: CelView) -> Iterator[Said]:
    """Loops inside loops over lists that have nothing to do with each other."""
    for found in policy.expressions.values():
        if found.tree is None:
            continue
        depth, loop = _deepest(found.tree, frozenset())
        if depth > _MOST_LOOPS and loop is not None:
            message = f"{depth} loops inside each other, each over a whole list"
            hint = f"On lists of 100 they take {100**depth:,} turns; gather in a variable what the inner ones look for."
            yield Said(found.at, message, hint, begins=start_of(loop))


def _deepest(node: Node, bound: frozenset[str]) -> tuple[int, Loop | None]:
    """How many loops stand inside each other at most, each over something of its own, and the outermost."""
    if isinstance(node, Loop):
        names = {node.first, node.second or node.first}
        inner, _ = max(
            (_deepest(part, bound | names) for part in (node.condition, node.result) if part is not None),
            key=lambda item: item[0],
            default=(0, None),
        )
        counts = not _depends(node.over, bound) and _is_long(node.over)
        over, loop = _deepest(node.over, bound)
        here = inner + counts
        return (here, node) if here >= over else (over, loop)
    found = [_deepest(child, bound) for child in children(node)]
    return max(found, key=lambda item: item[0], default=(0, None))


def _depends(node: Node, bound: frozenset[str]) -> bool:
    return any(isinstance(part, Name) and part.name in bound for part in every(node))


def _is_long(node: Node) -> bool:
    """Whether it reads anything; a list that is written out is short."""
    return any(isinstance(part, Name) for part in every(node)) and not isinstance(node, Bind)
