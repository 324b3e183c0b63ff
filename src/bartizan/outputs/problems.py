"""What could not be read or run, told on a terminal beside the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.outputs.terminal_ink import PLAIN, Ink
from bartizan.outputs.text import one_line, printable

if TYPE_CHECKING:
    from bartizan.model.report import Problem


def problem_text(problem: Problem, ink: Ink = PLAIN) -> str:
    """Place, clause and hint, without a last line end; harmless, whatever the file had in it."""
    place = f"{printable(str(problem.at))}: " if problem.at else ""
    hint = f"\n  hint: {one_line(problem.hint)}" if problem.hint else ""
    return f"{ink.error}error{ink.off}: {place}{one_line(problem.message)}{hint}"
