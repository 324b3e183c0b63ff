"""Expression text to Python function, by way of readable source."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.generated import load
from bartizan.lang.cel import operators
from bartizan.lang.cel.check import check
from bartizan.lang.cel.dispatch import dispatcher
from bartizan.lang.cel.emit import emit
from bartizan.lang.cel.errors import TOO_DEEP, CelBudgetError, CelError, no_such_overload
from bartizan.lang.cel.lex import fail
from bartizan.lang.cel.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.lang.cel.declare import Environment
    from bartizan.lang.cel.types import Type

_NUMBERS: Final = count(1)
_VAGUE: Final = no_such_overload().args
"""What is said of a field of something that has none, which the fast function does not look into."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: call it with a value for every name the environment declares.

    Raises (when called):
        CelError: there is no value for this input.
        CelBudgetError: it takes more steps than `operators.MAX_STEPS`, or a value nests too deep.
    """

    text: str
    type: Type
    source: str
    environment: Environment
    run: Callable[..., Any]
    heard: Callable[[Mapping[str, Any]], None] | None = None
    """Told of names on which it is counted instead of run, for whoever watches what it does."""

    def __call__(self, names: Mapping[str, Any], budget: list[int] | None = None) -> Any:
        """The value; `budget` holds the steps it may take, and afterwards those that are left."""
        try:
            return self.run(names, budget)
        except CelError as error:
            if error.args != _VAGUE:
                raise
            raise _precise(self, names, error) from None
        except RecursionError:
            raise CelBudgetError(TOO_DEEP) from None

    def cost(self, names: Mapping[str, Any]) -> int:
        """What it costs on this input, as the API server counts it."""
        from bartizan.lang.cel.trace import count

        return count(self, names, sys.maxsize).cost


@lru_cache(maxsize=8192)
def compile_expression(text: str, environment: Environment) -> Expression:
    """Compile an expression.

    Raises:
        SpecError: it is malformed, uses what the environment does not have, or can have no value.
    """
    try:
        tree = parse(text, environment.without)
        checked = check(tree, text, environment)
        source, constants = emit(tree, checked, dispatcher)
        return Expression(text, checked.types[tree], source, environment, _load(source, constants, text))
    except RecursionError:
        fail(text, 0, "an expression that nests too deep")


def _precise(expression: Expression, names: Mapping[str, Any], error: CelError) -> CelError:
    """What a vague error is about: a walk says which field of what it is that is not there."""
    from bartizan.lang.cel.trace import count

    found = count(expression, names).error
    return found if isinstance(found, CelError) else error


def _load(source: str, constants: dict[str, Any], text: str) -> Callable[..., Any]:
    """The function that the emitter wrote; its source shows in tracebacks and profilers."""
    file = f"<cel {next(_NUMBERS)}: {text[:60]!r}>"
    run: Callable[..., Any] = load(source, "expression", file, {**operators.NAMES, **constants})
    return run
