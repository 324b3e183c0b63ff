"""Which overload a call means, by the values it is given when they come."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from bartizan.lang.cel.errors import CelError, no_such_overload
from bartizan.lang.cel.operators.arithmetic import NEGATED
from bartizan.lang.cel.types import DYN
from bartizan.lang.cel.values import CLASSES, name_of, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.lang.cel.declare import Overload
    from bartizan.lang.cel.types import Type


_SILENT: Final = frozenset({"contains", "startsWith", "endsWith", "matches", "find"})
"""Functions of which the reference does not say what they were given."""
_BARE: Final = {"size": "size", "-_": "-_", "sort": "sort", "@sortBy": "@sortByAssociatedKeys"}
"""Functions that the reference says alone, and how it calls them."""
_CALLED: Final = {"math.greatest": "math.@max", "math.least": "math.@min"}
"""Functions with another name in the reference's errors."""


@lru_cache(maxsize=2048)
def dispatcher(overloads: tuple[Overload, ...], name: str = "") -> Callable[..., Any]:
    """A function that calls the first of `overloads` that its arguments fit; `name` is for the error of none.

    Of several that they fit by class (a list is one whatever it holds), each
    says `no such overload` for members that it is not for, and the next is
    asked.
    """
    quick = _for_one(overloads[0], name) if len(overloads) == 1 else None
    return _for_any(overloads, name) if quick is None else quick


def with_ambient(overloads: tuple[Overload, ...]) -> tuple[Overload, ...]:
    """Overloads that have an ambient argument, with a parameter for it before the others."""
    return tuple(replace(item, parameters=(DYN, *item.parameters)) for item in overloads)


def _for_one(overload: Overload, name: str) -> Callable[..., Any] | None:
    """As `_for_any`, for the most common shapes: one overload, with one or two values of plain classes."""
    function = overload.call
    classes = [CLASSES.get(kind.name) for kind in overload.parameters]
    if None in classes or len(classes) not in (1, 2):
        return None
    slow = _for_any((overload,), name)
    if len(classes) == 1:
        (only,) = classes
        return lambda value: function(value) if value.__class__ is only else slow(value)
    first, second = classes

    def call(left: Any, right: Any) -> Any:
        if left.__class__ is first and right.__class__ is second:
            return function(left, right)
        return slow(left, right)

    return call


def _for_any(overloads: tuple[Overload, ...], name: str) -> Callable[..., Any]:
    known: dict[tuple[type, ...], list[Callable[..., Any]]] = {}

    def call(*values: Any) -> Any:
        classes = tuple(value.__class__ for value in values)
        fitting = known.get(classes)
        if fitting is None:
            fitting = known[classes] = [
                overload.call for overload in overloads if overload.loose or _fits(classes, overload.parameters)
            ]
        for function in fitting:
            try:
                return function(*values)
            except CelError as error:
                if str(error) != _NONE:
                    raise
        raise no_such_overload(_said(name, values))

    return call


def _said(name: str, values: tuple[Any, ...]) -> str:
    if name in _BARE:
        return "" if name == "-_" and values[0].__class__ in NEGATED else _BARE[name]
    if not name or name in _SILENT:
        return ""
    return f"{_CALLED.get(name, name)}({', '.join(map(name_of, values))})"


_NONE = str(no_such_overload())


def _fits(classes: tuple[type, ...], wanted: tuple[Type, ...]) -> bool:
    return all(
        kind == DYN or kind.name.startswith("%") or kind.name == type_name(given)
        for given, kind in zip(classes, wanted, strict=True)
    )
