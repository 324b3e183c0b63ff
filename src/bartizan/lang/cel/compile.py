"""Expression text to Python function, by way of readable source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.generated import load
from bartizan.lang.cel import operators
from bartizan.lang.cel.check import check
from bartizan.lang.cel.dispatch import dispatcher
from bartizan.lang.cel.emit import emit
from bartizan.lang.cel.errors import CelError, no_such_overload
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
        CelBudgetError: it takes more steps than `operators.MAX_STEPS`.
    """

    text: str
    type: Type
    source: str
    environment: Environment
    run: Callable[[Mapping[str, Any]], Any]

    def __call__(self, names: Mapping[str, Any]) -> Any:
        """The value."""
        try:
            return self.run(names)
        except CelError as error:
            if error.args != _VAGUE:
                raise
            return _careful(self.text, self.environment)(names)


@lru_cache(maxsize=8192)
def compile_expression(text: str, environment: Environment) -> Expression:
    """Compile an expression.

    Raises:
        SpecError: it is malformed, uses what the environment does not have, or can have no value.
    """
    kind, source, run = _compiled(text, environment, careful=False)
    return Expression(text, kind, source, environment, run)


@lru_cache(maxsize=1024)
def _careful(text: str, environment: Environment) -> Callable[[Mapping[str, Any]], Any]:
    return _compiled(text, environment, careful=True)[2]


def _compiled(
    text: str, environment: Environment, *, careful: bool
) -> tuple[Type, str, Callable[[Mapping[str, Any]], Any]]:
    try:
        tree = parse(text, environment.without)
        checked = check(tree, text, environment)
        source, constants = emit(tree, checked, dispatcher, careful=careful)
        return checked.types[tree], source, _load(source, constants, text)
    except RecursionError:
        fail(text, 0, "an expression that nests too deep")


def _load(source: str, constants: dict[str, Any], text: str) -> Callable[[Mapping[str, Any]], Any]:
    """The function that the emitter wrote; its source shows in tracebacks and profilers."""
    file = f"<cel {next(_NUMBERS)}: {text[:60]!r}>"
    run: Callable[[Mapping[str, Any]], Any] = load(source, "expression", file, {**operators.NAMES, **constants})
    return run
