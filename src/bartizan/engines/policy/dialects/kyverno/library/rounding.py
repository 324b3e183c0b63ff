"""`math.round`: a double to so many decimal places, halves away from zero."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from bartizan.lang.cel import Overload
from bartizan.lang.cel.types import DOUBLE, INT

if TYPE_CHECKING:
    from collections.abc import Mapping


def _round(value: float, places: int) -> float:
    """By way of a power of ten, so that what is too large or too small for it is no number, as in Go."""
    shift = 10.0**places if abs(places) <= 308 else math.inf if places > 0 else 0.0
    shifted = value * shift
    if not math.isfinite(shifted) or not shift:
        return math.nan if math.isinf(shift) or not shift or math.isnan(shifted) else shifted / shift
    whole = math.trunc(shifted)
    if abs(shifted - whole) >= 0.5:
        whole += 1 if shifted > 0 else -1
    return math.copysign(whole / shift, value)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "math.round": (Overload((DOUBLE, INT), DOUBLE, _round),),
}
