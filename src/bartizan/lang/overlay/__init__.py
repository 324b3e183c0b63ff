"""Overlay patterns, compiled: YAML trees with anchors, wildcards and operators.

pattern tree -> parse -> emit -> Python source -> function(value)
"""

from bartizan.lang.overlay.compile import Pattern, compile_pattern, source_of
from bartizan.lang.overlay.mismatch import Mismatch
from bartizan.lang.overlay.scalar import compile_scalar, is_range

__all__ = ["Mismatch", "Pattern", "compile_pattern", "compile_scalar", "is_range", "source_of"]
