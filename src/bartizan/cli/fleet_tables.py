"""Answers of a plane as tables: one line a row, columns as wide as they need to be, harmless whatever is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.cli.terminal import results, width
from bartizan.outputs.text import clip, columns, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP: Final = "  "
_LEAST: Final = 12


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table; its last column takes what is left of the line."""
    texts = [[one_line(_text(cell)) for cell in row] for row in rows]
    widths = [max(map(columns, column)) for column in zip(heads, *texts, strict=True)]
    used = sum(size + len(_GAP) for size in widths[:-1])
    widths[-1] = max(min(widths[-1], width() - used), _LEAST)
    out = results()
    for row in (tuple(heads), *texts):
        cells = [
            clip(cell, size) + " " * (size - columns(clip(cell, size))) for cell, size in zip(row, widths, strict=True)
        ]
        out.write(_GAP.join(cells).rstrip() + "\n")
    out.flush()


def share(number: dict[str, str] | None) -> str:
    """A share for people."""
    return f"{number['percent']} %" if number else "-"


def numbers(score: dict[str, Any]) -> tuple[str, str, str]:
    """The three numbers for people."""
    return share(score["pass_rate"]), share(score["coverage"]), share(score["exception_share"])


def moment(at: str | None) -> str:
    """A time for people."""
    return f"{at[:10]} {at[11:16]} UTC" if at else "never"


def _text(cell: Any) -> str:
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
