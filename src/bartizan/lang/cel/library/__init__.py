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
    patterns,
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
    strings.FUNCTIONS,
    collections.EXTENSION,
    collections.SETS,
    collections.KUBERNETES,
    network.FUNCTIONS,
    formats.FUNCTIONS,
    *kubernetes.TABLES,
)
"""The language as the Kubernetes API server has it."""

EXTENSIONS: Final = functions_of(mathematics.FUNCTIONS, encoders.FUNCTIONS, patterns.FUNCTIONS)
"""What others add to that."""
