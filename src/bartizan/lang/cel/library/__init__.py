"""The functions of the language and its extensions, one module a family."""

from __future__ import annotations

from typing import Final

from bartizan.lang.cel.declare import functions_of
from bartizan.lang.cel.library import (
    collections,
    encoders,
    mathematics,
    network,
    optional,
    patterns,
    standard,
    strings,
)
from bartizan.lang.cel.library.kubernetes import KUBERNETES, kubernetes_environment

__all__ = ["EXTENSIONS", "FUNCTIONS", "KUBERNETES", "kubernetes_environment"]

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

EXTENSIONS: Final = functions_of(mathematics.FUNCTIONS, encoders.FUNCTIONS, patterns.FUNCTIONS)
"""What others add to that."""
