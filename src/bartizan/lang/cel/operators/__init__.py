"""What operators do to values whose types come out only when an expression runs, and the checks that go with it."""

from __future__ import annotations

from typing import Final

from bartizan.lang.cel.operators.arithmetic import (
    add,
    divide,
    modulo,
    multiply,
    negate,
    negation,
    subtract,
)
from bartizan.lang.cel.operators.equality import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    not_equal,
)
from bartizan.lang.cel.operators.limits import (
    FAILURES,
    MAX_ITEMS,
    MAX_STEPS,
    TIME_MAX,
    TIME_MIN,
    boolean,
    bound,
    duration,
    int64,
    no_overload,
    over_budget,
    overflow,
    raised,
    sized,
    spend,
    timestamp,
    uint64,
)
from bartizan.lang.cel.operators.members import (
    contains,
    field,
    has,
    held,
    index,
    mapping,
    members,
    optional_field,
    optional_index,
    pairs,
    put,
    put_all,
    shown,
)
from bartizan.lang.cel.values import Optional, UInt

__all__ = [
    "FAILURES",
    "MAX_ITEMS",
    "MAX_STEPS",
    "NAMES",
    "TIME_MAX",
    "TIME_MIN",
    "add",
    "boolean",
    "bound",
    "contains",
    "divide",
    "duration",
    "equal",
    "field",
    "greater",
    "greater_equal",
    "has",
    "held",
    "index",
    "int64",
    "less",
    "less_equal",
    "mapping",
    "members",
    "modulo",
    "multiply",
    "negate",
    "negation",
    "no_overload",
    "not_equal",
    "optional_field",
    "optional_index",
    "over_budget",
    "overflow",
    "pairs",
    "put",
    "put_all",
    "raised",
    "shown",
    "sized",
    "spend",
    "subtract",
    "timestamp",
    "uint64",
]

NAMES: Final = {
    function.__name__: function
    for function in (
        *(raised, overflow, int64, uint64, no_overload, spend, over_budget, sized, equal, less, less_equal),
        *(greater, greater_equal, add, subtract, multiply, divide, modulo, negate, negation, boolean, index, field),
        *(has, optional_field, optional_index, contains, members, pairs, mapping, put, put_all, held, bound),
    )
} | {
    "FAILURES": FAILURES,
    "MAX_STEPS": MAX_STEPS,
    "Optional": Optional,
    "UInt": UInt,
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "list": list,
    "dict": dict,
    "isinstance": isinstance,
    "len": len,
}
"""All a generated expression can reach; builtins are not."""
