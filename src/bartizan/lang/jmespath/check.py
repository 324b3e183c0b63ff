"""Whether an expression can run: every function known, with as many arguments as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.lang.jmespath.parse import call_columns, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.lang.jmespath.library import Functions
    from bartizan.lang.jmespath.parse import Node


def check(tree: Node, text: str, functions: Functions) -> None:
    """Look through the tree.

    Raises:
        SpecError: an unknown function, a wrong number of arguments, or a slice with step 0.
    """
    columns = call_columns(text)
    for node in _in_text_order(tree):
        if node["type"] == "function_expression":
            _check_call(node, text, functions, next(columns, 1))
        elif node["type"] == "slice" and node["children"][2] == 0:
            raise SpecError(f"a slice in {quote(text)} has step 0", hint="Leave the step out, or make it 1.")


def _check_call(node: Node, text: str, functions: Functions, column: int) -> None:
    name, given = node["value"], len(node["children"])
    function = functions.get(name)
    if function is None:
        hint = did_you_mean(name, functions.names, listed="bartizan jp function")
        raise SpecError(f"unknown function `{name}` at column {column} of {quote(text)}", hint=hint, column=column)
    if given < function.least or (function.most is not None and given > function.most):
        raise SpecError(
            f"`{name}` at column {column} of {quote(text)} takes other arguments than the {given} it is given",
            hint=f"Call {function.signature()}.",
            column=column,
        )


def _in_text_order(node: Node) -> Iterator[Node]:
    """A node and all below it, in the order in which their text begins."""
    yield node
    children = node["children"]
    if node["type"] == "filter_projection":
        source, right, condition = children
        children = [source, condition, right]
    for child in children:
        if isinstance(child, dict):
            yield from _in_text_order(child)
