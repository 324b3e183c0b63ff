"""Everything that types say against an expression, for whoever looks at it before it runs.

The compiler stops at the first thing; here what is wrong counts as `dyn`, so
that nothing is said twice of what is around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.lang.cel.check import TypeProblem, problems_of
from bartizan.lang.cel.lex import fail
from bartizan.lang.cel.parse import parse

if TYPE_CHECKING:
    from bartizan.lang.cel.declare import Environment
    from bartizan.lang.cel.types import Type

__all__ = ["TypeProblem", "type_problems"]


def type_problems(text: str, environment: Environment) -> tuple[Type, list[TypeProblem]]:
    """The type of an expression, and what is wrong in it, in the order of the text.

    Raises:
        SpecError: it cannot be read.
    """
    try:
        return problems_of(parse(text, environment.without), text, environment)
    except RecursionError:
        fail(text, 0, "an expression that nests too deep")
