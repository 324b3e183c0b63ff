"""The functions of the language and its extensions, one module a family."""

from __future__ import annotations

from typing import Final

from bartizan.lang.cel.declare import functions_of
from bartizan.lang.cel.library import optional, standard

FUNCTIONS: Final = functions_of(standard.FUNCTIONS, optional.FUNCTIONS)
"""Every function there is."""
