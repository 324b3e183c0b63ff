"""CEL, compiled: the Common Expression Language that Kubernetes' admission policies are written in.

    text -> tokens -> nodes -> check -> emit -> Python source -> function(names)

Values are decoded JSON and the few types of `bartizan.lang.cel.values`. An
expression without a value raises `CelError`; nothing else comes out of one
but `CelBudgetError`, when it takes too much work.
"""

from bartizan.lang.cel.compile import Expression, compile_expression
from bartizan.lang.cel.declare import Environment, ObjectType, Overload, functions_of
from bartizan.lang.cel.errors import CelBudgetError, CelError, CelTotalError

__all__ = [
    "CelBudgetError",
    "CelError",
    "CelTotalError",
    "Environment",
    "Expression",
    "ObjectType",
    "Overload",
    "compile_expression",
    "functions_of",
]
