"""Whether an expression can run: every function known, with as many arguments as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean

if TYPE_CHECKING:
    from bartizan.lang.jmespath.library import Functions
    from bartizan.lang.jmespath.parse import Node


def check(node: Node, text: str, functions: Functions) -> None:
    """Look through the tree.

    Raises:
        SpecError: an unknown function, a wrong number of arguments, or a slice without a step.
    """
    if node["type"] == "function_expression":
        name, given = node["value"], len(node["children"])
        function = functions.get(name)
        if function is None:
            raise SpecError(f"unknown function `{name}` in `{text}`", hint=did_you_mean(name, functions.names))
        if given < function.least or (function.most is not None and given > function.most):
            wanted = function.signature()
            raise SpecError(f"`{name}` takes other arguments than the {given} in `{text}`", hint=f"Call {wanted}.")
    if node["type"] == "slice" and node["children"][2] == 0:
        raise SpecError(f"a slice in `{text}` has step 0", hint="Leave the step out, or make it 1.")
    for child in node["children"]:
        if isinstance(child, dict):
            check(child, text, functions)
