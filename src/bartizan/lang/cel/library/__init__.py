"""The functions of the language and its extensions, one module a family."""

from __future__ import annotations

from typing import Final

from bartizan.lang.cel.declare import functions_of
from bartizan.lang.cel.library import (
    collections,
    encoders,
    formats,
    kubernetes,
    mathematics,
    network,
    optional,
    standard,
    strings,
)

FUNCTIONS: Final = functions_of(
    standard.FUNCTIONS,
    optional.FUNCTIONS,
    strings.FUNCTIONS,
    collections.EXTENSION,
    collections.SETS,
    mathematics.FUNCTIONS,
    encoders.FUNCTIONS,
    network.MAPPED,
)
"""The language with the extensions that its own specification tests."""

KUBERNETES: Final = functions_of(
    standard.FUNCTIONS,
    optional.FUNCTIONS,
    {name: overloads for name, overloads in strings.FUNCTIONS.items() if name != "reverse"},  # of a later version
    collections.EXTENSION,
    collections.SETS,
    collections.KUBERNETES,
    network.FUNCTIONS,
    formats.FUNCTIONS,
    *kubernetes.TABLES,
)
"""The language as the Kubernetes API server has it."""
