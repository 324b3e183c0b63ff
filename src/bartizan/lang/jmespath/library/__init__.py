"""The functions of JMESPath and the ones Kyverno adds, one module a family."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from bartizan.lang.jmespath.library import collections, encoding, numbers, standard, strings, times
from bartizan.lang.jmespath.library.signature import Ambient, Function, Functions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Ambient", "Function", "Functions", "functions_for", "standard_functions"]


def standard_functions() -> Functions:
    """The functions of the specification alone, where `sum` adds numbers and nothing has no sum but 0."""
    return Functions({**standard.FUNCTIONS, **standard.SPECIFIED})


@lru_cache(maxsize=8)  # the same table again, so that an expression that recurs is compiled once
def functions_for(ambient: Ambient) -> Functions:
    """Every function, with the clock, the randomness and the YAML reader it is given."""
    tables: list[Mapping[str, Function]] = [
        standard.FUNCTIONS,
        strings.FUNCTIONS,
        numbers.FUNCTIONS,
        collections.FUNCTIONS,
        encoding.functions(ambient),
        times.functions(ambient),
        strings.ambient_functions(ambient),
    ]
    return Functions({name: function for table in tables for name, function in table.items()})
