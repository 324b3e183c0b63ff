"""Floating-point numbers in text, as Go's `strconv` and `fmt` read and write them."""

from __future__ import annotations


def parse_float(text: str) -> float | None:
    """Read a number, as `ParseFloat` does; `None` where the text is none (spaces and underscores are not of one)."""
    if "_" in text or text.strip() != text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def format_float(value: float) -> str:
    """Write a number as `%v` does: the shortest text, with an exponent below 1e-4 and from 1e6 on."""
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return str(int(value)) if value == int(value) else repr(value)
    return format_exponent(value)


def format_exponent(value: float) -> str:
    """Write a number as `FormatFloat(value, 'e', -1, 64)` does: `1.5e+00`."""
    return next(text for text in (f"{value:.{places}e}" for places in range(18)) if float(text) == value)
