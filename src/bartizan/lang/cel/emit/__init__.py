"""Checked tree to Python source.

Each node becomes statements that leave its value in a Python expression. A
chain of fields is plain indexing, whose `KeyError` and `TypeError` are the
language's own errors and are named where they are caught. `&&`, `||`, `all`
and `exists` hold an error back in a variable until nothing can absorb it.
Text of an expression reaches the source only through `repr()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.emit.calls import write_call
from bartizan.lang.cel.emit.loops import write_bind, write_loop
from bartizan.lang.cel.emit.members import (
    write_constant,
    write_list,
    write_map,
    write_message,
    write_name,
    write_select,
)
from bartizan.lang.cel.emit.truth import write_choice, write_logic
from bartizan.lang.cel.emit.writing import Value, Writer
from bartizan.lang.cel.nodes import (
    Bind,
    Call,
    Choice,
    Constant,
    ListOf,
    Logic,
    Loop,
    MapOf,
    Message,
    Name,
    Node,
    Select,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.check import Checked
    from bartizan.lang.cel.declare import Overload

_WRITERS: Final[Mapping[type, Callable[[Writer, Any], Value]]] = {
    Constant: write_constant,
    Name: write_name,
    Select: write_select,
    Call: write_call,
    Logic: write_logic,
    Choice: write_choice,
    ListOf: write_list,
    MapOf: write_map,
    Message: write_message,
    Loop: write_loop,
    Bind: write_bind,
}


def emit(
    tree: Node, checked: Checked, dispatch: Callable[[tuple[Overload, ...], str], Any]
) -> tuple[str, dict[str, Any]]:
    """Write `def expression(names, budget)` and the constants it needs; `dispatch` picks an overload by its arguments.

    `budget` is a list of the steps that are left, for who wants to know.
    """
    writer = Writer(_WRITERS, checked, dispatch)
    writer.function(tree)
    return "\n\n".join(writer.source.functions) + "\n", writer.source.constants
